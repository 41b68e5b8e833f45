"""Rows of a round, or its results -> the images that their cards show: two figures, a few pairs with what they saw."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from PIL import Image

from clincot import images
from clincot.benchmarks.base import Source
from clincot.report.figures.drawing import sheet
from clincot.report.figures.figure import Figure, Section
from clincot.report.figures.png import png
from clincot.report.run.agreement import agreement_figure
from clincot.report.run.pairs import margins_figure
from clincot.report.run.rounds import rounds_figure
from clincot.rows.stored_messages import read_content
from clincot.runs.redistribution.redacted import Row
from clincot.stages.evaluate import Evaluation

PAIRS = 3
LOOKED = 512  # rows among which the pairs are chosen: a round may hold gigabytes of images
SIDE, GAP = 192, 6  # pixels of an image's longer side, and between two
LONGEST = 240  # letters of a text
SCORES = ("chosen_score", "rejected_score")


def may_show(source: Source) -> bool:
    """Return whether a card may hold images and texts of the data: its licence and its privacy both allow it."""
    return source.redistributable and source.privacy == "public"


def of_pairs(files: Mapping[str, Path], round_: str, folder: Path) -> tuple[dict[str, Path], dict[str, Any]]:
    """Write what the card of a round's dataset shows into `folder`.

    Args:
        files: path in the repository -> local file: parquet files of pairs and of candidates.
        round_: name of the round, the folder of its pairs.
        folder: where to write, made when missing.

    Returns:
        Path in the repository -> local file, and the facts `figures` and `shown_pairs` that the card reads.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pairs, candidates = (_paths(files, config) for config in (round_, f"{round_}-candidates"))
    scores = [row for path in pairs for row in pq.read_table(path, columns=list(SCORES)).to_pylist()]
    rated = [row for path in candidates for row in pq.read_table(path, columns=["id", "judge_scores"]).to_pylist()]
    held, figures = _drawn((margins_figure({round_: scores}), agreement_figure({round_: rated})), round_, folder)
    shown = []
    for number, row in enumerate(_widest(pairs), 1):
        path = folder / f"pair-{number}.png"
        path.write_bytes(_strip(row))
        held[f"{round_}/figures/{path.name}"] = path
        shown.append(_texts(row) | {"image": f"{round_}/figures/{path.name}"})
    return held, {"figures": figures, "shown_pairs": shown}


def of_results(evaluation: Evaluation, round_: str, folder: Path) -> dict[str, Path]:
    """Write the figure of the rounds, which the card of the results shows; return its path in the repository."""
    folder.mkdir(parents=True, exist_ok=True)
    return _drawn([rounds_figure(evaluation.results, evaluation.protocol)], round_, folder)[0]


def _drawn(sections: Sequence[Section], round_: str, folder: Path) -> tuple[dict[str, Path], list[dict[str, str]]]:
    held, named = {}, []
    for figure in sections:
        if isinstance(figure, Figure) and figure.panels:
            path = folder / f"{figure.name}.png"
            path.write_bytes(png(sheet(figure.title, figure.panels)))
            held[f"{round_}/figures/{path.name}"] = path
            named.append({"title": figure.title, "path": f"{round_}/figures/{path.name}"})
    return held, named


def _paths(files: Mapping[str, Path], config: str) -> list[Path]:
    return [path for name, path in files.items() if name.startswith(f"{config}/") and name.endswith(".parquet")]


def _widest(paths: Sequence[Path]) -> list[Row]:
    """Return the pairs with the widest margins among the first rows, of as many images; the first of equal ones."""
    best: dict[str, tuple[float, int, Row]] = {}
    for number, row in enumerate(_first(paths)):
        chosen, rejected = (row[name] for name in SCORES)
        margin = 0.0 if chosen is None or rejected is None else chosen - rejected
        seen = [*(row["images"] or ()), *(row["side_images"] or ())]
        about = images.content_id(seen[0]["bytes"]) if seen else row["example_id"]
        if about not in best or margin > best[about][0]:
            best[about] = (margin, number, row)
            best = dict(sorted(best.items(), key=lambda item: (-item[1][0], item[1][1]))[:PAIRS])
    return [row for _, _, row in best.values()]


def _first(paths: Sequence[Path]) -> Iterator[Row]:
    left = LOOKED
    for path in paths:
        for batch in pq.ParquetFile(path).iter_batches(batch_size=64):
            for row in batch.to_pylist()[:left]:
                yield row
                left -= 1
            if left <= 0:
                return


def _strip(row: Row) -> bytes:
    """Return the images that both sides share, then those of the chosen, then those of the rejected side, in a row."""
    seen = [*(row["images"] or ()), *(row["side_images"] or ())]
    small = []
    for one in seen:
        image = images.decode(one["bytes"], "image of a row")
        image.thumbnail((SIDE, SIDE))
        small.append(image)
    size = (max(1, sum(one.width + GAP for one in small) - GAP), max((one.height for one in small), default=1))
    whole = Image.new("RGB", size, "white")
    left = 0
    for image in small:
        whole.paste(image, (left, 0))
        left += image.width + GAP
    buffer = io.BytesIO()
    whole.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _texts(row: Row) -> dict[str, Any]:
    content = read_content(row["prompt"][0]["content"]) if row["prompt"] else ""
    text = content if isinstance(content, str) else " ".join(block.get("text", "") for block in content)
    question = text.strip().partition("\n")[0]
    texts = {"question": question, "chosen": row["chosen"], "rejected": row["rejected"]}
    short = {name: text if len(text) <= LONGEST else f"{text[:LONGEST]} …" for name, text in texts.items()}
    return short | {name: None if row[name] is None else round(row[name], 2) for name in SCORES}
