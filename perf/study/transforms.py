"""Rows of candidates or pairs -> the same rows with what one part of the method knows taken away, or made right."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from clincot.chain.prompts import step_messages
from clincot.phantom.v2.texts.wording import ASKED
from clincot.records import Box, Example
from clincot.rows.schema import image_struct
from clincot.rows.stored_messages import stored_messages
from study.looks import low_passed
from study.truth import truth

Row = dict[str, Any]
Scores = Callable[[Sequence[Row], Mapping[str, Example], int, int], list[Row]]
Pairs = Callable[[Sequence[Row], Mapping[str, Example], Sequence[Row], int, int], list[Row]]
NOTHING = "none"  # a rejected text that is read and has no gradient to speak of


def true_scores(rows: Sequence[Row], examples: Mapping[str, Example], steps: int, seed: int) -> list[Row]:
    """Rate candidates, and what was sampled after them, by the truth: an upper bound of any judge."""

    def of(row: Row, text: str, step: int) -> float:
        box = Box(*row["region"]["box"]) if row["region"] else None
        return truth(examples[row["example_id"]], text, box, last=step == steps)

    found = []
    for row in rows:
        later = [of(row, text, row["step"] + 1) for text in row["lookahead"]]
        following = sum(later) / len(later) if later else None
        score = {"judge": "truth", "own": of(row, row["text"], row["step"]), "next": following, "total": None}
        found.append({**row, "judge_scores": [{**score, "mass": 1.0}]})
    return found


def future_permuted(rows: Sequence[Row], examples: Mapping[str, Example], steps: int, seed: int) -> list[Row]:
    """Give each candidate the look-ahead scores of another one of its step; all judges' move together."""
    groups: dict[tuple[str, int], list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        groups[row["example_id"], row["step"]].append(place)
    source = list(range(len(rows)))
    for (name, step), places in groups.items():
        moved = random.Random(f"{seed}/{name}/{step}").sample(places, len(places))
        for place, other in zip(places, moved, strict=True):
            source[place] = other
    return [
        {
            **row,
            "lookahead": rows[other]["lookahead"],
            "judge_scores": [
                {**own, "next": its["next"]}
                for own, its in zip(row["judge_scores"], rows[other]["judge_scores"], strict=True)
            ],
        }
        for row, other in zip(rows, source, strict=True)
    ]


def gaps_permuted(
    rows: Sequence[Row], examples: Mapping[str, Example], candidates: Sequence[Row], steps: int, seed: int
) -> list[Row]:
    """Exchange the scores of pairs whose sides have the same ranks in their step: ranks stay, gaps say nothing."""
    by_group: dict[tuple[str, int], set[float]] = defaultdict(set)
    score_of = {}
    for one in candidates:
        score_of[one["id"]] = one["score"]
        if one["score"] is not None:
            by_group[one["example_id"], one["step"]].add(one["score"])

    def rank(row: Row, side: str) -> int:
        known = sorted(by_group[row["example_id"], row["step"]], reverse=True)
        return known.index(score_of[row[f"{side}_candidate"]])

    alike: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        alike[row["step"], rank(row, "chosen"), rank(row, "rejected")].append(place)
    changed = [dict(row) for row in rows]
    for key, places in alike.items():
        moved = random.Random(f"{seed}/{key}").sample(places, len(places))
        for place, other in zip(places, moved, strict=True):
            for name in ("chosen_score", "rejected_score"):
                changed[place][name] = rows[other][name]
    return changed


NO_REFERENCE = {f"ref_{side}_{what}": None for side in ("chosen", "rejected") for what in ("logp", "tokens")}


def gold(
    rows: Sequence[Row], examples: Mapping[str, Example], candidates: Sequence[Row], steps: int, seed: int
) -> list[Row]:
    """Keep the pairs of the last step; in place of what was sampled put the gold answer, and once more the gold report.

    The judges read both as their reference, so the contrast is given both, after the same images and findings.
    """
    made = []
    for row in rows:
        if row["step"] != steps:
            continue
        example = examples[row["example_id"]]
        base = {**row, **NO_REFERENCE, "rejected": NOTHING, "chosen_finish": "stop", "rejected_finish": "stop"}
        made.append({**base, "chosen": example.answer})
        if example.answer_type != "report":
            report = example.reference.split("Report: ", maxsplit=1)[1]
            findings = _findings(row, candidates)
            question = ASKED["report"][0]
            asked = stored_messages(step_messages(question, findings, step=steps, steps=steps, report=True))
            made.append({**base, "id": f"{row['id']}/report", "prompt": asked, "chosen": report})
    return made


def _findings(row: Row, candidates: Sequence[Row]) -> list[str]:
    return next(list(one["findings"]) for one in candidates if one["id"] == row["chosen_candidate"])


def low_pass(
    rows: Sequence[Row], examples: Mapping[str, Example], candidates: Sequence[Row], steps: int, seed: int
) -> list[Row]:
    """Show every crop at the resolution that the whole image has for the policy."""
    return [
        {**row, **NO_REFERENCE, "side_images": [image_struct(low_passed(i["bytes"])) for i in row["side_images"]]}
        for row in rows
    ]


SCORES: dict[str, Scores] = {"truth": true_scores, "future permuted": future_permuted}
PAIRS: dict[str, Pairs] = {
    "gaps permuted": gaps_permuted,
    "gold": gold,
    "low-pass": low_pass,
}
