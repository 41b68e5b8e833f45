"""Exported rows -> every one of them is taken by ms-swift's and LLaMA-Factory's own readers, with its images."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from datasets import load_dataset

from clincot.rows import formats
from clincot.stages.exchange.exporting import ExportJob, export_rows
from tests.objectives.rows import make_row, png, write_rows

ASKED = [{"role": "user", "content": "Is there a nodule?"}]
CHAIN = [{"role": "system", "content": "Be brief."}, *ASKED, {"role": "assistant", "content": "Yes."}, *ASKED]
LITERAL = [{"role": "user", "content": "What is <image> for, or <video>?"}]
BLOCKS = [{"type": "text", "text": "Compare"}, {"type": "image"}, {"type": "text", "text": "and"}, {"type": "image"}]
ALONE = {"side_images": [], "chosen_images_count": 0, "rejected_images_count": 0}
TWO = [{"bytes": png(n), "path": f"{n}.png"} for n in (20, 21)]
ROWS = [
    make_row(0),  # a crop each
    make_row(1, prompt=ASKED, weight=0.5, **ALONE),
    make_row(2, prompt=CHAIN, **ALONE),
    make_row(3, prompt=LITERAL, chosen="An <image>.", **ALONE),
    make_row(4, prompt=[{"role": "user", "content": BLOCKS}], **ALONE | {"images": TWO}),
    make_row(5, prompt=ASKED, **ALONE | {"images": []}),
]


@pytest.fixture(params=["swift", "llamafactory"])
def exported(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / request.param
    folder.mkdir()
    path = write_rows(tmp_path / "rows.parquet", ROWS)
    side = "per_side" if request.param == "swift" else "winner"
    outcome = export_rows(ExportJob((path,), formats.load(request.param), folder, side))
    assert outcome.rows == len(ROWS) and not outcome.left_out
    return folder


def test_every_row_is_taken(exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "modelscope"))
    found = {"swift": of_swift, "llamafactory": of_llamafactory}[exported.name](exported)
    assert [len(chosen) for chosen, _ in found] == [2, 1, 1, 1, 2, 0]
    assert [len(rejected) for _, rejected in found] == [2, 1, 1, 1, 2, 0]
    first = found[0]
    assert (first[0] == first[1]) == (exported.name == "llamafactory")
    assert all((exported / name).is_file() for sides in found for side in sides for name in side)


def of_swift(folder: Path) -> list[tuple[list[str], list[str]]]:
    """Return the images of both sides as ms-swift sees them; its preprocessor raises for rows that it would drop."""
    from swift.dataset.preprocessor.core import AutoPreprocessor
    from swift.template.template_inputs import TemplateInputs

    rows = load_dataset("json", data_files=str(folder / "train.jsonl"), split="train", cache_dir=str(folder / "cache"))
    read = AutoPreprocessor()(rows, strict=True, load_from_cache_file=False)
    found = []
    for row in read:
        seen = TemplateInputs.from_dict({name: value for name, value in row.items() if value is not None})
        for side in (seen.chosen, seen.rejected):
            marks = sum(turn["content"].count("<image>") for turn in side.messages)
            assert marks == len(side.images) and side.messages[-1]["role"] == "assistant"
        assert seen.chosen.messages[-1] != seen.rejected.messages[-1]
        found.append(tuple([image["path"] for image in side.images] for side in (seen.chosen, seen.rejected)))
    return found


def of_llamafactory(folder: Path) -> list[tuple[list[str], list[str]]]:
    """Return the images as LLaMA-Factory's converter finds them, after its check of marks and its decoding."""
    sys.modules.setdefault("torchaudio", ModuleType("torchaudio"))  # its module of media imports it for sounds
    from llamafactory.data.converter import get_dataset_converter
    from llamafactory.data.mm_plugin import get_mm_plugin
    from llamafactory.data.parser import get_dataset_list

    (entry,) = get_dataset_list(["clincot"], str(folder))
    assert (entry.load_from, entry.formatting, entry.ranking) == ("file", "sharegpt", True)
    convert = get_dataset_converter(entry.formatting, entry, SimpleNamespace(media_dir=str(folder)))
    plugin, found = get_mm_plugin("llava", image_token="<image>"), []
    file = str(folder / entry.dataset_name)
    for row in load_dataset("json", data_files=file, split="train", cache_dir=str(folder / "cache")):
        read = convert(row)
        assert len(read["_prompt"]) % 2 == 1 and len(read["_response"]) == 2  # else its processor drops the row
        images = read["_images"] or []
        for answer in read["_response"]:
            plugin._validate_messages([*read["_prompt"], answer], images, [], [])
        opened = plugin._regularize_images(images, image_max_pixels=10**6, image_min_pixels=1)["images"]
        assert len(opened) == len(images)
        found.append((images, images))
    return found
