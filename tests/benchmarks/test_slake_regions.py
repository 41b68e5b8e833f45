"""SLAKE's annotations: boxes and masks become regions, what does not fit the described formats is refused by name."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clincot.benchmarks._slake_regions import Annotations, mask_names
from clincot.errors import DataError
from clincot.records import Box, TrueRegion

MEMBER = "imgs/xmlab1/source.jpg"
NAMES = {1: "Liver", 2: "Left Lung", 0: "Background"}


def png(values: Any, mode: str = "L") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(values, np.uint8)).convert(mode).save(buffer, "PNG")
    return buffer.getvalue()


IMAGE = png(np.zeros((20, 30)))


def regions(boxes: Any = None, mask: bytes | None = None, image: bytes = IMAGE) -> tuple[TrueRegion, ...]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(MEMBER, image)
        if boxes is not None:
            archive.writestr("imgs/xmlab1/detection.json", boxes if isinstance(boxes, str) else json.dumps(boxes))
        if mask is not None:
            archive.writestr("imgs/xmlab1/mask.png", mask)
    with zipfile.ZipFile(buffer) as archive:
        return Annotations(archive, NAMES).regions(MEMBER, image)


def test_a_box_of_position_and_size_becomes_the_pixels_it_touches() -> None:
    assert regions([{"Brain Edema": [2.5, 3.0, 10.0, 5.2]}]) == (TrueRegion("Brain Edema", Box(2, 3, 13, 9)),)


def test_a_box_is_cut_to_its_image_and_one_outside_it_annotates_nothing() -> None:
    found = regions([{"Liver": [-4, 10, 100, 100]}, {"Spleen": [40, 1, 5, 5]}, {"Heart": [3, 3, 0, 4]}])
    assert found == (TrueRegion("Liver", Box(0, 10, 30, 20)),)


def test_a_mask_is_cut_to_the_box_of_its_name_and_stands_alone_without_one() -> None:
    values = np.zeros((20, 30))
    values[4:8, 4:8] = 1
    values[15:18, 20:25] = 1  # of another instance, outside the box
    values[10:12, 1:3] = 2
    values[0, 0] = 77  # a value that mask.txt does not name
    liver, lung = regions([{"liver": [2, 2, 10, 10]}], png(values))
    shown = np.asarray(Image.open(io.BytesIO(liver.mask or b""))) > 127
    assert shown.shape == (20, 30)
    assert shown.sum() == 16 and shown[4:8, 4:8].all()
    assert (lung.finding, lung.box) == ("Left Lung", Box(1, 10, 3, 12))
    assert lung.mask


def test_grey_masks_of_other_modes_are_read() -> None:
    values = np.zeros((20, 30))
    values[4:8, 4:8] = 1
    assert regions(None, png(values, "RGB"))[0].box == Box(4, 4, 8, 8)


def test_without_annotations_there_are_no_regions() -> None:
    assert regions() == ()
    assert regions([{"Liver": [1, 1, 5, 5]}], image=b"no picture") == ()


@pytest.mark.parametrize(
    ("boxes", "mask", "message"),
    [
        ("[{", None, "detection.json is not JSON"),
        ({"Liver": [1, 1, 5, 5]}, None, "is no list of"),
        ([["Liver", 1, 1, 5, 5]], None, "is no list of"),
        ([{"Liver": [1, 1, 5]}], None, "gives 'Liver' the box"),
        ([{"Liver": [1, 1, 5, "5"]}], None, "gives 'Liver' the box"),
        ([{"Liver": [1, 1, 5, float("nan")]}], None, "gives 'Liver' the box"),
        (None, b"no png", "mask.png cannot be read"),
        (None, png(np.ones((5, 5))), "is 5x5, its image 30x20"),
        (None, png(np.stack([np.ones((20, 30)), np.zeros((20, 30)), np.ones((20, 30))], -1), "RGB"), "is coloured"),
    ],
)
def test_annotations_of_another_format_are_refused_by_name(boxes: Any, mask: bytes | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        regions(boxes, mask)


def test_names_of_mask_values_are_read_one_per_line(tmp_path: Path) -> None:
    path = tmp_path / "mask.txt"
    assert mask_names(path) == {}
    path.write_text("value:name\n1:Liver\n 20 : Left Lung \n3\tBrain Edema\n")
    assert mask_names(path) == {1: "Liver", 20: "Left Lung", 3: "Brain Edema"}
    path.write_text("nothing")
    with pytest.raises(DataError, match="no line `value: name`"):
        mask_names(path)
