"""Films of VQA-RAD, a DICOM film and a phantom -> the strips of docs/regions.md, for a person to check.

Run as `python docs/regions/draw.py` with VQA-RAD at $CLINCOT_SHARED/data/vqa_rad and pydicom-data installed.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from pydicom.data import get_testdata_file
from pydicom.filereader import dcmread

from clincot import phantom, recipe, regions
from clincot.images import decode
from clincot.images.grey import stretched
from clincot.images.views import render
from clincot.phantom.drawing.draw import RANGES, draw
from clincot.records import Region, TrueRegion, View
from clincot.regions.base import HeatMap, Proposer, Subject
from clincot.regions.extract import find_region

HERE = Path(__file__).parent
GROUNDER = Path(phantom.__file__).parent / "models" / "grounder"
# Each with a finding that it shows, by VQA-RAD's questions and answers.
FILMS = {
    "synpic18319": "nodule",
    "synpic15006": "cardiomegaly",
    "synpic22097": "effusion",
    "synpic26413": "consolidation",
}
TALL = 250  # pixels of a panel's height
QUALITY = 72  # of the JPEG: strips stay under 40 kB


def overlay(image: Image.Image, heat_map: HeatMap, region: Region | None) -> Image.Image:
    """Lay the map over the image in red, and the region's box in yellow."""
    values = heat_map.values - heat_map.values.min()
    share = Image.fromarray((255 * values / max(float(values.max()), 1e-9)).astype(np.uint8))
    smooth = Image.Resampling.BILINEAR if len(np.unique(values)) > 2 else Image.Resampling.NEAREST
    mask = share.resize(image.size, smooth).point(lambda value: value * 0.55)
    shown = Image.composite(Image.new("RGB", image.size, (255, 40, 0)), image, mask)
    if region is not None:
        box = (*region.box[:2], region.box.right - 1, region.box.lower - 1)
        ImageDraw.Draw(shown).rectangle(box, outline=(255, 230, 0), width=max(2, image.height // 150))
    return shown


def panel(image: Image.Image, title: str) -> Image.Image:
    """Scale to the common height (crops at most four times) and write `title` above, on a grey ground."""
    scale = min(TALL / image.height, 4)
    small = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    width = max(small.width, 6 * len(title) + 8)
    framed = Image.new("RGB", (width, TALL + 16), (120, 120, 120))
    framed.paste(small, (0, 16))
    ImageDraw.Draw(framed).text((2, 2), title, fill="white")
    return framed


def strip(panels: Sequence[Image.Image], path: Path) -> None:
    whole = Image.new("RGB", (sum(p.width for p in panels) + 4 * (len(panels) - 1), TALL + 16), "white")
    left = 0
    for one in panels:
        whole.paste(one, (left, 0))
        left += one.width + 4
    whole.save(path, "JPEG", quality=QUALITY, optimize=True)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


def looks(subject: Subject, name: str, proposer: Proposer, settings: recipe.Regions) -> list[Image.Image]:
    """Overlay, masked crop and box crop of one hypothesis."""
    ((heat_map,),) = proposer.heat_maps([subject], [[name]])
    masked, box = (find_region(subject.image, heat_map, replace(settings, crop=kind)) for kind in ("masked", "box"))
    title = f"{proposer.name}: {name}, confidence {heat_map.confidence:.2f}"
    if masked is None or box is None:
        return [panel(overlay(subject.image, heat_map, None), f"{title}, no region")]
    where = "box " + " ".join(map(str, masked.box))
    crops = [render(subject.image, View("crop", one)) for one in (masked, box)]
    shown = [panel(overlay(subject.image, heat_map, masked), title)]
    return shown + [panel(crops[0], f"masked, {where}"), panel(crops[1], "box")]


def film(folder: Path, name: str) -> Subject:
    return Subject(name, decode((folder / "images" / f"{name}.jpg").read_bytes(), name))


def inverted_film() -> tuple[Subject, Image.Image]:
    """Return the 15-bit MONOCHROME1 film of pydicom-data as decoded, and its stored values unturned."""
    path = Path(str(get_testdata_file("RG1_UNCR.dcm", download=False)))
    return Subject("RG1", decode(path.read_bytes(), "RG1")), stretched(dcmread(path).pixel_array)


def phantom_subject() -> Subject:
    """Return the first held-out phantom that shows two findings, one of them a nodule."""
    drawn = (draw(0, RANGES["held_out"] + number) for number in range(200))
    one = next(p for p in drawn if len(p.findings) == 2 and "nodule" in p.names)
    truth = tuple(TrueRegion(f.name, f.box) for f in one.findings)
    return Subject(f"phantom {one.index}", Image.fromarray(one.image).convert("RGB"), truth)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    shared = Path(os.environ.get("CLINCOT_SHARED", "../shared"))
    options.add_argument("--vqa-rad", type=Path, default=shared / "data" / "vqa_rad")
    options.add_argument("--out", type=Path, default=HERE)
    wanted = options.parse_args()
    real = recipe.load_recipe("clincot", "paper").build.regions
    drawn = recipe.load_recipe("clincot", "phantom").build.regions
    grounder = regions.load("query_grounder", GROUNDER)
    grounder.name = "grounder"
    for name, finding in FILMS.items():
        subject = film(wanted.vqa_rad, name)
        panels = [panel(subject.image, name), *looks(subject, finding, grounder, real)]
        strip(panels, wanted.out / f"{name}.jpg")
    subject = film(wanted.vqa_rad, next(iter(FILMS)))
    for kind in ("center", "grid", "random"):
        strip(looks(subject, "nodule", regions.load(kind), real), wanted.out / f"{kind}.jpg")
    by_quantile = replace(real, rule="quantile", quantile=0.95)
    strip(looks(subject, "nodule", grounder, by_quantile), wanted.out / "quantile.jpg")
    turned, stored = inverted_film()
    panels = [panel(stored, "RG1 as stored"), panel(turned.image, "as decoded")]
    strip(panels + looks(turned, "nodule", grounder, real), wanted.out / "inverted.jpg")
    known = phantom_subject()
    for kind, proposer in (("annotated", regions.load("annotated")), ("query_grounder", grounder)):
        panels = [panel(known.image, known.image_id), *looks(known, "nodule", proposer, drawn)]
        strip(panels, wanted.out / f"phantom-{kind}.jpg")


if __name__ == "__main__":
    main()
