"""What a table asks for -> its jobs: equal data and inference, what each needs before it, refusals before any work."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from clincot.errors import RecipeError
from clincot.runs.tables.lineup import TABLES
from clincot.runs.tables.plan import Asked, Job, plan
from clincot.runs.tables.published import COLUMNS, PRINTED, published


def jobs(asked: Asked) -> dict[str, Job]:
    return {job.name: job for job in plan(asked).jobs}


def test_every_row_has_the_images_and_the_inference_of_clincot() -> None:
    found = jobs(Asked(1, ("base",), 1, ("base", "dpo", "clincot", "sft-matched")))
    images = {name: max(1, job.recipe.rounds) * job.recipe.build.max_images for name, job in found.items()}
    assert images == dict.fromkeys(found, 128)
    asked = {(job.recipe.inference_steps, job.recipe.inference_hypotheses) for job in found.values()}
    assert asked == {(2, 5)}
    assert {job.recipe.evaluate.inference for job in found.values()} == {("direct", "region")}


def test_a_set_of_the_table_leaves_controls_and_ablations_what_they_are() -> None:
    asked = Asked(
        2,
        ("base",),
        1,
        ("clincot", "clincot-nll", "clincot-naive-dpo", "clincot-no-lookahead", "clincot-no-regions"),
        overrides=(
            *("train.dpo.beta=0.2", "train.margin.kind=linear", "methods.clincot.lookahead.gamma=0.7"),
            "train.conditioning=winner",
        ),
    )
    found = {name: job.recipe for name, job in jobs(asked).items()}
    betas = {name: recipe.train.dpo["beta"] for name, recipe in found.items()}
    assert betas["clincot-base-s0"] == betas["clincot-naive-dpo-base-s0"] == 0.2 and betas["clincot-nll-base-s0"] < 1e-5
    assert found["clincot-naive-dpo-base-s0"].train.margin.kind == "none"
    assert found["clincot-no-lookahead-base-s0"].method.config.lookahead.gamma == 0.0
    assert found["clincot-base-s0"].method.config.lookahead.gamma == 0.7
    assert found["clincot-no-regions-base-s0"].train.conditioning == "per_side"


def test_files_that_would_take_another_rows_name_are_refused(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        for name in ("dpo", "base", "mine", "sft-matched", "clincot-no-chain"):
            (tmp_path / folder / f"{name}.yaml").write_text("extends: clincot\nname: sima\n")
    for name in ("dpo", "base", "sft-matched", "clincot-no-chain"):
        with pytest.raises(RecipeError, match=f"another row is called {name}, .* Rename the file"):
            plan(Asked(1, ("base",), 1, ("base", str(tmp_path / "one" / f"{name}.yaml"))))
    both = [str(tmp_path / folder / "mine.yaml") for folder in ("one", "two")]
    with pytest.raises(RecipeError, match="another row is called mine"):
        plan(Asked(1, ("base",), 1, tuple(both)))
    made = plan(Asked(1, ("base",), 1, ("sima", both[0])))
    assert {job.name for job in made.jobs} == {"base-s0", "sima-base-s0", "mine-base-s0"}
    assert [len(made.of(start, row)) for start, row in made.rows] == [1, 1]


def test_rounds_of_the_command_line_are_clincots_and_those_of_a_recipe_stay() -> None:
    asked = Asked(1, ("base",), 1, ("dpo", "clincot", "sft-matched"), overrides=("rounds=3", "build.max_images=10"))
    rounds = {name: (job.recipe.rounds, job.recipe.build.max_images) for name, job in jobs(asked).items()}
    assert rounds == {
        "base-s0": (0, 30),
        "dpo-base-s0": (1, 30),
        "clincot-base-s0": (3, 10),
        "sft-matched-base-s0": (0, 30),
    }


def test_jobs_come_after_what_they_need_and_rows_of_one_recipe_share_a_job() -> None:
    order = list(jobs(Asked(1, ("sft",), 1, ("sft-matched",))))
    assert order == ["base-s0", "sft-sft-s0", "clincot-sft-s0", "sft-matched-sft-s0"]
    rows = ("clincot", "asked-directly", "round-1")
    assert list(jobs(Asked(2, ("base",), 2, rows))) == ["base-s0", "clincot-base-s0", "clincot-base-s1"]
    assert list(jobs(Asked(1, ("base",), 3, ("base",)))) == ["base-s0"]  # nothing is drawn of the base


def test_rows_start_from_one_adapter_but_those_that_train_the_projector_from_one_that_trained_it_too() -> None:
    found = jobs(Asked(1, ("sft",), 1, ("dpo", "dpo-frozen", "clincot", "self-rewarding")))
    starts = {name: job.from_sft.name if job.from_sft else "" for name, job in found.items()}
    assert starts == {
        "base-s0": "",
        "dpo-sft-s0": "",
        "sft-sft-s0": "",
        "self-rewarding-sft-s0": "sft-sft-s0",
        "clincot-sft-s0": "sft-sft-s0",
        "dpo-frozen-sft-s0": "sft-sft-s0",
    }
    assert found["dpo-sft-s0"].recipe.train.projector_lr > 0 and found["dpo-sft-s0"].recipe.train.start == "sft"


def test_a_key_changes_with_what_decides_numbers_and_with_what_the_job_starts_from() -> None:
    asked = Asked(1, ("sft",), 1, ("dpo-frozen",))
    first = jobs(asked)["dpo-frozen-sft-s0"].key

    def other(override: str) -> str:
        return jobs(dataclasses.replace(asked, overrides=(override,)))["dpo-frozen-sft-s0"].key

    assert first == other("train.guard_chosen=0")  # a default that is written out, as a field that a version adds
    assert first != other("train.guard_chosen=1") and first != other("models.judges=[{repo: a/b}]")
    assert first != other("train.dpo.beta=0.2") and first != other("train.sft.num_train_epochs=1")
    assert first == other("evaluate.batch_size=7") == jobs(asked)["dpo-frozen-sft-s0"].key


def test_all_rows_of_both_tables_are_planned_in_the_phantom_setting() -> None:
    for number in (1, 2):
        found = plan(Asked(number))
        outside = {row.name for row in TABLES[number] if row.outside}
        assert set(found.left_out) == outside == ({"mmedpo-released"} if number == 1 else set())
        assert {row.name for _, row in found.rows} == {row.name for row in TABLES[number]} - outside
        assert all(found.of(start, row) for start, row in found.rows)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (Asked(3), "the paper's tables are 1 and 2"),
        (Asked(1, rows=("clincott",)), "--rows clincott: is no row of Table 1 and no recipe. Did you mean 'clincot'?"),
        (Asked(1, rows=("mine.yaml",)), "is no row of Table 1"),
        (Asked(1, seeds=0), "--seeds 0"),
        (Asked(1, rows=("sft",), starts=("base",)), "no row is left"),
        (Asked(1, rows=("clincot",), overrides=("models.judges=[]",)), "models.judges"),
        (Asked(1, rows=("povid",), overrides=("models.editor={kind: ''}",)), r"models.editor: none is named.*rules"),
    ],
)
def test_what_cannot_be_made_is_refused_by_name(asked: Asked, says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        plan(asked)


def test_a_row_that_nobody_named_is_left_out_with_the_role_that_it_lacks() -> None:
    found = plan(Asked(1, ("base",), overrides=("models.editor={kind: ''}",)))
    lacking = {name for name, why in found.left_out.items() if "models.editor" in why}
    assert lacking == {"dpo", "povid", "povid-stage-2", "mmedpo"} and "models.editor" in found.left_out["povid"]
    assert "clincot" in {row.name for _, row in found.rows}


def test_rows_that_need_files_from_outside_are_left_out_with_what_is_published_also_where_they_are_named() -> None:
    named = ("base", "mmedpo-released")
    found = plan(Asked(1, ("base", "sft"), 1, named, benchmark="vqa-rad"))
    assert [job.name for job in found.jobs] == ["base-s0"]
    assert found.left_out["mmedpo-released"].endswith("Published: 32.42 / 69.85.")
    assert "Published" not in plan(Asked(1, ("base",))).left_out["mmedpo-released"]
    with pytest.raises(RecipeError, match="no row is left. needs the files of aiming-lab/MMedPO"):
        plan(Asked(1, ("base",), 1, ("mmedpo-released",)))


def test_stage_2_comes_after_stage_1_from_the_same_start_and_its_key_holds_that_of_stage_1() -> None:
    asked = Asked(1, ("base", "sft"), 1, ("base", "povid-stage-2"))
    found = jobs(asked)
    assert list(found) == ["base-s0", "povid-base-s0", "povid-stage-2-base-s0", "povid-sft-s0", "povid-stage-2-sft-s0"]
    second = found["povid-stage-2-sft-s0"]
    assert second.recipe.train.start == "base" and second.from_sft is None  # the merged model has learnt it
    assert [one.name for one in second.after] == ["povid-sft-s0"]
    other = jobs(dataclasses.replace(asked, tuned=(("povid-sft", ("train.dpo.beta=0.7",)),)))["povid-stage-2-sft-s0"]
    assert other.recipe == second.recipe and other.key != second.key


def test_stage_2_from_a_merged_model_is_a_row_of_a_file_and_the_base_stays(tmp_path: Path) -> None:
    file = tmp_path / "povid-2.yaml"
    file.write_text("extends: povid-stage-2\nname: povid-2\nalways: {models: {policy: {repo: demo/povid-1-merged}}}\n")
    found = jobs(Asked(1, ("base",), 1, ("base", str(file))))
    policies = {name: job.recipe.models.policy.repo for name, job in found.items()}
    assert policies == {"base-s0": "clincot/phantom-policy", "povid-2-base-s0": "demo/povid-1-merged"}
    assert found["povid-2-base-s0"].recipe.train.objective == "povid_noise"


def test_a_recipe_of_the_package_is_a_row_too() -> None:
    assert list(jobs(Asked(1, ("base",), 1, ("uv-cot",)))) == ["base-s0", "uv-cot-base-s0"]


def test_published_rows_have_seven_numbers_and_every_printed_row_of_the_lineup_is_known() -> None:
    assert {len(numbers) for rows in PRINTED.values() for numbers in rows.values()} == {sum(map(len, COLUMNS.values()))}
    for (number, start), rows in PRINTED.items():
        ours = {row.printed for row in TABLES[number] if start in row.starts} - {""}
        assert set(rows) <= ours, (number, start)
    assert published(1, "sft", "+ ClinCoT", "iu-xray", "meteor") == 36.59
    assert published(2, "base", "w/o [name lost]", "slake", "open_recall") == 46.53
    assert published(1, "base", "+ DPO", "phantom", "open_recall") is None
