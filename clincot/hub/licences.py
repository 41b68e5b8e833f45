"""The name of a dataset or benchmark -> refused when an agreement forbids loading it (MIMIC and its derivatives)."""

from __future__ import annotations

from clincot.errors import DataError

# PhysioNet's credentialed data use agreement forbids sharing the data or sending it to third parties
# (docs/benchmarks.md#licences).
CREDENTIALED = ("mimic",)


def refuse_credentialed(name: str) -> None:
    """Raise DataError when `name` says that the data are MIMIC's or derived from them."""
    found = next((word for word in CREDENTIALED if word in name.lower()), None)
    if found:
        raise DataError(
            f"{name}: looks like {found.upper()} data, whose credentialed use agreement clincot does not handle: it is "
            "never loaded, stored or pushed. Use another dataset, or another name if this one holds none of it."
        )
