"""Results of a table -> the notes below it and its appendix: settings, cost, what the models were trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clincot.report.table.values import Appendix
from clincot.runs.roles import sources_of
from clincot.runs.tables.code import code_key
from clincot.runs.tables.plan import Plan
from clincot.runs.tables.stored import Stored
from clincot.runs.tables.trained_on import TRAINED_ON

UNKNOWN = ("not stated here", "read its card")
SHORT = ("learning_rate", "num_train_epochs", "per_device_train_batch_size", "beta")


def notes_of(plan: Plan, results: Sequence[Stored], *, printed: bool) -> tuple[str, ...]:
    """Return what a reader must know of the table."""
    notes = [
        "Every row: as many training images as all rounds of ClinCoT together, and ClinCoT's inference with regions."
        " Rows that start after SFT start from one adapter per seed, those that train the projector from one that has"
        " trained it on the same answers.",
        '"-style" and "(reconstruction)": closed models or unpublished parts were replaced (recipes/README.md).',
    ]
    if printed:
        notes.append(
            "paper: what arXiv 2603.01124 prints for this row, of other models, data and training than ours: for"
            " reading, not for comparison."
        )
    notes += [f"{row.title}: {row.note}." for row in dict.fromkeys(row for _, row in plan.rows) if row.note]
    other = sorted({one.name for one in results if one.code != code_key()})
    if other:
        notes.append(f"Made by another version of the code: {', '.join(other)}. `--again` makes them with this one.")
    elsewhere = sorted(f"{one.name} ({one.origin})" for one in results if one.origin)
    if elsewhere:
        notes.append(f"Imported: {', '.join(elsewhere)}.")
    seen = sorted({one.name for one in results if (one.facts[one.last].seen or 0) > 0})
    unknown = sorted({one.name for one in results if one.facts[one.last].seen is None})
    if seen:
        notes.append(f"Contaminated: {', '.join(seen)} trained on images of the test split.")
    if unknown:
        notes.append(f"Whether they were trained on images of the test split is not known: {', '.join(unknown)}.")
    return tuple(notes)


def appendix_of(plan: Plan, results: Sequence[Stored]) -> Appendix:
    """Return settings by row, cost by result, and the models with what is known of their training data."""
    firsts = {one.unit: one for one in reversed(results)}
    there = {one.unit for one in results if not one.origin}
    sources = [[*sources_of(j.recipe).values(), j.recipe.models.proposer] for j in plan.jobs if j.unit in there]
    repos = dict.fromkeys(source.repo for some in sources for source in some if source.repo)
    repos |= dict.fromkeys(str(repo) for one in results if one.origin for repo in one.notes.get("models", ()) if repo)
    return Appendix(
        settings=tuple((unit, *_settings(one.notes)) for unit, one in reversed(firsts.items()) if unit != "base"),
        costs=tuple((one.name, *_time(one.notes), one.code, one.origin or "here") for one in results),
        trained_on=tuple((repo, *TRAINED_ON.get(repo, UNKNOWN)) for repo in repos),
    )


def _time(notes: Mapping[str, Any]) -> tuple[str, str]:
    """Return seconds and CPU seconds of the command that ended a result; what an earlier one did is not counted."""
    return f"{notes.get('seconds', 0):,}", f"{notes.get('cpu_seconds', 0):,}"


def _settings(notes: Mapping[str, Any]) -> tuple[str, str]:
    """Return a row's method with its numbers, and how it was trained."""
    method = dict(notes.get("method", {}))
    numbers = ", ".join(f"{name} {value}" for name, value in method.items() if name != "name")
    train = notes.get("train", {})
    which = "dpo" if notes.get("rounds") else "sft"
    own = {name: value for name, value in train.get(which, {}).items() if name in SHORT}
    more = (
        {name: value for name, value in train.items() if name not in ("dpo", "sft", "lora")} if which == "dpo" else {}
    )
    lora = {f"lora {name}": value for name, value in train.get("lora", {}).items()}
    said = {"rounds": notes.get("rounds"), "images a round": notes.get("images"), **own, **more, **lora}
    return f"{method.get('name', '')} ({numbers})", ", ".join(f"{name} {value}" for name, value in said.items())
