"""Parquet files of a round's pairs and a format -> a folder of rows for another project, with their images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from clincot.errors import DataError
from clincot.recipe import Conditioning
from clincot.records import is_cut
from clincot.rows.files import records
from clincot.rows.formats.base import Format, OtherPair
from clincot.rows.formats.turns import plain_prompt
from clincot.rows.odd_texts import same_words
from clincot.rows.schema import image_struct
from clincot.rows.stored_messages import stored_messages

FOLDER = "images"
CUT = "with a text cut at its length limit, which would be taught to end there"
ONE_TEXT = "with one text, of which the sides' images say which is preferred"
TOKENS = "with weights of tokens, which the format has no place for"
BETWEEN = "with images between texts, which the format has no place for"


@dataclass(frozen=True)
class ExportJob:
    """`rows` are written in `form` to `folder`, which exists and is empty.

    `conditioning` says which images a pair has whose sides have their own, as in training.
    """

    rows: tuple[Path, ...]
    form: Format
    folder: Path
    conditioning: Conditioning


@dataclass
class ExportOutcome:
    """How many rows and images were written, and how many rows were left out, by reason."""

    rows: int = 0
    weighted: int = 0
    images: set[str] = field(default_factory=set)
    left_out: Counter[str] = field(default_factory=Counter)


def export_rows(job: ExportJob) -> ExportOutcome:
    """Write the rows. Raises DataError where sides have their own images and the format has one list for both."""
    outcome = ExportOutcome()
    job.form.save(_written(job, outcome), job.folder)
    if not outcome.rows:
        reasons = "; ".join(f"{count:,} {reason}" for reason, count in outcome.left_out.items()) or "it is empty"
        raise DataError(
            f"{job.rows[0].name}: no row can be written in {job.form.title}: {reasons}. Name another format."
        )
    return outcome


def _written(job: ExportJob, outcome: ExportOutcome) -> Iterator[dict[str, Any]]:
    for path in job.rows:
        for _, row in records(path):
            assert row is not None  # Parquet has no broken lines
            pair = _pair(row)
            own = bool(pair.chosen_images or pair.rejected_images)
            reason = _reason(job, row, pair, own)
            if reason:
                outcome.left_out[reason] += 1
                continue
            if own and job.conditioning == "per_side" and not job.form.per_side:
                raise DataError(
                    f"row {row['id']}: its sides have their own images, and {job.form.title} has one list for both."
                    " Give --conditioning winner or global, or --format swift."
                )
            shown = _placed(_conditioned(pair, job.conditioning), job, outcome)
            yield job.form.write(shown, outcome.rows)
            outcome.rows += 1
            outcome.weighted += pair.weight is not None


def _pair(row: Mapping[str, Any]) -> OtherPair:
    both, own = row.get("side_images") or [], row.get("chosen_images_count")
    first = int(bool(both) if own is None else own)  # rows of older versions: one image a side
    high, low = (row.get(f"{side}_score") for side in ("chosen", "rejected"))
    weight = row.get("weight")
    return OtherPair(
        prompt=tuple(stored_messages(row["prompt"], len(row["images"] or ()) + first)),
        images=tuple(row["images"] or ()),
        chosen=row["chosen"],
        rejected=row["rejected"],
        chosen_images=tuple(both[:first]),
        rejected_images=tuple(both[first:]),
        weight=None if weight is None or weight == 1 else round(weight, 6),  # float32 in the file
        margin=None if high is None or low is None else round(high - low, 6),
    )


def _reason(job: ExportJob, row: Mapping[str, Any], pair: OtherPair, own: bool) -> str:
    """Return why a row cannot be written, "" where it can."""
    if any(is_cut(row.get(f"{side}_finish")) for side in ("chosen", "rejected")):
        return CUT
    if any(row.get(f"{side}_token_weights") is not None for side in ("chosen", "rejected")):
        return TOKENS
    if own and job.conditioning != "per_side" and same_words(pair.chosen, pair.rejected):
        return ONE_TEXT
    fixed = not plain_prompt(pair)
    return BETWEEN if fixed and (not job.form.in_text or (own and job.conditioning == "global")) else ""


def _conditioned(pair: OtherPair, conditioning: Conditioning) -> OtherPair:
    if conditioning == "per_side" or not (pair.chosen_images or pair.rejected_images):
        return pair
    shared = pair.images + (pair.chosen_images if conditioning == "winner" else ())
    return replace(pair, images=shared, chosen_images=(), rejected_images=())


def _placed(pair: OtherPair, job: ExportJob, outcome: ExportOutcome) -> OtherPair:
    """Return the pair with its images as the format's files hold them; files are written once."""

    def place(image: Mapping[str, Any]) -> Any:
        stored = image_struct(image["bytes"])
        name = stored["path"]  # made of the content, also where the rows were made elsewhere
        if not job.form.embeds and name not in outcome.images:
            (job.folder / FOLDER).mkdir(exist_ok=True)
            (job.folder / FOLDER / name).write_bytes(image["bytes"])
        outcome.images.add(name)
        return stored if job.form.embeds else f"{FOLDER}/{name}"

    sides = (pair.images, pair.chosen_images, pair.rejected_images)
    shared, chosen, rejected = (tuple(place(image) for image in side) for side in sides)
    return replace(pair, images=shared, chosen_images=chosen, rejected_images=rejected)
