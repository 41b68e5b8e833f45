"""An example or a preference pair -> what a notebook shows of it: images, regions and texts as plain HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clincot.errors import DataError
from clincot.records import Example
from clincot.records.pairs import Pair

ROW = ("id", "example_id", "prompt", "chosen", "rejected")  # columns that every row of pairs has


@dataclass(frozen=True)
class Shown:
    """What a notebook displays as HTML and a console as one line."""

    summary: str
    html: str = field(repr=False)

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.summary


def show(value: Example | Pair | Mapping[str, Any], example: Example | None = None) -> Shown:
    """Show an example, a pair or a row of pairs in a notebook: images with region outlines, crops and texts.

    Texts are escaped, and the HTML holds no script and asks for nothing.

    Args:
        value: an `Example`; a row of `RoundData.load("pairs")`; or a `Pair`, which has no images itself.
        example: the example of a `Pair`, which has them.

    Returns:
        An object that a notebook displays; `html` is the text of it.

    Raises:
        DataError: another value, a `Pair` without its example, or an image that cannot be read.
    """
    from clincot.report.fragments.examples import example_html
    from clincot.report.fragments.pairs import pair_html

    if isinstance(value, Example):
        return Shown(f"example {value.id}: {value.question!r}", example_html(value))
    row = _row(value, example) if isinstance(value, Pair) else value
    if not isinstance(row, Mapping) or any(name not in row for name in ROW):
        raise DataError(
            f"show: a {type(value).__name__} is neither an example nor a pair. Give a clincot.Example, a clincot.Pair"
            ' with its example, or a row of load("pairs").'
        )
    return Shown(f"pair {row['id']}: {row['chosen']!r} over {row['rejected']!r}", pair_html(row))


def _row(pair: Pair, example: Example | None) -> Mapping[str, Any]:
    from clincot.images.views import Gallery
    from clincot.rows.pair_rows import pair_row

    if example is None or example.id != pair.example_id:
        other = "" if example is None else f", not of {example.id}"
        raise DataError(
            f"show: a pair of example {pair.example_id}{other} has no images itself. Give clincot.show(pair, example)."
        )
    return pair_row(pair, 1, Gallery([example]).encode)
