"""The models that a recipe names and a Hub -> the licence on each card, and the clauses on what the model writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from clincot.errors import ClincotError
from clincot.hub.model_cards import CARD, ModelTerms, read_terms, terms_of
from clincot.recipe import ModelSource, Recipe
from clincot.runs.doctor.models import folder_here
from clincot.runs.doctor.reach import Reach, one_line
from clincot.runs.redistribution.clauses import Clause, clauses_of
from clincot.runs.roles import where_of

ROLES = ("policy", "proposer", "critic", "editor", "similarity")


@dataclass(frozen=True)
class RoleLicence:
    """What is known of the licence of a role's model: `licence` is "" where its card names none.

    `clauses` are sentences on its outputs, by what the card says or, without it, by the model's name; `unknown` says
    why no card was read.
    """

    setting: str
    repo: str
    licence: str
    clauses: tuple[str, ...]
    unknown: str = ""


def licences(recipe: Recipe, reach: Reach) -> tuple[RoleLicence, ...]:
    """Return the licences of all models that the recipe names, also of those that its method does not use."""
    return tuple(_licence(where, source, reach) for where, source in _named(recipe) if source.repo)


def _named(recipe: Recipe) -> Iterator[tuple[str, ModelSource]]:
    models = recipe.models
    yield from ((where_of(role), getattr(models, role)) for role in ROLES[:2])
    yield from ((where_of(f"judge-{number}"), source) for number, source in enumerate(models.judges, 1))
    yield from ((where_of(role), getattr(models, role)) for role in ROLES[2:])


def _licence(where: str, source: ModelSource, reach: Reach) -> RoleLicence:
    terms, unknown = ModelTerms(source.repo), ""
    if source.endpoint and where != "models.policy":
        unknown = "on a server, whose terms are not looked at"
    elif folder := folder_here(source, reach):
        card = folder / CARD
        terms = terms_of(source.repo, card.read_text(encoding="utf-8", errors="replace") if card.is_file() else "")
    else:
        try:
            terms = reach(lambda hub: read_terms(hub, hub.resolve("model", source.repo, source.revision)))
        except ClincotError as error:
            unknown = one_line(error)
    return RoleLicence(where, source.repo, terms.stated, tuple(map(_sentence, clauses_of(terms))), unknown)


def _sentence(clause: Clause) -> str:
    public = f"; --public needs --acknowledge-licence {clause.name}" if clause.binds else ""
    return f"{clause.name}: {clause.says}{public}"
