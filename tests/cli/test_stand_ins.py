"""SLAKE and IU-Xray end to end: stand-ins laid out as the public repositories, put onto an embedded Hub, evaluated."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import SMALL, clincot
from stand_ins import SMALL_RADIOGRAPH, iu_xray_stand_in, slake_stand_in

from clincot.benchmarks import BENCHMARKS

TINY = (*SMALL, "--set=evaluate.max_images=2", "--set=evaluate.max_new_tokens=8", "--set=evaluate.report_tokens=24")


@pytest.fixture(scope="module")
def folder(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stand-ins")
    slake_stand_in(shared_data, folder / "slake", ("train", "test"))
    iu_xray_stand_in(shared_data, folder / "iu-xray")
    return folder


def evaluate(folder: Path, benchmark: str, *words: str) -> tuple[str, str]:
    return clincot("evaluate", "--benchmark", benchmark, "--name", benchmark, "--hub", "local:hub", *words, cwd=folder)


@pytest.mark.long
def test_slake_is_evaluated_in_english_and_chinese(folder: Path) -> None:
    clincot("hub", "import", "slake", "--as", "BoKelvin/SLAKE", "--kind", "dataset", "--hub", "local:hub", cwd=folder)
    out, _ = evaluate(folder, "slake", *TINY)
    assert "closed accuracy" in out and "open recall" in out
    out, _ = evaluate(folder, "slake-zh", *TINY)
    assert "open recall" in out


@pytest.mark.long
def test_iu_xray_is_imported_and_evaluated_without_passing_anything_on(folder: Path) -> None:
    _, err = clincot("benchmarks", "import", "iu-xray", "iu-xray", "--hub", "local:hub", cwd=folder)
    assert "train, validation, test of iu-xray: 2,955 studies" in err
    out, err = evaluate(folder, "iu-xray", *TINY)
    assert "report BLEU" in out


@pytest.mark.long
def test_two_views_are_drawn_at_import_and_evaluated(shared_data: Path, tmp_path: Path) -> None:
    iu_xray_stand_in(shared_data, tmp_path / "copy", SMALL_RADIOGRAPH)
    clincot("benchmarks", "import", "iu-xray-two-views", "copy", "--hub", "local:hub", cwd=tmp_path)
    out, _ = evaluate(tmp_path, "iu-xray-two-views", *TINY)
    assert "report BLEU" in out


def test_an_nd_collection_goes_onto_an_embedded_hub_alone(tmp_path: Path) -> None:
    words = ("benchmarks", "import", "iu-xray", ".", "--hub", "https://hub.example.org")
    _, err = clincot(*words, cwd=tmp_path, code=2)
    assert "forbids passing it on" in err and "Use --hub local:PATH" in err


def test_the_list_names_licence_size_and_what_may_be_public(tmp_path: Path) -> None:
    out, err = clincot("benchmarks", "list", cwd=tmp_path)
    lines = {line.split()[0]: line for line in out.splitlines()[2:]}  # below the header
    assert lines.keys() == BENCHMARKS.keys()
    assert "cc-by-nc-nd-4.0" in lines["iu-xray"] and "private" in lines["iu-xray"] and "590 test" in lines["iu-xray"]
    assert "cc-by-4.0" in lines["slake"] and "public" in lines["slake"] and "1,061 test" in lines["slake"]
    assert " zh " in lines["slake-zh"]
    assert "clincot-v2" in err
    assert clincot("benchmarks", cwd=tmp_path) == (out, err)
