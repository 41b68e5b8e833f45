"""A file of answers made elsewhere: scored under every protocol beside the controls, or refused by line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sealed import MARK
from sealed_run import SealedRun

from clincot import benchmarks
from clincot.errors import DataError
from clincot.hub import connect
from clincot.phantom.dataset import phantom_files
from clincot.protocols import PROTOCOLS
from clincot.recipe import load_recipe
from clincot.records import Example
from clincot.runs.evaluation.controls import LocalResults
from clincot.runs.evaluation.evaluate import Splits
from clincot.runs.evaluation.foreign import evaluate_file
from clincot.runs.run import Run, open_run
from clincot.stages.evaluate.results import Result


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A run on four drawn test images; no model is on its Hub, so nothing can be generated."""
    folder = tmp_path_factory.mktemp("foreign")
    with connect(f"local:{folder / 'hub'}", main=False) as hub:
        files = phantom_files(folder / "drawn", seed=3, train=4, validation=1, test=4)
        hub.publish("dataset", "clincot/phantom", files, tag=None, message="Drawn", private=False)
    recipe = load_recipe("clincot", "phantom", overrides=["evaluate.resamples=20", "evaluate.max_images=2"])
    run = open_run(recipe, name="foreign", hub=f"local:{folder / 'hub'}", folder=folder / "runs")
    yield run
    run.store.close()
    run.target.close()


@pytest.fixture(scope="module")
def asked(run: Run) -> list[Example]:
    source = benchmarks.load("phantom").source
    return Splits(run, run.target.resolve("dataset", source.repo, source.revision)).asked


def jsonl(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def right(examples: list[Example]) -> list[dict[str, Any]]:
    return [{"example_id": example.id, "text": example.answer} for example in examples]


def value(found: LocalResults, policy: str, metric: str = "closed_accuracy", protocol: str = "clincot-v2") -> Result:
    wanted = (policy, metric, protocol, "")
    return next(r for r in found.evaluation.results if (r.policy, r.metric, r.protocol, r.by) == wanted)


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_one_file_is_scored_under_every_protocol_beside_the_controls(
    format: str, run: Run, asked: list[Example], tmp_path: Path
) -> None:
    path = tmp_path / f"mine.{format}"
    if format == "jsonl":
        jsonl(path, right(asked))
    else:
        pq.write_table(pa.Table.from_pylist(right(asked)), path)
    found = evaluate_file(run, path)
    assert {result.protocol for result in found.evaluation.results} == PROTOCOLS.keys()
    assert value(found, "mine").value == value(found, "mine", protocol="medevalkit-v2").value == 1.0
    assert value(found, "mine", "accuracy").n == sum(example.answer_type != "report" for example in asked)
    assert {"question_prior", "constant_template"} == {c.against for c in found.evaluation.comparisons}
    assert found.evaluation.contamination == {"mine": None}
    assert "closed accuracy" in (found.folder / "results.md").read_text()
    assert "Contamination of mine: unknown" in (found.folder / "results.html").read_text()


def test_image_tokens_and_newlines_are_no_words_of_an_answer(run: Run, asked: list[Example], tmp_path: Path) -> None:
    lines = [line | {"text": f"<image>\n{line['text']}\n"} for line in right(asked)]
    found = evaluate_file(run, jsonl(tmp_path / "mine.jsonl", lines))
    assert value(found, "mine", "accuracy").value == 1.0


def test_rows_of_a_file_are_told_by_their_columns_and_its_controls_compared(
    run: Run, asked: list[Example], tmp_path: Path
) -> None:
    first = [e for e in asked if e.image_id in list(dict.fromkeys(e.image_id for e in asked))[:2]]
    dark = [line | {"text": "neither", "control": "black_image"} for line in right(first)]
    lines = [line | {"policy": "ours", "inference": "direct"} for line in (*right(first), *dark)]
    prior = [line | {"control": "question_prior"} for line in right(first)]  # made anew, not believed
    found = evaluate_file(run, jsonl(tmp_path / "p.jsonl", lines + prior))
    assert value(found, "ours").value == 1.0 and value(found, "").value < 1.0
    (minus,) = [
        c
        for c in found.evaluation.comparisons
        if (c.protocol, c.metric, c.against) == ("clincot-v2", "closed_accuracy", "black_image")
    ]
    assert minus.value == 1.0 and not minus.undecided


def damaged(asked: list[Example]) -> dict[str, list[dict[str, Any]]]:
    lines = right(asked)
    first, *rest = lines
    return {
        r"line 1: lacks example_id": [{"text": "yes"}],
        r"line \d+: answers '.*' a second time": [*lines, first],
        r"'elsewhere/1' is no question of phantom test at \w{12}": [*lines, {"example_id": "elsewhere/1", "text": "a"}],
        r"\['a', 'list'\] is no question of phantom test": [*lines, {"example_id": ["a", "list"], "text": "a"}],
        r"leaves 1 of \d+ questions of phantom test unanswered": rest,
        r"is nan, no text": [first | {"text": float("nan")}, *rest],
        r"is 4, no text": [first | {"text": 4}, *rest],
        r"is None, no text": [first | {"text": None}, *rest],
        r"its question is 'Which\?'.*another revision": [first | {"question": "Which?"}, *rest],
        r"its revision is '0000.*another revision": [first | {"revision": "0" * 40}, *rest],
        r"the box \[1, 2\] is not a box": [first | {"box": [1, 2]}, *rest],
        r"holds no answers of a policy": [],
    }


@pytest.mark.parametrize("which", range(12))
def test_what_cannot_be_scored_is_named_by_line(which: int, run: Run, asked: list[Example], tmp_path: Path) -> None:
    message, lines = list(damaged(asked).items())[which]
    with pytest.raises(DataError, match=message):
        evaluate_file(run, jsonl(tmp_path / "p.jsonl", lines))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.txt", b"example_id,text\n", "no .parquet, .jsonl, .json, .csv file"),
        ("p.parquet", b"PAR1", "cannot be read as parquet"),
        ("p.jsonl", b'{"example_id": \n', "p.jsonl, line 1: is no JSON"),
        ("p.jsonl", b"\xff\xfe\n", "p.jsonl, line 1: is no UTF-8 .it looks like UTF-16"),
        ("p.jsonl", b"[1]\n", "line 1: is no object"),
    ],
)
def test_a_file_of_another_format_is_refused(name: str, content: bytes, message: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        evaluate_file(run, tmp_path / name)
    with pytest.raises(DataError, match="no such file"):
        evaluate_file(run, tmp_path / "absent.jsonl")


def test_a_parquet_file_with_a_damaged_page_is_refused(run: Run, asked: list[Example], tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    pq.write_table(pa.Table.from_pylist(right(asked)), path)
    whole = path.read_bytes()
    path.write_bytes(whole[:40] + b"\xff" * 40 + whole[80:])
    with pytest.raises(DataError, match="p.parquet: cannot be read as parquet"):
        evaluate_file(run, path)


def test_a_hypothesis_that_is_no_text_is_read_as_one(run: Run, asked: list[Example], tmp_path: Path) -> None:
    lines = [line | {"hypothesis": 7, "box": [0, 0, 9, 9], "inference": "region"} for line in right(asked)]
    found = evaluate_file(run, jsonl(tmp_path / "p.jsonl", lines))
    assert found.evaluation.predictions[0].hypothesis == "7"


def test_predictions_that_were_pushed_are_scored_again_with_the_same_values(sealed: SealedRun) -> None:
    pushed = sealed.results.pushed
    assert pushed is not None
    folder = sealed.run.target.snapshot(pushed, ["round-1-predictions/*.parquet"])
    (path,) = (folder / "round-1-predictions").glob("*.parquet")
    assert MARK not in str(pq.read_table(path).to_pylist())  # pointers stand where a reference text stood
    found = evaluate_file(sealed.run, path).evaluation
    stored = json.loads((sealed.run.folder / "round-1" / "results" / "results.json").read_text())
    expected = {
        (r["protocol"], r["metric"], r["policy"], r["inference"], r["control"]): r["value"]
        for r in stored["results"]
        if not r["by"] and r["value"] is not None
    }
    again = {
        (r.protocol, r.metric, r.policy, r.inference, r.control): r.value
        for r in found.results
        if not r.by and r.value == r.value
    }
    assert expected and again == pytest.approx(expected)
