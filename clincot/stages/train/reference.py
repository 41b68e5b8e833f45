"""A trainer before its first step -> the reference's log-probabilities of every pair, computed once and kept on disk.

They do not change while a round is trained, so each epoch after the first would compute them again for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from accelerate.utils import gather_object
from datasets import Dataset

from clincot.errors import DataError
from clincot.objectives.packing import MEMBERS, RowsCollator, groups
from clincot.progress import bar
from clincot.records.atomic import write_file
from clincot.stages.train.distributed import processes

LIKELIER = "whose rejected text is likelier than the chosen one"
TOGETHER = 4  # pairs of a question in one row: more share no more of it, and attention grows with the square
Values = dict[str, dict[str, float]]  # by column, then by the id of a row


def keep_reference(trainer: Any, rows: Dataset, folder: Path, key: str, *, always: bool = False) -> Values | None:
    """Let the trainer's batches carry the reference of every pair; return it, None where each step computes it.

    It is computed where training reads pairs more than once, or `always`, and read from `folder` where an earlier job
    with the same `key` left it: that of everything that decides it. Each step computes it where a model is cut over
    processes (it is whole in CPU memory until then), and where rows share an id.
    """
    ids = rows["id"][:]
    if trainer.is_fsdp_enabled or len(set(ids)) < len(ids) or not (always or _repeats(trainer)):
        return None
    path = folder / f"reference-{key[:16]}.parquet"
    world = processes()
    if not path.is_file():
        values = _computed(trainer, rows)
        if world.is_main_process:
            _write(path, ids, values)
        world.wait_for_everyone()
    kept = _read(path)
    collator = trainer.data_collator
    trainer.data_collator = replace(collator, pairs=replace(collator.pairs, kept=kept))
    return kept


def drop_likelier(
    trainer: Any, rows: Dataset, kept: Values | None, dropped: dict[str, int], rule: str
) -> tuple[dict[str, int], Dataset]:
    """Leave out pairs whose rejected text the reference finds likelier, where `rule` is `drop`; return what is left.

    Raises DataError where nothing is left, or where the reference is not known before the first step.
    """
    if rule != "drop":
        return dropped, rows
    if kept is None:
        raise DataError(
            "train.likelier_rejected: the reference of these pairs is known in each step alone (a model cut over"
            " processes, or rows that share an id). Set it to train."
        )
    chosen, rejected = (kept[name] for name in ("ref_chosen_logp", "ref_rejected_logp"))
    left = [place for place, id_ in enumerate(rows["id"][:]) if chosen[id_] >= rejected[id_]]
    if len(left) == len(rows):
        return dropped, rows
    if not left:
        raise DataError(
            f"rows: none of {len(rows)} pairs is left, all are {LIKELIER}. Set train.likelier_rejected=train."
        )
    few = rows.select(left)
    collator = trainer.data_collator
    grouped = collator.source is not None
    trainer.take(groups(few) if grouped else few, replace(collator, source=few if grouped else None))
    return {**dropped, LIKELIER: len(rows) - len(left)}, few


def _repeats(trainer: Any) -> bool:
    """Return whether some pair is in more than one step."""
    given = trainer.args
    if given.max_steps <= 0:
        return bool(given.num_train_epochs > 1)
    batch = given.train_batch_size * given.gradient_accumulation_steps * given.world_size
    return bool(given.max_steps * batch > len(trainer.train_dataset))


def _computed(trainer: Any, rows: Dataset) -> Values:
    """Return the values of all pairs; each process computes every n-th batch."""
    world = processes()
    batches = _batches(trainer, rows)
    own = batches[world.process_index :: world.num_processes]
    collator = RowsCollator(
        trainer.data_collator.pairs, "pair" if trainer.data_collator.layout == "pair" else "group", rows
    )
    found: list[tuple[str, tuple[float, ...]]] = []
    trainer.model.eval()
    with bar("reference, once", len(own), "batches", quiet=not world.is_main_process) as advance:
        for elements in own:
            inputs = trainer._prepare_inputs(collator(elements))
            with trainer.compute_loss_context_manager():
                columns = [column.tolist() for column in trainer.reference(inputs)]
            found += list(zip(inputs["row_ids"], zip(*columns, strict=True), strict=True))
            advance(1)
    everything = gather_object(found)
    return {name: {id_: numbers[place] for id_, numbers in everything} for place, name in enumerate(trainer.REFERENCE)}


def _batches(trainer: Any, rows: Dataset) -> list[list[dict[str, Any]]]:
    """Return batches of groups of pairs of one question, each of about as many pairs as a step has."""
    names = rows.column_names
    by_question = rows.select_columns([name for name in ("example_id",) if name in names] or ["id"])
    by_question = by_question.rename_columns({by_question.column_names[0]: "group"})
    members = [
        some[start : start + TOGETHER]
        for some in groups(by_question)[MEMBERS]
        for start in range(0, len(some), TOGETHER)
    ]
    size = trainer.args.per_device_train_batch_size
    batches: list[list[dict[str, Any]]] = []
    held = size
    for some in members:
        if held + len(some) > size:
            batches.append([])
            held = 0
        batches[-1].append({MEMBERS: some})
        held += len(some)
    return batches


def _write(path: Path, ids: Sequence[str], values: Values) -> None:
    columns: dict[str, Any] = {name: pa.array([of[id_] for id_ in ids], pa.float32()) for name, of in values.items()}
    write_file(path, lambda partial: pq.write_table(pa.table({"id": ids, **columns}), partial))


def _read(path: Path) -> Values:
    table = pq.read_table(path)
    ids = table["id"].to_pylist()
    return {name: dict(zip(ids, table[name].to_pylist(), strict=True)) for name in table.column_names if name != "id"}
