"""COCO, VOC, masks and columns of objects -> the same true regions, which the proposer `annotated` finds."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from own_folders import row, write
from PIL import Image

from clincot import images
from clincot.benchmarks import load
from clincot.benchmarks.own import OwnData
from clincot.errors import DataError
from clincot.records import Box, Example, TrueRegion
from clincot.regions.annotated import Annotated
from clincot.regions.base import Subject


def examples(folder: Path) -> list[Example]:
    benchmark = load(str(folder))
    assert isinstance(benchmark, OwnData)
    return [example for found in benchmark.contents(folder).examples.values() for example in found]


COCO = {
    "images": [{"id": 7, "file_name": "1.png"}, {"id": 8, "file_name": "2.png"}],
    "categories": [{"id": 3, "name": "WBC"}],
    "annotations": [{"id": 1, "image_id": 7, "category_id": 3, "bbox": [1.2, 2, 3.1, 4]}],
}
VOC = """<annotation><filename>1.png</filename><object><name>WBC</name>
<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>5</xmax><ymax>6</ymax></bndbox></object></annotation>"""


def test_four_ways_to_give_a_box_are_one_region(tmp_path: Path) -> None:
    rows = [row(1), row(2)]
    coco = write(tmp_path / "coco", rows, declared="regions: boxes.json\n")
    (coco / "boxes.json").write_text(json.dumps(COCO))
    voc = write(tmp_path / "voc", rows, declared="regions: annotations\n")
    (voc / "annotations").mkdir()
    (voc / "annotations/1.xml").write_text(VOC)
    objects = {"bbox": [[1, 2, 4, 4]], "category": ["WBC"]}
    column = write(tmp_path / "column", [row(1, objects=objects), row(2, objects=None)])
    masks = write(tmp_path / "masks", rows, declared="regions: masks\n")
    (masks / "masks/WBC").mkdir(parents=True)
    mask = np.zeros((8, 8), np.uint8)
    mask[2:6, 1:5] = 1  # as label images have it
    Image.fromarray(mask).save(masks / "masks/WBC/1.png")
    for folder in (coco, voc, column, masks):
        found = {e.question: e.true_regions for e in examples(folder)}
        (region,) = found["What is in image 1?"]
        assert (region.finding, region.box) == ("WBC", Box(1, 2, 5, 6)), folder
        assert found["What is in image 2?"] == ()
    assert region.mask is not None and np.array_equal(np.asarray(Image.open(io.BytesIO(region.mask))), mask > 0)


def test_the_proposer_finds_what_is_annotated_inside_masks_too(tmp_path: Path) -> None:
    folder = write(tmp_path / "masks", [row(1)], declared="regions: masks\n")
    (folder / "masks/white_cell").mkdir(parents=True)
    mask = np.tril(np.full((8, 8), 255, np.uint8))
    Image.fromarray(mask).save(folder / "masks/white_cell/1.png")
    (example,) = examples(folder)
    subject = Subject(example.image_id, images.decode(example.encoded()), example.true_regions)
    ((found, other),) = Annotated("annotated").heat_maps([subject], [["white cell", "mass"]])
    assert np.array_equal(found.values, mask / 255) and other.confidence == 0


def test_coco_and_voc_of_real_photographs_agree(shared_data: Path, tmp_path: Path) -> None:
    found: dict[str, list[tuple[TrueRegion, ...]]] = {}
    for kind in ("coco.json", "annotations"):
        folder = tmp_path / kind.partition(".")[0]
        folder.mkdir()
        for name in ("images", kind):
            (folder / name).symlink_to(shared_data / "bccd" / name)
        names = sorted(path.name for path in (shared_data / "bccd/images").iterdir())
        lines = [json.dumps(row(1) | {"file_name": f"images/{name}"}) for name in names]
        (folder / "metadata.jsonl").write_text("\n".join(lines))
        (folder / "clincot.yaml").write_text(f"regions: {kind}\n")
        with pytest.raises(DataError, match="is a link out of the folder of the data"):
            examples(folder)  # a link is no copy
        (folder / "images").unlink()
        (folder / kind).unlink()
        _copy(shared_data / "bccd", folder, ("images", kind))
        found[kind] = [e.true_regions for e in sorted(examples(folder), key=lambda e: e.id)]
    assert found["coco.json"] == found["annotations"] and sum(map(len, found["annotations"])) == 861


def _copy(source: Path, folder: Path, names: tuple[str, ...]) -> None:
    import shutil

    for name in names:
        copy = shutil.copytree if (source / name).is_dir() else shutil.copy
        copy(source / name, folder / name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"images": []}', "is no COCO file .KeyError 'categories'"),
        (
            json.dumps(COCO | {"annotations": [{"id": 1, "image_id": 9, "category_id": 3, "bbox": [0, 0, 1, 1]}]}),
            "KeyE",
        ),
        (
            json.dumps(COCO | {"annotations": [{"id": 5, "image_id": 7, "category_id": 3, "bbox": [0, 0, 0, 1]}]}),
            "annotation 5: its box .* is empty",
        ),
        ("nonsense", "is no COCO file"),
    ],
)
def test_damaged_regions_are_named(tmp_path: Path, text: str, message: str) -> None:
    folder = write(tmp_path / "data", [row(1)], declared="regions: boxes.json\n")
    with pytest.raises(DataError, match="regions: there is no 'boxes.json'"):
        examples(folder)
    (folder / "boxes.json").write_text(text)
    with pytest.raises(DataError, match=message):
        examples(folder)
