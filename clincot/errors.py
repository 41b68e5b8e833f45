"""Errors a user can act on: each message reads `where: what. What to do.`"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class ClincotError(Exception):
    """Something the user can correct, in the input or outside of clincot: the command line exits 2, no traceback."""


class RecipeError(ClincotError):
    """A recipe, setting or override that cannot be used."""


class HubError(ClincotError):
    """A Hub that refuses, lacks or contradicts what was asked of it."""


class NotOnHub(HubError):
    """A repository, revision or file that the Hub does not have."""


class TagExists(HubError):
    """A tag that already names other content; a tag never moves."""


class DataError(ClincotError):
    """A dataset or file whose content is not what its reader needs."""


class NoSplit(DataError):
    """Data without a question of the split that was asked for."""


class UnreadableImage(DataError):
    """Image bytes that cannot become an RGB image; builders skip, count and name them."""


class RoundError(ClincotError):
    """A round asked for out of order, or made from something else than its predecessor."""


class ModelError(ClincotError):
    """A model that cannot do the work it was named for."""


class DiskFull(ClincotError):
    """No room for a file that had to be written; what was finished before stays."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ` Did you mean 'x'?` for a near miss of `name` among `known`, blind to case, else the list of all."""
    names = sorted(known)
    by_fold = {known_name.casefold(): known_name for known_name in reversed(names)}
    near = get_close_matches(name, names, n=1, cutoff=0.6) or get_close_matches(
        name.casefold(), by_fold, n=1, cutoff=0.6
    )
    return f" Did you mean {by_fold.get(near[0].casefold(), near[0])!r}?" if near else f" Known: {', '.join(names)}."
