"""A unit's stored candidates and other settings for drawing pairs -> the unit's pairs, with whole regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from clincot import images, methods
from clincot.errors import DataError, RecipeError
from clincot.executors.journal import flat
from clincot.images.views import Gallery
from clincot.judges.consensus import DEBATE
from clincot.methods.pairing import CUT
from clincot.methods.scoring import scored
from clincot.recipe import Recipe
from clincot.records import Candidate, Example, Region, View, read_images
from clincot.rows.stored_candidates import candidate_of
from clincot.runs.redistribution.redacted import References, Row
from clincot.stages.pair.draw import UNPAIRED, draw_pairs
from clincot.stages.sample.workbench import UnitResult

# What drawing decides; everything else that was left out was left out before, by models.
UNRATED = "candidates a judge could not rate"
REDRAWN = {UNRATED, UNPAIRED, CUT, "steps without a pair", "candidates that repeat a text"}
# Values that say how a machine goes about it, not what comes out.
OF_A_MACHINE = {f"build.{name}" for name in ("batch_size", "threads", "judging.batch_size", "judging.failure_limit")}


@dataclass(frozen=True)
class Redraw:
    """Draws by `recipe` what was built by `old`; `references` put redacted texts back."""

    old: Recipe
    recipe: Recipe
    round: int
    references: References | None

    def unit(self, unit: Sequence[Example], rows: Sequence[Row], regions: Sequence[Row]) -> UnitResult:
        """Return the unit's pairs and its candidates with their scores by the new settings."""
        unit = read_images(unit)
        kept, gallery = [self._scored(row) for row in rows], Gallery(unit)
        found = _Found(unit, regions, gallery)
        method = methods.of_recipe(self.recipe)
        drawn = draw_pairs(method, self.recipe, self.round, unit, map(found.candidate, kept))
        return UnitResult(drawn.pairs, tuple(kept), (), drawn.drops, (), gallery.encode, (), drawn.drops)

    @staticmethod
    def drops_after(before: Mapping[str, int], now: Mapping[str, int]) -> dict[str, int]:
        """Return the counts of the build with those that drawing decides counted anew."""
        return {reason: n for reason, n in sorted((dict(before) | dict.fromkeys(REDRAWN, 0) | dict(now)).items()) if n}

    def _scored(self, row: Row) -> Candidate:
        candidate = candidate_of(row)
        if self.references is not None:
            candidate = _shown(candidate, self.references)
        if rules(self.recipe) != rules(self.old):
            wanted = self.recipe.build.judging.judges or len(self.recipe.models.judges)
            held = sum(score.judge != DEBATE for score in candidate.judge_scores)
            if wanted > held:
                raise DataError(
                    f"{candidate.id}: was rated by {held} judges, not by {wanted}."
                    " Lower build.judging.judges, or build the round again."
                )
            candidate = scored(candidate, self.recipe.method.config.lookahead, self.recipe.build.judging)
        return candidate


class _Found:
    """The stored regions of a unit, with the masks that candidates do not hold."""

    def __init__(self, unit: Sequence[Example], regions: Sequence[Row], gallery: Gallery) -> None:
        self.examples = {example.id: example for example in unit}
        self.rows = {_key(row["image_id"], row["hypothesis"], row["box"]): row for row in regions if row["box"]}
        self.gallery = gallery
        self.checked: dict[tuple[object, ...], Region] = {}

    def candidate(self, candidate: Candidate) -> Candidate:
        """Return the candidate with whole regions. Raises DataError when a crop is not the one that was built."""
        example = self.examples[candidate.example_id]

        def whole(region: Region | None) -> Region | None:
            return None if region is None else self._region(example, region)

        views = tuple(replace(view, region=whole(view.region)) for view in candidate.views)
        return replace(candidate, region=whole(candidate.region), views=views)

    def _region(self, example: Example, region: Region) -> Region:
        key = _key(example.image_id, region.hypothesis, region.box)
        if key not in self.checked:
            row = self.rows.get(key)
            if row is None:
                raise DataError(
                    f"{example.id}: its region of {region.hypothesis} is not stored. Build the round again."
                )
            whole = replace(region, mask=row["mask"]["bytes"] if row["mask"] else None)
            if images.content_id(self.gallery.encode(example.id, View("crop", whole))) != row["crop_id"]:
                raise DataError(
                    f"{example.id}: the crop cut for {region.hypothesis} is not the one that the round was built from."
                    " Use the benchmark's commit and the Pillow version that its lineage names."
                )
            self.checked[key] = whole
        return self.checked[key]


def _key(image_id: str, hypothesis: str, box: Sequence[int]) -> tuple[object, ...]:
    return image_id, hypothesis, tuple(box)


def rules(recipe: Recipe) -> tuple[object, ...]:
    """Return what makes a candidate's score of its ratings (Eq. 3 and 4)."""
    ahead, build = recipe.method.config.lookahead, recipe.build
    return ahead.gamma, ahead.normalise, build.judging.consensus, build.judging.judges


def same_chain(old: Recipe, new: Recipe, where: str) -> None:
    """Raise RecipeError when `new` asks for what only a build can give, naming what differs."""
    before, after = _fixed(old), _fixed(new)
    odd = [f"{key} = {after.get(key)!r} (was {value!r})" for key, value in before.items() if after.get(key) != value]
    if odd:
        raise RecipeError(
            f"{where}: --repair-pairs draws among the candidates that are there; it cannot change {'; '.join(odd)}."
            " Give the settings of the round, or build it again with --new-version."
        )
    if new.method.config.lookahead.gamma > 0 and old.method.config.lookahead.gamma == 0:
        raise RecipeError(f"{where}: has no look-ahead scores (gamma was 0). Build the round again with look-ahead.")


def _fixed(recipe: Recipe) -> dict[str, Any]:
    """Return every value that decides the candidates, by its dotted name."""
    config, judging = recipe.method.config, replace(recipe.build.judging, consensus="agreement", judges=0)
    drawn: dict[str, Any] = {"pairs_per_step": 0, "min_gap": 0.0, "pair_scope": "any"}
    walked = replace(config, **drawn, lookahead=replace(config.lookahead, gamma=0.0, normalise=True))
    plain = replace(recipe, method=replace(recipe.method, config=walked)).tree()
    plain["build"] = asdict(replace(recipe.build, cut_texts="drop", judging=judging))
    more = ("method", "build", "benchmark", "benchmark_revision", "rounds", "seed", "image_layout", "models")
    return {key: value for key, value in flat({name: plain[name] for name in more}).items() if key not in OF_A_MACHINE}


def _shown(candidate: Candidate, references: References) -> Candidate:
    return replace(
        candidate,
        text=references.show(candidate.text),
        findings=tuple(map(references.show, candidate.findings)),
        lookahead=tuple(map(references.show, candidate.lookahead)),
    )
