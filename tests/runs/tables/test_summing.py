"""Hand-made results -> the table: values, intervals and differences known by hand, published numbers, every format."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len

from clincot.errors import DataError
from clincot.report.table.csv_text import csv_text
from clincot.report.table.grids import negative_lines
from clincot.report.table.latex import escaped, latex, tabular
from clincot.report.table.markdown import markdown
from clincot.report.table.page import table_page
from clincot.report.table.screen import screen_lines
from clincot.report.table.values import BASE, NAIVE, REGIONS, Cell, Line, PaperTable
from clincot.runs.tables import stored
from clincot.runs.tables.code import code_key
from clincot.runs.tables.grids import PAPER
from clincot.runs.tables.plan import Asked, Plan, plan, with_seed
from clincot.runs.tables.stored import Facts, Stored
from clincot.runs.tables.summing import summed
from clincot.runs.tables.table import import_results, present

IMAGES = tuple(f"{i:016x}" for i in range(20))
OPEN, CLOSED = f"{PAPER}/open_recall", f"{PAPER}/closed_accuracy"


def share(right: float) -> np.ndarray:
    return np.array([[10 * right, 10.0]] * len(IMAGES))


def result(unit: str, seed: int, direct: float, region: float, benchmark: str = "vqa-rad", **more: object) -> Stored:
    """Closed accuracies by way of asking; open recall is half of each, without the last two images."""
    last = "base" if unit == "base" else "round-1"

    def both(right: float) -> dict[str, np.ndarray]:
        half = share(right / 2)
        half[-2:] = np.nan
        return {CLOSED: share(right), OPEN: half}

    made = Stored(
        unit=unit,
        seed=seed,
        key="key",
        code=code_key(),
        setting="phantom",
        benchmark=benchmark,
        split="test",
        protocol="clincot-v2",
        questions="asked",
        images=IMAGES,
        last=last,
        sums={last: {"direct": both(direct), "region": both(region)}},
        counts={CLOSED: 200, OPEN: 180},
        facts={last: Facts(("as chosen texts",), 30 + seed, 7, 100, 200)},
        notes={
            "method": {"name": "dpo", "answers": 3},
            "models": ["clincot/phantom-policy"],
            "rounds": 1,
            "seconds": 9,
        },
    )
    return replace(made, **more)


RESULTS = [
    result("base", 0, 0.5, 0.6, facts={"base": Facts()}),
    result("dpo-base", 0, 0.5, 0.6),
    result("dpo-base", 1, 0.7, 0.6),
    result("clincot-base", 0, 0.55, 0.8),
    result("clincot-base", 1, 0.45, 0.9),
    result("sima-base", 0, 0.3, 0.3),
    result("clincot-nll-base", 0, 0.55, 0.7),
    result("clincot-nll-base", 1, 0.45, 0.7),
]


def planned(rows: str = "base,dpo,sima,mmedpo,clincot,clincot-nll", benchmark: str = "vqa-rad") -> Plan:
    return plan(Asked(1, ("base",), 2, tuple(rows.split(",")), benchmark=benchmark))


@pytest.fixture(scope="module")
def table() -> PaperTable:
    return summed(planned(), RESULTS)


def line(table: PaperTable, title: str, asked: str = "direct") -> Line:
    return next(one for _, one in table.every() if one.title.startswith(title) and one.asked == asked)


def cell(table: PaperTable, title: str, asked: str = "direct", measure: str = "closed_accuracy") -> Cell:
    cells = line(table, title, asked).cells
    assert cells is not None
    return cells[measure]


def test_values_are_means_of_seeds_with_intervals_over_seeds_where_images_agree(table: PaperTable) -> None:
    dpo = cell(table, "+ DPO")
    assert (dpo.value, dpo.low, dpo.high) == pytest.approx((60, 50, 70)) and dpo.seeds == pytest.approx((50, 70))
    assert cell(table, "+ DPO", measure="open_recall").value == pytest.approx(30)
    one = cell(table, "+ SIMA")
    assert (one.low, one.high) == pytest.approx((30, 30))  # of one seed: the images alone, which agree


def test_every_row_is_shown_both_ways_with_its_differences_and_a_tie_is_within_noise(table: PaperTable) -> None:
    regions = cell(table, "+ ClinCoT", "region")
    assert set(regions.minus) == {BASE, REGIONS, NAIVE, "NLL on chosen texts"}
    gain = regions.minus[REGIONS]
    assert (gain.value, gain.low, gain.high) == pytest.approx((25, 20, 30)) and not gain.within_noise
    assert regions.minus[NAIVE].value == pytest.approx(25)  # from the same way of asking
    direct = cell(table, "+ ClinCoT").minus[BASE]
    assert direct.value == pytest.approx(0) and direct.within_noise
    touching = cell(table, "+ DPO").minus[BASE]  # one seed gains nothing: the interval begins at 0
    assert touching.low == pytest.approx(0) and touching.within_noise
    assert set(cell(table, "base").minus) == {REGIONS} and NAIVE not in cell(table, "+ DPO").minus
    assert table.against == (BASE, REGIONS, NAIVE)


def test_negative_results_name_what_is_worse_and_which_control_is_not_beaten(table: PaperTable) -> None:
    lines = negative_lines(table)
    assert "+ SIMA-style (from the released model): worse than base in Open by -10.0 [-10.0, -10.0], Closed by" in str(
        lines
    )
    beaten = "not shown to be better than the control NLL on chosen texts"
    assert f"+ ClinCoT (reconstruction) (from the released model): {beaten} in Open, Closed" in lines  # ties
    assert not any("with regions" in one and "ClinCoT" in one and beaten in one for one in lines)


def test_published_numbers_are_there_for_the_papers_benchmarks_alone_and_the_papers_way_of_asking(
    table: PaperTable,
) -> None:
    assert cell(table, "+ DPO").published == 64.70 and cell(table, "+ DPO", measure="open_recall").published == 29.76
    assert cell(table, "+ DPO", "region").published is None
    assert cell(table, "+ ClinCoT", "region").published == 65.88 and cell(table, "+ ClinCoT").published is None
    other = [replace(one, benchmark="phantom") for one in RESULTS]
    without = summed(planned(benchmark="phantom"), other)
    assert not without.printed and all(
        c.published is None for _, one in without.every() for c in (one.cells or {}).values()
    )
    assert "paper" not in without.columns and "29.76" not in markdown(without)


def test_rows_without_a_result_say_why_and_those_of_other_code_or_elsewhere_are_named() -> None:
    some = [replace(RESULTS[0], code="0123"), replace(RESULTS[1], origin="theirs.json")]
    found = summed(planned(), some, why={"sima": "models.critic: none is named."})
    assert line(found, "+ SIMA").missing == "models.critic: none is named."
    assert line(found, "+ MMedPO").missing == "no result yet"
    said = " ".join(found.notes)
    assert "another version of the code: base-s0" in said and "Imported: dpo-base-s0 (theirs.json)" in said


def test_results_of_other_questions_are_refused() -> None:
    with pytest.raises(DataError, match="dpo-base-s0: answers other questions than base-s0"):
        summed(planned(), [RESULTS[0], replace(RESULTS[1], questions="others")])
    with pytest.raises(DataError, match="answers other questions"):
        summed(planned(), [RESULTS[0], replace(RESULTS[1], images=IMAGES[::-1])])


def test_a_result_is_the_same_after_its_file_and_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = stored.write(tmp_path, "phantom-vqa-rad", RESULTS[2])
    read = stored.read(path)
    assert replace(read, sums={}) == replace(RESULTS[2], sums={})
    mine, theirs = (one.sums["round-1"]["direct"][OPEN] for one in (read, RESULTS[2]))
    assert np.array_equal(mine, theirs, equal_nan=True)
    text = path.read_text()
    for broken in (text[:-40], text.replace('"version": 1', '"version": 9'), "[]", text.replace("[7,10],", "", 1)):
        path.write_text(broken)
        with pytest.raises(DataError, match=r"dpo-base-s1\.json: "):
            stored.read(path)


def test_a_present_result_counts_by_its_key_and_one_of_other_settings_is_not_overwritten(tmp_path: Path) -> None:
    one = planned("dpo")
    job = next(job for job in one.jobs if job.name == "dpo-base-s0")
    own = replace(RESULTS[1], key=job.key)
    stored.write(tmp_path, one.world, own)
    further = replace(RESULTS[2], seed=5, key=with_seed(one, job, 5).key)
    stored.write(tmp_path, one.world, further)  # is shown too
    there = present(one, tmp_path)
    assert [r.name for r in there.found] == ["dpo-base-s0"] and [j.name for j in there.missing] == [
        "base-s0",
        "dpo-base-s1",
    ]
    assert [r.name for r in there.more] == ["dpo-base-s5"]
    assert len(present(one, tmp_path, again=True).missing) == 3
    for other in (RESULTS[1], replace(further, key="another")):
        stored.write(tmp_path / other.name, one.world, other)
        with pytest.raises(DataError, match="was made with other settings"):
            present(one, tmp_path / other.name)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"seed": -3}, "seed is -3, not a whole number from 0"),
        ({"seed": "1"}, "seed is '1'"),
        ({"unit": "../../evil"}, "unit '../../evil' is no name"),
        ({"facts": {}}, "no facts of 'round-1'"),
        ({"facts": {"round-1": Facts(pairs=None)}}, "pairs of round-1 is None"),  # type: ignore[arg-type]
        ({"notes": {"method": "dpo"}}, "notes.method is no dict"),
        ({"notes": {"seconds": "9"}}, "seconds is '9'"),
        ({"notes": None}, "is no result of a table"),
        ({"counts": {CLOSED: 2.5}}, "closed_accuracy is 2.5"),
    ],
)
def test_what_no_result_can_say_is_named(tmp_path: Path, changes: dict[str, object], says: str) -> None:
    path = tmp_path / "one.json"
    path.write_text(replace(RESULTS[1], **changes).to_json())
    with pytest.raises(DataError, match=f"one.json: is no result of a table .*{says}|one.json: {says}"):
        stored.read(path)


@pytest.mark.parametrize("row", ["[-1,10]", "[11,10]", "[Infinity,10]", "[NaN,10]", "[5]"])
def test_sums_that_are_no_sums_are_refused(tmp_path: Path, row: str) -> None:
    path = tmp_path / "one.json"
    path.write_text(RESULTS[1].to_json().replace("[5,10]", row, 1))
    with pytest.raises(DataError, match=r"one\.json: is no result of a table"):
        stored.read(path)


def test_sums_of_another_width_than_the_measures_are_refused() -> None:
    odd = {"round-1": {"direct": {CLOSED: np.ones((len(IMAGES), 1))}, "region": {}}}
    with pytest.raises(DataError, match="dpo-base-s0: has 1 sums of closed_accuracy, not 2"):
        summed(planned(), [RESULTS[0], replace(RESULTS[1], sums=odd)])


def test_how_many_questions_a_column_counts_is_said_and_no_paper_is_quoted_for_another_split(table: PaperTable) -> None:
    assert "20 images (questions: Open 180; Closed 200)" in table.heading
    counts = {row["measure"]: row["n"] for row in csv.DictReader(io.StringIO(csv_text(table))) if row["measure"]}
    assert counts == {"open_recall": "180", "closed_accuracy": "200"}
    validation = summed(planned(), [replace(one, split="validation") for one in RESULTS])
    assert not validation.printed and cell(validation, "+ DPO").published is None


def test_the_contamination_table_has_every_model_of_the_rows_that_are_there() -> None:
    asked = Asked(1, ("base",), 1, ("base", "stllava-med", "fisao"), "phantom-v2")
    results = [
        result("base", 0, 0.5, 0.5, "phantom-v2", facts={"base": Facts()}),
        result("stllava-med-base", 0, 0.4, 0.4, "phantom-v2"),
    ]
    names = [line[0] for line in summed(plan(asked), results).appendix.trained_on]
    assert names == ["clincot/phantom-v2-policy", "clincot/phantom-v2-grounder", "clincot/phantom-v2-critic"]
    assert all(line[1] != "not stated here" for line in summed(plan(asked), results).appendix.trained_on)
    elsewhere = replace(results[1], origin="theirs.json", notes={"models": ["their/model"]})
    assert "their/model" in [line[0] for line in summed(plan(asked), [results[0], elsewhere]).appendix.trained_on]


def test_results_that_the_table_would_not_show_are_not_taken(tmp_path: Path) -> None:
    one, given = planned("dpo"), tmp_path / "given"
    given.mkdir()
    for changes, says in (
        ({"unit": "dpoo-base"}, "dpoo-base is no row of a table. Did you mean 'dpo-base'"),
        ({"setting": "paper"}, "is of paper, not of phantom. Give its --setting"),
        ({"protocol": "other-v9"}, "is of other-v9, not of clincot-v2. Give its --set evaluate.protocol"),
        ({"split": "validation"}, "is of validation, not of test. Give its --set evaluate.split"),
    ):
        (given / "a.json").write_text(replace(RESULTS[1], **changes).to_json())
        with pytest.raises(DataError, match=says):
            import_results(given, one, tmp_path / "results")
    for name in ("a", "b"):
        (given / f"{name}.json").write_text(RESULTS[1].to_json())
    with pytest.raises(DataError, match="b.json: dpo-base-s0 is there, or given twice"):
        import_results(given, one, tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_results_from_elsewhere_are_taken_once_and_marked(tmp_path: Path) -> None:
    one, given = planned("dpo"), tmp_path / "given.json"
    given.write_text(RESULTS[1].to_json())
    assert [r.origin for r in import_results(given, one, tmp_path / "results")] == ["given.json"]
    assert [r.name for r in present(one, tmp_path / "results").found] == ["dpo-base-s0"]  # its key is not asked for
    with pytest.raises(DataError, match="dpo-base-s0 is there"):
        import_results(given, one, tmp_path / "results")
    with pytest.raises(DataError, match="is of vqa-rad, not of phantom. Give its --benchmark"):
        import_results(given, planned("dpo", "phantom"), tmp_path / "results")
    with pytest.raises(DataError, match="holds no result"):
        import_results(tmp_path / "absent.json", one, tmp_path / "results")


@pytest.mark.parametrize("width", [80, 60, 120])
def test_the_screen_fits_its_width_and_holds_every_value(table: PaperTable, width: int) -> None:
    lines = screen_lines(table, width)
    assert max(map(cell_len, lines)) <= width
    text = " ".join("\n".join(lines).split())
    assert "60.0 [50.0, 70.0]" in text and "64.70" in text and "+25.0 [+20.0, +30.0]" in text and "within noise" in text


def test_every_format_has_the_same_rows_and_none_is_bold(table: PaperTable) -> None:
    texts = {"md": markdown(table), "tex": latex(table), "html": table_page(table)}
    for text in texts.values():
        assert "60.0 [50.0, 70.0]" in text and "within noise" in text and "64.70" in text
        assert "Negative results" in text and "SIMA" in text and "worse than" in text and "no result yet" in text
        assert "phantoms drawn with other seeds" in text  # the contamination table
    assert "**" not in texts["md"] and "bf{" not in texts["tex"] and "<b>" not in texts["html"]
    rows = list(csv.DictReader(io.StringIO(csv_text(table))))
    found = next(
        r
        for r in rows
        if r["row"].startswith("+ ClinCoT") and r["asked"] == "region" and r["measure"] == "closed_accuracy"
    )
    assert float(found["value"]) == pytest.approx(85) and found["published"] == "65.88"
    assert float(found["minus naive DPO, value"]) == pytest.approx(25) and found["pairs"] == "30.5"
    assert next(r for r in rows if r["row"].startswith("+ MMedPO"))["missing"] == "no result yet"


def test_the_table_is_plain_values_for_json(table: PaperTable) -> None:
    plain = json.loads(json.dumps(asdict(table)))
    assert plain["blocks"][0]["lines"][0]["cells"]["closed_accuracy"]["value"] == pytest.approx(50)


def test_latex_wraps_long_cells_and_gives_a_wide_grid_as_several(table: PaperTable) -> None:
    """No part is wider than a page, and each has the first column."""
    long = tabular((["row", "setting"], [["a", "x " * 100]]), "Settings. More.")
    assert r"{l>{\raggedright\arraybackslash}p{" in long and long.count("longtable}{") == 1
    wide = tabular((["row", *"abcdefg"], [["name", *["60.0 [50.0, 70.0]"] * 7]]), "Values. More.")
    assert wide.count("begin{longtable}") == 2 and wide.count("name & 60.0") == 2
    assert wide.count("Values. More.") == 1 and "Values (continued)." in wide
    assert "array,booktabs,longtable" in latex(table)


def test_latex_reads_no_command_in_a_text() -> None:
    assert escaped("`clincot table --show` <1>") == (
        r"\textasciigrave{}clincot table -{}-show\textasciigrave{} \textless{}1\textgreater{}"
    )
    assert escaped(r"50 % of a_b & {c} \input") == r"50 \% of a\_b \& \{c\} \textbackslash{}input"
