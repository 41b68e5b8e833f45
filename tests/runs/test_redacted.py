"""A benchmark that may not be passed on: nothing of it leaves, the run trains, its owner gets the rows back."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scan import every_file, words_and_pictures
from sealed import MARK
from sealed_run import SealedRun, sealed_recipe
from typer.testing import CliRunner

from clincot.editors.base import RewriteRequest
from clincot.editors.rules import Rules
from clincot.errors import DataError, HubError
from clincot.hub import connect
from clincot.images import content_id, decode
from clincot.images.views import encode
from clincot.records import WHOLE, Box, Example, Region, View
from clincot.records.pairs import Pair, Side
from clincot.regions.base import HeatMap
from clincot.regions.extract import find_region
from clincot.rows import schema
from clincot.rows.pair_rows import pair_row
from clincot.runs.redistribution import redacted
from clincot.runs.releases import pushing, read_lineage
from clincot.runs.rounds.restore import _drawer, full_rows, restore
from clincot.runs.run import open_run

CURVE = "round-1/curve.png"


def full(sealed: SealedRun) -> Path:
    return sealed.run.folder / "round-1/build/merged/pairs.parquet"


@pytest.mark.parametrize("place", ["store", "target", "dry run"])
def test_no_file_of_any_commit_holds_an_image_or_a_reference_text_or_names_a_folder_or_host(
    sealed: SealedRun, place: str
) -> None:
    secret = (MARK, "ward.lan", str(sealed.hub.parent))
    if place == "dry run":
        folder = sealed.run.folder / "dry-run"
        held = [(p.name, str(p.relative_to(folder)), p.read_bytes()) for p in folder.rglob("*") if p.is_file()]
        files = [type(next(every_file(sealed.hub)))(*one) for one in held]
    else:
        hub = sealed.run.folder / "store" if place == "store" else sealed.hub
        files = list(every_file(hub, but="someone/sealed"))
    assert [file for file in files if file.path.endswith(".parquet")] and len(files) > 8
    for file in files:
        words, pictures = words_and_pictures(file)
        assert not [word for word in secret if word in words or word.encode() in file.data], file[:2]
        assert not pictures or file.path.endswith(CURVE), file[:2]


def test_the_scan_finds_what_it_looks_for(sealed: SealedRun) -> None:
    found = [words_and_pictures(file) for file in every_file(sealed.hub) if file.repo == "someone/sealed"]
    assert any(pictures for _, pictures in found)
    words, pictures = words_and_pictures(next(every_file(sealed.hub))._replace(path="x", data=f"No {MARK}".encode()))
    assert MARK in words and not pictures
    assert pq.read_table(full(sealed)).column("side_images").to_pylist()[0][0]["bytes"].startswith(b"\x89PNG")


def test_what_is_left_are_ids_boxes_scores_and_model_texts(sealed: SealedRun) -> None:
    folder = sealed.run.target.snapshot(sealed.build.pushed)
    rows = list(redacted.read_rows(folder / "round-1/train-00000-of-00001.parquet"))
    whole = list(redacted.read_rows(full(sealed)))
    assert len(rows) == len(whole) > 0
    for row, complete in zip(rows, whole, strict=True):
        assert row["images"] == row["side_images"] == []
        assert row["image_id"] and len(row["picture_ids"]) == 3
        for name in (
            "id",
            "example_id",
            "chosen",
            "chosen_score",
            "chosen_region",
            "rejected_region",
            "ref_chosen_logp",
        ):
            assert row[name] == complete[name]


def test_training_used_the_full_rows(sealed: SealedRun) -> None:
    assert sealed.train.lineage.facts["pairs"] == pq.read_metadata(full(sealed)).num_rows
    assert sealed.train.lineage.facts["first_loss"] == pytest.approx(
        sealed.train.lineage.facts["known_first_loss"], abs=1e-3
    )


def test_the_owner_of_a_copy_restores_the_rows_bit_for_bit(sealed: SealedRun, tmp_path: Path) -> None:
    elsewhere = open_run(sealed_recipe(), name="shut", hub=f"local:{sealed.hub}", folder=tmp_path / "runs")
    pin = elsewhere.target.resolve("dataset", elsewhere.preferences_repo, "round-1")
    (path,) = full_rows(elsewhere, elsewhere.target, pin, read_lineage(elsewhere.target, pin, 1))
    elsewhere.store.close()
    elsewhere.target.close()
    assert path.is_relative_to(tmp_path)
    assert pq.read_table(path).equals(pq.read_table(full(sealed)))
    assert pq.read_table(path).schema.metadata == pq.read_table(full(sealed)).schema.metadata


def test_the_command_restores_what_the_card_says(
    sealed: SealedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from clincot.cli import app

    monkeypatch.chdir(tmp_path)
    card = sealed.run.target.read(sealed.build.pushed, "README.md").decode()
    words = re.search(r"^clincot (build-data --restore-images .*) --hub HUB$", card, re.MULTILINE)
    assert words
    done = CliRunner().invoke(app, [*words[1].split(), "--hub", f"local:{sealed.hub}"], catch_exceptions=False)
    path = tmp_path / "runs/shut/round-1/restored/pairs.parquet"
    assert done.exit_code == 0 and 'load_dataset("parquet", data_files="runs/shut/' in done.stdout
    assert pq.read_table(path).equals(pq.read_table(full(sealed)))


def test_public_is_refused_before_anything_is_built(
    sealed: SealedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from clincot.cli import app

    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="Leave --public out"):
        CliRunner().invoke(app, ["run", "--benchmark", "sealed", "--public"], catch_exceptions=False)
    assert not (tmp_path / "runs").exists()


def test_plain_crops_are_cut_again_without_the_proposer(sealed: SealedRun) -> None:
    recipe = sealed_recipe("build.regions.crop=box", "build.regions.least_side=20")
    drawn = example_with(pq.read_table(full(sealed)).column("images").to_pylist()[0][0]["bytes"])
    values = np.zeros((16, 16), np.float32)
    values[4:7, 9:12] = 1.0
    picture = decode(drawn.image)
    found = find_region(picture, HeatMap("nodule", values, 0.5), recipe.build.regions)
    assert found is not None and found.mask is None
    draw = _drawer(recipe, 1, (drawn,), None)
    assert draw(drawn, View("crop", found)) == encode(picture.crop(found.box))


def test_another_copy_of_the_benchmark_is_refused(sealed: SealedRun, tmp_path: Path) -> None:
    from clincot.phantom.dataset import phantom_files

    with connect(f"local:{tmp_path / 'hub'}", main=False) as hub:
        files = phantom_files(tmp_path / "drawn", seed=4, train=3, validation=1, test=2)
        hub.publish("dataset", "someone/sealed", files, tag=None, message="Another", private=True)
        other = dataclasses.replace(sealed.run, target=hub, folder=tmp_path / "run")
        with pytest.raises(DataError, match="is not in this copy of the benchmark"):
            restore(other, sealed.run.target, sealed.build.pushed, sealed.build.lineage)


def test_a_public_push_is_refused(sealed: SealedRun) -> None:
    for release in (sealed.build, sealed.train, sealed.results):
        with pytest.raises(DataError, match="cc-by-nc-nd-4.0.*Leave --public out"):
            pushing.push(dataclasses.replace(sealed.run, private=False), release, print)


def test_mimic_is_refused_by_the_name_of_a_repo_or_benchmark(sealed: SealedRun) -> None:
    with pytest.raises(DataError, match="MIMIC.*never loaded"):
        sealed.run.target.resolve("dataset", "someone/MIMIC-CXR-jpg")
    with pytest.raises(DataError, match="MIMIC"):
        open_run(dataclasses.replace(sealed.run.recipe, benchmark="mimic-cxr"))
    with pytest.raises(HubError, match="no model"):  # weights trained on it are another matter
        sealed.run.target.resolve("model", "someone/mimic-encoder")


def test_the_cards_say_what_is_missing_and_how_to_get_it(sealed: SealedRun) -> None:
    card = sealed.run.target.read(sealed.build.pushed, "README.md").decode()
    assert "license: cc-by-nc-nd-4.0" in card and "Keep this\nrepository private" in card
    assert "clincot build-data --restore-images --round 1 --name shut --namespace demo --benchmark sealed" in card
    results = sealed.run.target.read(sealed.results.pushed, "README.md").decode()
    assert "the question prior" in results


def example(answer: str, reference: str = "") -> Example:
    return Example(
        "iu/1", "image-1", b"\x89PNG..", "Describe it.", answer, "report", "", "chest x-ray", reference or answer
    )


def example_with(image: bytes) -> Example:
    return dataclasses.replace(example("yes"), image=image)


REPORT = 'The heart is "normal".\nThere is no effusion.'


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        (REPORT, "⟦iu/1:reference⟧."),
        (f"Findings: {REPORT} Stop.", "Findings: ⟦iu/1:reference⟧. Stop."),
        ("The lungs are clear.", "The lungs are clear."),
        ("no", "no"),
    ],
)
def test_a_reference_text_becomes_a_pointer_and_comes_back(text: str, hidden: str) -> None:
    references = redacted.References.of([example(REPORT)])
    assert references.hide(text, "iu/1") == hidden
    assert references.show(hidden) == text


def test_an_edited_reference_text_keeps_nothing_of_it_at_length_and_comes_back() -> None:
    report = "The heart is enlarged. There is a nodule in the left upper zone. There is no effusion. Ribs are intact."
    references = redacted.References.of([example(report)])
    requests = [RewriteRequest(report, "", seed, "chest x-ray", changes=2) for seed in range(20)]
    for made in Rules().rewrite(requests):
        assert made.text is not None
        hidden = references.hide(made.text, "iu/1", edited=True)
        assert references.show(hidden) == made.text != hidden
        assert references.hide(made.text, "iu/1") == made.text  # a policy's own text is kept
        left = redacted.POINTER.sub("\n", hidden)
        assert not any(left[i : i + 16] in report for i in range(len(left) - 15) if "\n" not in left[i : i + 16])


def test_a_short_answer_is_hidden_alone_and_left_within_other_words() -> None:
    references = redacted.References.of([example("iu")])
    assert references.hide("iu.", "iu/1") == "⟦iu/1:reference⟧."
    assert references.hide("The iu is clear.", "iu/1") == "The iu is clear."


def test_the_reference_of_another_example_is_hidden_too() -> None:
    other = dataclasses.replace(example("A tube lies in the left lung."), id="iu/2")
    references = redacted.References.of([example("yes"), other])
    assert re.fullmatch(r"⟦iu/2:(answer|reference)⟧\.", references.hide(other.answer, "iu/1"))


SHOWN = {"image": example(REPORT).image, "crop": b"\x89PNGc"}


def test_rows_whose_chosen_text_is_the_reference_hold_a_pointer(tmp_path: Path) -> None:
    made = example(REPORT)
    region = Region("heart", Box(0, 0, 1, 1), 0.5)
    side = Side(REPORT, (View("crop", region),), region=region, candidate="iu/1/gold")
    other = dataclasses.replace(side, text="It is normal.")
    block = {"type": "text", "text": f"Is this right? {REPORT}"}
    turn = {"role": "user", "content": [block]}
    pair = Pair("iu/1/1/0", "iu/1", 1, "povid", (turn,), (WHOLE,), side, other, "iu/1/1")
    path, shut = tmp_path / "pairs.parquet", tmp_path / "shut.parquet"
    table = schema.table([pair_row(pair, 1, lambda _, view: SHOWN[view.kind])], schema.PAIR_FEATURES)
    schema.write_parquet([table], path, schema.PAIR_FEATURES)
    references = redacted.References.of([made])
    redacted.redact_pairs(path, shut, references)
    (row,) = redacted.read_rows(shut)
    assert (row["chosen"], row["rejected"]) == ("⟦iu/1:reference⟧.", "It is normal.")
    assert row["prompt"][0]["content"] == "Is this right? ⟦iu/1:reference⟧."
    back = redacted.restored(row, references, [made.image, b"\x89PNGc", b"\x89PNGc"])
    assert schema.table([back], schema.PAIR_FEATURES).equals(table)
    with pytest.raises(DataError, match="not those it was made from"):
        redacted.restored(row, references, [made.image, b"\x89PNGd", b"\x89PNGc"])


def test_rows_are_redacted_few_at_a_time_in_their_order_without_a_look_at_the_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    region = Region("heart", Box(0, 0, 1, 1), 0.5)
    region = Region("heart", Box(0, 0, 1, 1), 0.5)
    side = Side(REPORT, (View("crop", region),), region=region, candidate="iu/1/gold")
    pairs = [Pair(f"{i}", "iu/1", 1, "povid", (), (WHOLE,), side, side, "iu/1/1") for i in range(7)]
    tables = [
        schema.table([pair_row(pair, 1, lambda _, view: SHOWN[view.kind])], schema.PAIR_FEATURES) for pair in pairs
    ]
    schema.write_parquet(tables, tmp_path / "pairs.parquet", schema.PAIR_FEATURES)
    made: list[int] = []
    encode = schema.table
    monkeypatch.setattr(redacted, "BATCH", 3)
    monkeypatch.setattr(schema, "table", lambda rows, features: made.append(len(rows)) or encode(rows, features))
    references = redacted.References.of([example(REPORT)])
    shut = redacted.redact_pairs(tmp_path / "pairs.parquet", tmp_path / "shut.parquet", references)
    assert made == [3, 3, 1]
    rows = list(redacted.read_rows(shut))
    assert [row["id"] for row in rows] == [pair.id for pair in pairs]
    assert all(row["picture_ids"] == [content_id(b"\x89PNG.."), *[content_id(b"\x89PNGc")] * 2] for row in rows)
    assert set(next(redacted.read_rows(tmp_path / "pairs.parquet", images=False))["images"][0]) == {"path"}
