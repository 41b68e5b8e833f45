"""What the page of `clincot app` is made of, without Gradio: uploads, places, and the files of a Space."""

from __future__ import annotations

import os
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import SpaceCard
from sealed import Sealed
from sealed_run import sealed_recipe

from clincot import benchmarks
from clincot.errors import DataError, RecipeError, UnreadableImage
from clincot.images import encode_png
from clincot.localhub.cards.rules import review_card
from clincot.runs.app.places import check_place, host_of_page, reaches_others
from clincot.runs.app.space import export_space
from clincot.runs.app.space_card import space_card
from clincot.runs.app.space_pins import requirements
from clincot.runs.app.uploads import Waiting
from tests.lamps import picture


def sent(place: Path, name: str, data: bytes, digest: str = "abc") -> str:
    """Write a file as Gradio does: in a folder named by its content, next to an empty file."""
    (place / digest).mkdir(exist_ok=True)
    (place / digest / name).write_bytes(data)
    (place / f"tmp{digest}").touch()
    return str(place / digest / name)


def older(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def filled(folder: Path) -> list[str]:
    """Return the files that hold something."""
    return [str(path) for path in folder.rglob("*") if path.is_file() and path.stat().st_size]


def test_an_upload_is_taken_in_and_nothing_stays(tmp_path: Path) -> None:
    waiting = Waiting(tmp_path)
    upload = waiting.take([sent(tmp_path, "film.png", encode_png(picture("left")))])
    assert upload.name == "film.png" and upload.decoded().size == (64, 64)
    empty = tmp_path / "tmpabc"
    assert list(tmp_path.iterdir()) == [empty]
    older(empty, 11)
    waiting.sweep()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("count", "data", "error", "match"),
    [
        (1, b"<script>", UnreadableImage, "cannot be read as an image"),
        (1, b"", DataError, "is empty"),
        (2, encode_png(picture("left")), DataError, "2 files: a question is about one image"),
    ],
)
def test_a_refused_upload_is_deleted_too(count: int, data: bytes, error: Any, match: str, tmp_path: Path) -> None:
    paths = [sent(tmp_path, f"{n}.png", data, f"digest{n}") for n in range(count)]
    waiting = sent(tmp_path, "of-another.png", b"x", "other")
    with pytest.raises(error, match=match):
        Waiting(tmp_path).take(paths)
    assert filled(tmp_path) == [waiting] and not any(map(os.path.exists, paths))


@pytest.mark.parametrize(
    "path", ["{0}/secret.png", "{0}/uploads/../secret.png", "{0}/uploads/link.png", "http://a/b.png"]
)
def test_a_file_outside_of_the_folder_is_neither_read_nor_deleted(path: str, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(encode_png(picture("left")))
    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / "link.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(DataError, match="not a file that was uploaded"):
        Waiting(tmp_path / "uploads").take([path.format(tmp_path)])
    assert (tmp_path / "secret.png").is_file()


def test_a_sweep_takes_what_is_old(tmp_path: Path) -> None:
    old, new = Path(sent(tmp_path, "old.png", b"x", "old")), Path(sent(tmp_path, "new.png", b"x", "new"))
    for path in (old, old.parent):
        older(path, 90)
    older(tmp_path / "tmpnew", 9)
    Waiting(tmp_path, age=60).sweep()
    assert not old.exists() and new.exists() and (tmp_path / "tmpnew").exists()


def test_what_arrives_is_not_swept_as_empty(tmp_path: Path) -> None:
    half = Path(sent(tmp_path, "half.png", b"x"))
    older(half, 11)
    older(tmp_path / "tmpabc", 11)
    Waiting(tmp_path).sweep()
    assert half.exists() and not (tmp_path / "tmpabc").exists()


def test_a_page_is_on_loopback_unless_asked_or_in_a_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACE_ID", raising=False)
    assert host_of_page("") == "127.0.0.1" and not reaches_others("127.0.0.1") and not reaches_others("::1")
    assert host_of_page("10.0.0.1") == "10.0.0.1" and reaches_others("10.0.0.1") and reaches_others("::")
    monkeypatch.setenv("SPACE_ID", "me/page")
    assert host_of_page("") == "0.0.0.0"


def test_what_restricted_data_trained_is_asked_here_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACE_ID", raising=False)
    for privacy, refused in (("restricted", True), ("consented", False), ("public", False)):
        monkeypatch.setattr(Sealed, "source", replace(Sealed.source, privacy=privacy))  # type: ignore[arg-type]
        monkeypatch.setitem(benchmarks.BENCHMARKS, "sealed", "sealed:Sealed")
        recipe = sealed_recipe()
        check_place(recipe, "127.0.0.1", 7860)
        trusting = replace(recipe, models=replace(recipe.models, trusted_hosts=("10.0.0.1",)))
        check_place(trusting, "10.0.0.1", 7860)
        if refused:
            with pytest.raises(DataError, match=r"--host 0\.0\.0\.0: .*restricted"):
                check_place(trusting, "0.0.0.0", 7860)
            monkeypatch.setenv("SPACE_ID", "me/page")
            with pytest.raises(DataError, match="a Space is not this machine"):
                check_place(recipe, "127.0.0.1", 7860)
            monkeypatch.delenv("SPACE_ID")
        else:
            check_place(recipe, "0.0.0.0", 7860)


@pytest.mark.parametrize(
    ("role", "changes", "error", "match"),
    [
        ("", {}, DataError, "benchmark sealed is restricted"),
        ("policy", {"endpoint": ("http://127.0.0.1:8000/v1",)}, RecipeError, r"models\.policy is on a server"),
        ("proposer", {"kind": "./mine.py:Mine"}, RecipeError, r"models\.proposer is a file of this machine"),
        ("policy", {"repo": "me/mimic-llava"}, DataError, "MIMIC"),
    ],
)
def test_a_space_is_refused_what_may_not_go_there(
    role: str, changes: dict[str, Any], error: Any, match: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    privacy = "public" if role else "restricted"
    monkeypatch.setattr(Sealed, "source", replace(Sealed.source, privacy=privacy))  # type: ignore[arg-type]
    monkeypatch.setitem(benchmarks.BENCHMARKS, "sealed", "sealed:Sealed")
    recipe = sealed_recipe()
    if role:
        source = replace(getattr(recipe.models, role), **changes)
        recipe = replace(recipe, models=replace(recipe.models, **{role: source}))

    class Run:
        pass

    run: Any = Run()
    run.recipe = recipe
    with pytest.raises(error, match=match):
        list(export_space(run, "", tmp_path / "space"))
    assert not (tmp_path / "space").exists()


def test_the_card_of_a_space_is_one_that_a_hub_takes() -> None:
    text = space_card("a <run>", ("clincot/phantom-policy", "me/run"), private=True)
    card = SpaceCard(text).data
    assert (card.sdk, card.app_file, card.models) == ("gradio", "app.py", ["clincot/phantom-policy", "me/run"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", card.sdk_version) and len(card.short_description) <= 60
    review = review_card(text, "space")
    assert not review.errors, review
    assert "Keep this Space private" in text and "Keep this" not in space_card("run", (), private=False)
    assert yaml.safe_load(text.split("---")[1])["python_version"].count(".") == 1


def test_a_space_has_the_versions_of_this_machine_that_gradio_takes() -> None:
    pins = requirements()
    names = [re.split(r"[=<]", pin)[0] for pin in pins]
    assert len(names) == len(set(names)) and {"torch", "transformers", "gradio", "pydicom"} <= set(names)
    assert all("==" in pin or pin == "pillow<13" for pin in pins) and not any("+" in pin for pin in pins)
