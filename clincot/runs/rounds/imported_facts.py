"""What an import counted -> the lines that the terminal shows, and the sentences of the dataset's card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from clincot.records.lineage import Pin
from clincot.rows.formats.base import Format
from clincot.runs.releases.cards.method import Stated
from clincot.stages.exchange.importing import METHOD, ImportOutcome
from clincot.stages.exchange.report import listed
from clincot.stages.exchange.rules import NO_MARGIN, OWN_MARGIN

# sha256 of the files in aiming-lab/MMedPO's folder `data`: what is known of other rows is their format alone.
RELEASED = {
    "114720667d43e830ac5c16509f52c3083e95c5a8988918a8b5b50e59f4bf2f0d": "IU-Xray",
    "552faf114723dc550808038e3ec6ffb4759fcea358abbc1578929df0a3b5ba1e": "SLAKE",
    "18569b89645ca856e5e7ee7823059009597a869daa95277766a9d4a5a280e4ef": "VQA-RAD",
}
LONGER = 1.5  # from this ratio of mean words on, a line says that DPO can learn length


def said_of(outcome: ImportOutcome, form: Format, margin: str) -> Iterator[str]:
    """Yield what a person reads about an import: counts by reason, weights, lengths."""
    report, facts = outcome.report, outcome.facts
    yield f"{report.read:,} rows in {form.title}: {facts['pairs']:,} pairs about {facts['images']:,} images"
    if report.unfits:
        yield f"no pairs: {report.unfit_words()}"
    if report.dropped:
        yield f"left out: {listed(report.dropped)}"
    if facts.get("chosen_and_gold"):
        yield _gold(facts["chosen_and_gold"])
    if report.unread:
        yield f"columns that were not read: {', '.join(sorted(report.unread))}"
    if report.margins and margin == NO_MARGIN:
        yield f"{report.margins:,} rows have a margin; it counts with --margin column"
    if facts["weights"]:
        yield f"weights: {_weights(facts['weights'])}"
    if facts["images_without_notes"]:
        yield f"{facts['images_without_notes']:,} images carried notes (EXIF, comments) and are stored without them"
    yield _lengths(facts)


def _lengths(facts: Mapping[str, Any]) -> str:
    chosen, rejected = facts["mean_words_chosen"], facts["mean_words_rejected"]
    ratio = max(chosen, rejected) / max(0.01, min(chosen, rejected))
    longer = "rejected" if rejected > chosen else "chosen"
    warned = f": the {longer} texts are {ratio:.1f} times as long, and DPO can learn length" if ratio >= LONGER else ""
    return f"mean words: chosen {chosen:g}, rejected {rejected:g}{warned}"


def _weights(weights: Mapping[str, int]) -> str:
    return ", ".join(f"{weight}: {count:,}" for weight, count in weights.items())


def _gold(counts: Mapping[str, int]) -> str:
    unknown = f"; {counts['unknown']:,} questions have none" if counts["unknown"] else ""
    return (
        f"of the chosen texts {counts['equal']:,} are the gold answer (case and punctuation apart) and"
        f" {counts['other']:,} are not{unknown}"
    )


def stated_of(form: Format, pin: Pin | None, shas: Sequence[str], facts: Mapping[str, Any], margin: str) -> Stated:
    """Return what a card says of imported rows: what is known of them, and no more."""
    known = [RELEASED[sha] for sha in shas if sha in RELEASED]
    place = f"`{pin.repo}` at the commit in the lineage" if pin else f"a file with the sha256 `{shas[0]}`"
    sentences = [
        f"The rows were imported from {place}, in {form.title}.",
        "clincot wrote none of the texts and compared none of them: it does not know who wrote them, or who or what"
        " decided which text of a pair is better.",
    ]
    if known:
        sentences.append(f"They are the rows that the authors of MMedPO released for {known[0]}: text pairs alone.")
    if facts["weights"]:
        sentences.append(
            "Each pair has the weight of its row; the loss is weight × DPO. Pairs by weight:"
            f" {_weights(facts['weights'])}."
        )
    if margin != NO_MARGIN:
        given = "that of its row" if margin == OWN_MARGIN else f"{margin}, the same for all"
        sentences.append(f"Each pair has a margin, {given}, written as the difference of two scores that nobody gave.")
    if facts.get("chosen_and_gold"):
        said = _gold(facts["chosen_and_gold"])
        sentences.append(f"Before rows were left out: {said}.")
    title = "MMedPO (released text pairs)" if known else f"imported rows ({form.title})"
    return Stated(METHOD, title, "arXiv 2412.06141" if known else "", tuple(sentences))
