"""The evaluation stage: values, controls, what is stored, what a killed run keeps, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from datasets import load_dataset

from clincot.engines.transformers import TransformersEngine
from clincot.errors import ClincotError, DataError
from clincot.lm import parking
from clincot.lm.parking import Spot
from clincot.lm.requests import Completion, GenerateRequest
from clincot.protocols import PROTOCOLS
from clincot.regions.query_grounder import QueryGrounder, QueryGrounderConfig, QueryGrounderModel
from clincot.stages.evaluate import Evaluation, PolicyUnderTest, evaluate_policies
from clincot.stages.evaluate.controls import shuffled
from clincot.stages.evaluate.files import facts, result_files
from clincot.stages.evaluate.tables import markdown, titled_grids
from tests.lamps import LampEngine, LampProposer, examples, recipe
from tests.tiny import tiny_policy


def policy(engine: LampEngine, name: str = "base") -> PolicyUnderTest:
    return PolicyUnderTest(name, f"key of {name}", lambda: engine)


def run(folder: Path, engine: LampEngine | None = None, *overrides: str) -> Evaluation:
    asked = examples()
    return evaluate_policies(recipe(*overrides), asked, asked, [policy(engine or LampEngine())], LampProposer, folder)


def value(evaluation: Evaluation, metric: str, inference: str, control: str = "", subgroup: str = "") -> float:
    wanted = (metric, inference, control, subgroup)
    return next(r.value for r in evaluation.results if (r.metric, r.inference, r.control, r.subgroup) == wanted)


def must_not_load() -> LampEngine:
    raise AssertionError("nothing was left to generate")


def test_looking_at_the_region_beats_the_global_image_and_the_controls(tmp_path: Path) -> None:
    evaluation = run(tmp_path)
    assert value(evaluation, "closed_accuracy", "region") == 1.0
    assert value(evaluation, "closed_accuracy", "direct") == pytest.approx(2 / 6)
    assert value(evaluation, "closed_accuracy", "region", "black_image") == pytest.approx(2 / 6)
    assert value(evaluation, "closed_accuracy", "", "question_prior") == pytest.approx(4 / 6)
    assert value(evaluation, "open_recall", "region") == value(evaluation, "open_recall", "direct") == 1.0
    assert value(evaluation, "accuracy", "direct", subgroup="closed") == pytest.approx(2 / 6)
    assert value(evaluation, "bleu_mean", "region") > value(evaluation, "bleu_mean", "region", "black_image")
    # Images without a lamp have a constant map: no region, answered directly and counted.
    assert list(evaluation.without_region.values()) == [6, 6, 6]


def test_differences_are_paired_and_marked_when_they_include_zero(tmp_path: Path) -> None:
    evaluation = run(tmp_path)
    found = {
        (c.metric, c.inference): c
        for c in evaluation.comparisons
        if c.against == "black_image" and c.protocol == "clincot-v2"
    }
    assert found["closed_accuracy", "direct"].value == 0.0
    assert found["closed_accuracy", "direct"].undecided
    assert not found["closed_accuracy", "region"].undecided
    assert "33.3" in markdown(evaluation)
    assert "°" in markdown(evaluation).split("## Differences")[0].split("base · direct")[1].splitlines()[0]


def test_shuffled_images_answer_each_question_about_another_image(tmp_path: Path) -> None:
    evaluation = run(tmp_path)
    asked = {e.id: e for e in examples()}
    shown = shuffled(examples(), 0)
    rows = [p for p in evaluation.predictions if p.control == "shuffled_images" and p.inference == "region"]
    assert [p.image_id for p in rows] == [asked[p.example_id].image_id for p in rows]
    lit = {e.image_id: e.answer for e in examples() if e.answer_type == "closed"}
    for p in rows:
        if p.example_id.endswith("closed"):
            # The chain looks at the region of the image that is shown, and so answers what is true of that one.
            assert p.text.startswith("Yes") == (lit[shown[p.image_id].image_id] == "Yes")
    assert {c.against for c in evaluation.comparisons} == {
        "black_image",
        "shuffled_images",
        "question_prior",
        "constant_template",
    }


def test_a_single_image_has_no_row_of_shuffled_images_and_says_so(tmp_path: Path) -> None:
    evaluation = run(tmp_path, None, "evaluate.max_images=1")
    assert "shuffled_images" not in {r.control for r in evaluation.results}
    assert "No row of shuffled images" in markdown(evaluation)


def test_images_that_a_policy_was_trained_on_are_counted_and_named(tmp_path: Path) -> None:
    asked = examples()
    first, second = (asked[i].image_id for i in (0, 3))
    policies = [
        policy(LampEngine()),
        PolicyUnderTest("round-1", "1", LampEngine, frozenset({first, "elsewhere"})),
        PolicyUnderTest("round-2", "2", LampEngine, frozenset({first, second})),
        PolicyUnderTest("round-3", "3", LampEngine, None),
    ]
    evaluation = evaluate_policies(recipe(), asked, asked, policies, LampProposer, tmp_path)
    known = facts(evaluation)["contamination"]
    assert known["base"]["images"] == 0 and known["round-3"] is None
    assert known["round-1"] == {"images": 1, "of": 6, "questions": 3, "ids": [first]}
    assert known["round-2"]["ids"] == sorted([first, second])
    said = markdown(evaluation)
    assert f"Contamination: round-1 was trained on 1 of 6 test images (3 questions): {first}." in said
    assert "Contamination of round-3: unknown" in said and "Contamination: base" not in said


def test_a_protocol_with_its_own_prompt_asks_so_and_others_are_scored_under(tmp_path: Path) -> None:
    seen: list[GenerateRequest] = []

    class Watching(LampEngine):
        def generate(self, requests: Sequence[GenerateRequest]) -> list[Completion]:
            seen.extend(requests)
            return super().generate(requests)

    ours = run(tmp_path)
    theirs = run(tmp_path, Watching(), "evaluate.protocol=lmms-eval-v2")
    texts = [request.messages[0]["content"][-1]["text"] for request in seen]
    # Region answers do not depend on a foreign prompt and are not generated again.
    assert seen and all(len(request.images) == 1 for request in seen)
    closed = "Is there a nodule?\nAnswer the question using a single word or phrase."
    assert closed in texts and "Describe the picture." in texts
    lengths = {request.max_new_tokens for text, request in zip(texts, seen, strict=True) if text == closed}
    assert lengths == {32}
    assert "# test" not in markdown(theirs)
    assert markdown(theirs).startswith("# phantom test, protocol lmms-eval-v2\n")
    assert "protocol clincot-v2 (scored under; asked as lmms-eval-v2)" in markdown(theirs)
    assert "protocol lmms-eval-v2 (scored under; asked as clincot-v2)" in markdown(ours)
    assert facts(theirs)["as_asked"]["paper-v2"] is True  # it prescribes no prompt


def test_newlines_pipes_and_image_tokens_in_an_answer_change_no_score_and_break_no_table(tmp_path: Path) -> None:
    class Chatty(LampEngine):
        def generate(self, requests: Sequence[GenerateRequest]) -> list[Completion]:
            plain = super().generate(requests)
            return [replace(c, text=f"<image>\n{c.text}\n") for c in plain]

    evaluation, plain = run(tmp_path / "chatty", Chatty()), run(tmp_path / "plain")
    keys = [(r.protocol, r.metric, r.row, r.subgroup) for r in plain.results if r.protocol == "clincot-v2"]
    values = {(r.protocol, r.metric, r.row, r.subgroup): r.value for r in evaluation.results}
    assert [values[key] for key in keys] == [r.value for r in plain.results if r.protocol == "clincot-v2"]
    assert all(line.endswith("|") for line in markdown(evaluation).splitlines() if line.startswith("|"))


def test_two_policies_are_compared_and_the_same_answers_do_not_differ(tmp_path: Path) -> None:
    asked = examples()
    policies = [policy(LampEngine()), policy(LampEngine(), "round-1")]
    evaluation = evaluate_policies(recipe(), asked, asked, policies, LampProposer, tmp_path)
    against_base = [c for c in evaluation.comparisons if c.against == "base"]
    assert {c.policy for c in against_base} == {"round-1"}
    assert all(c.value == c.low == c.high == 0.0 for c in against_base)


def test_a_second_evaluation_generates_nothing_and_loads_nothing(tmp_path: Path) -> None:
    first = run(tmp_path)
    asked = examples()
    again = evaluate_policies(
        recipe(), asked, asked, [PolicyUnderTest("base", "key of base", must_not_load)], must_not_load, tmp_path
    )
    assert again == first


@pytest.mark.parametrize("stop_after", [30, *(pytest.param(n, marks=pytest.mark.long) for n in (1, 60))])
def test_a_killed_evaluation_continues_and_gives_the_same(tmp_path: Path, stop_after: int) -> None:
    whole = LampEngine()
    expected = run(tmp_path / "whole", whole)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "killed", LampEngine(stop_after=stop_after))
    rest = LampEngine()
    assert run(tmp_path / "killed", rest) == expected
    assert rest.generated <= whole.generated
    assert stop_after == 1 or rest.generated < whole.generated
    assert not list((tmp_path / "killed").rglob("*partial"))


@pytest.mark.parametrize(
    "change",
    ["evaluate.max_new_tokens=7", "method.steps=1", "build.regions.threshold=1.5", "another key"],
)
def test_another_setting_or_policy_does_not_reuse_answers(tmp_path: Path, change: str) -> None:
    run(tmp_path)
    engine = LampEngine()
    if "=" in change:
        run(tmp_path, engine, change)
    else:
        asked = examples()
        evaluate_policies(
            recipe(), asked, asked, [PolicyUnderTest("base", change, lambda: engine)], LampProposer, tmp_path
        )
    assert engine.generated > 0


def test_an_unreadable_image_is_left_out_counted_and_named(tmp_path: Path) -> None:
    asked = [replace(e, image=b"broken", image_id="bad") if e.id.startswith("lamps/1/") else e for e in examples()]
    evaluation = evaluate_policies(recipe(), asked, asked, [policy(LampEngine())], LampProposer, tmp_path)
    assert list(evaluation.unreadable) == ["bad"]
    counts = {r.row.control: r.n for r in evaluation.results if r.metric == "closed_accuracy"}
    # The image that should have stood in for another cannot be shown either: one question fewer under that control.
    assert counts == {"": 5, "black_image": 5, "shuffled_images": 4, "question_prior": 5}
    assert {c.n for c in evaluation.comparisons if c.metric == "closed_accuracy"} == {4, 5}
    assert "Left out, image unreadable (1): bad" in markdown(evaluation)
    again = evaluate_policies(
        recipe(), asked, asked, [PolicyUnderTest("base", "key of base", must_not_load)], must_not_load, tmp_path
    )
    assert again.unreadable == evaluation.unreadable


class Short(LampEngine):
    """Has no room for the first question about the lamps of image 1."""

    def generate(self, requests: Sequence[GenerateRequest]) -> list[Completion]:
        odd = next(e.question for e in examples() if e.id.startswith("lamps/1/"))
        written = super().generate(requests)
        failed = Completion("", 0.0, 0, "failed", failure="too long for the policy")
        return [failed if odd in str(r.messages) else text for r, text in zip(requests, written, strict=True)]


def test_a_question_that_is_too_long_counts_as_an_empty_answer_and_is_named(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole")
    evaluation = run(tmp_path / "short", Short())
    odd = next(e for e in examples() if e.id.startswith("lamps/1/"))
    assert set(evaluation.unanswered) == {e.id for e in examples() if e.question == odd.question}
    texts = {
        p.text for p in evaluation.predictions if p.example_id in evaluation.unanswered and p.policy and p.inference
    }
    assert texts == {""} and len(evaluation.predictions) == len(whole.predictions)
    assert value(evaluation, "closed_accuracy", "region") < value(whole, "closed_accuracy", "region")
    assert f"Empty answers ({len(evaluation.unanswered)}, too long for the policy): " in markdown(evaluation)
    assert not whole.unanswered
    assert run(tmp_path / "short", Short()).unanswered == evaluation.unanswered  # read again from the parts


def test_an_unreadable_image_is_named_as_its_benchmark_names_it(tmp_path: Path) -> None:
    asked = [
        replace(e, image=b"broken", image_id="6d7e", image_name="xmlab1/source.jpg") if "/1/" in e.id else e
        for e in examples()
    ]
    evaluation = evaluate_policies(recipe(), asked, asked, [policy(LampEngine())], LampProposer, tmp_path)
    (problem,) = evaluation.unreadable.values()
    assert list(evaluation.unreadable) == ["xmlab1/source.jpg"] and problem.startswith("xmlab1/source.jpg: cannot be")
    assert "Left out, image unreadable (1): xmlab1/source.jpg" in markdown(evaluation)


def test_what_cannot_be_evaluated_is_refused_with_what_to_do(tmp_path: Path) -> None:
    asked = examples()
    refused: dict[str, Callable[[], Evaluation]] = {
        "has no examples": lambda: evaluate_policies(recipe(), [], asked, [], LampProposer, tmp_path),
        "occurs twice": lambda: evaluate_policies(recipe(), asked + asked[:1], asked, [], LampProposer, tmp_path),
        "no train examples": lambda: evaluate_policies(recipe(), asked, [], [], LampProposer, tmp_path),
        "is not a protocol. Did you mean 'clincot-v2'": lambda: run(tmp_path, None, "evaluate.protocol=clincot-v9"),
    }
    for message, act in refused.items():
        with pytest.raises(ClincotError, match=message.replace(".", r"\.")):
            act()
    with pytest.raises(DataError, match="no image can be read"):
        broken = [replace(e, image=b"broken") for e in asked]
        evaluate_policies(recipe(), broken, asked, [policy(LampEngine())], LampProposer, tmp_path)


def test_max_images_keeps_the_first_images_with_all_their_questions(tmp_path: Path) -> None:
    evaluation = run(tmp_path, None, "evaluate.max_images=2")
    assert {p.example_id.split("/")[1] for p in evaluation.predictions} == {"0", "1"}
    assert {r.n for r in evaluation.results if r.metric == "accuracy" and not r.subgroup} == {4}


def test_the_files_of_a_push_hold_results_table_and_loadable_predictions(tmp_path: Path) -> None:
    evaluation = run(tmp_path / "run")
    files = result_files(evaluation, tmp_path / "out")
    assert sorted(files) == ["predictions/test-00000-of-00001.parquet", "results.json", "results.md"]
    stored = json.loads(files["results.json"].read_text())
    assert {r["protocol"] for r in stored["results"]} == set(PROTOCOLS)
    rows = load_dataset("parquet", data_files=str(files["predictions/test-00000-of-00001.parquet"]), split="train")
    assert len(rows) == len(evaluation.predictions) == 18 * 7 + 6  # the template answers reports alone
    assert rows[0]["example_id"] == evaluation.predictions[0].example_id
    assert "question prior" in files["results.md"].read_text()
    assert [len(lines) for _, (_, lines) in titled_grids(evaluation)] == [8, 7]  # accuracy does not count reports


@pytest.mark.long
def test_the_real_engine_and_grounder_answer_alike_in_groups_and_one_by_one(tmp_path: Path) -> None:
    base = tiny_policy(tmp_path / "policy")
    config = QueryGrounderConfig(entities=["nodule", "effusion"], image_size=32, stage_widths=(8, 8, 8))
    proposer = QueryGrounder(QueryGrounderModel(config), "tiny", "tiny")

    def texts(folder: str, batch: int, images: int) -> list[tuple[str, ...]]:
        engine = TransformersEngine.from_pretrained(base, batch_size=batch)
        evaluation = evaluate_policies(
            recipe("evaluate.max_new_tokens=6", f"build.shard_images={images}", "evaluate.max_images=3"),
            examples(),
            examples(),
            [PolicyUnderTest("base", "tiny", lambda: engine)],
            lambda: proposer,
            tmp_path / folder,
        )
        return [(p.example_id, p.inference, p.control, p.text, *p.findings) for p in evaluation.predictions]

    together, alone = texts("together", 16, 3), texts("alone", 1, 1)
    assert sorted(together) == sorted(alone)
    assert len({text for _, inference, _, text, *_ in together if inference}) > 1


def test_the_engine_forgets_the_images_of_the_group_before(tmp_path: Path) -> None:
    engine = LampEngine()
    run(tmp_path, engine)
    assert engine.forgotten == 6  # six images, two per group; a group's own images, then those shown in their place


def test_the_proposer_looks_before_a_policy_loads_where_models_take_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []

    class Looking(LampProposer):
        weights = torch.nn.Linear(1, 1)

        def heat_maps(self, subjects, hypotheses):  # type: ignore[no-untyped-def]
            order.append("look")
            return super().heat_maps(subjects, hypotheses)

    class Placed(Spot):
        def park(self) -> None:
            order.append("park")

    def loaded() -> LampEngine:
        order.append("load")
        return LampEngine()

    def answered(folder: Path, *overrides: str) -> Evaluation:
        order.clear()
        under_test = [PolicyUnderTest(name, name, loaded) for name in ("base", "round-1")]
        return evaluate_policies(
            recipe("build.shard_images=2", *overrides), examples(), examples(), under_test, Looking, folder
        )

    monkeypatch.setattr(parking, "spot_of", lambda weights: Placed(weights, torch.device("cpu", 0)))
    every = answered(tmp_path / "all")
    assert order[:2] == ["look", "load"] and "park" not in order
    turns = answered(tmp_path / "one", "models.resident=one")
    looks = order.index("park")
    assert order == ["look"] * looks + ["park", "load", "load"] and looks > 1
    assert turns.results == every.results and turns.predictions == every.predictions
    answered(tmp_path / "one", "models.resident=one")
    assert order == []
