"""Each `image_fit` makes the pixels that are made by hand, in engine and trainer; what cannot be fitted is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from clincot.chain.prompts import direct_messages
from clincot.engines.crops import image_sizes, report_crops
from clincot.engines.room import PolicyRoom
from clincot.engines.transformers import TransformersEngine
from clincot.errors import ModelError
from clincot.images import decode, encode_png
from clincot.lm.image_fit import square_of
from clincot.lm.processors import read_processor
from clincot.lm.requests import GenerateRequest
from clincot.objectives.collator import PairCollator
from clincot.objectives.sides import Renderer
from clincot.recipe import ImageFit, Margin
from clincot.records import Example
from clincot.stages.train.policy import open_processor
from tests import vlms
from tests.objectives.rows import make_row
from tests.tiny import tiny_policy

FITS: tuple[ImageFit, ...] = ("pad", "stretch", "crop")
MEAN = (122, 116, 104)  # of CLIP, as LLaVA-Med pads


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


def square(image: Image.Image, fit: str, side: int, colour: tuple[int, ...] = MEAN) -> Image.Image:
    """Fit `image` by hand; what is padded or cropped is a square of any size."""
    if fit == "stretch":
        return image.resize((side, side), Image.Resampling.BICUBIC)
    width, height = image.size
    if fit == "crop":
        edge = min(image.size)
        left, top = (width - edge) // 2, (height - edge) // 2
        return image.crop((left, top, left + edge, top + edge))
    canvas = Image.new("RGB", (max(image.size),) * 2, colour)
    canvas.paste(image, ((canvas.width - width) // 2, (canvas.height - height) // 2))
    return canvas


def cropping(folder: Path) -> Path:
    """The tiny policy with CLIP's own processor, which crops."""
    path = tiny_policy(folder) / "processor_config.json"
    content = json.loads(path.read_text())
    content["image_processor"] |= {"do_pad": False, "image_processor_type": "CLIPImageProcessor"}
    path.write_text(json.dumps(content))
    return folder


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cropping(tmp_path_factory.mktemp("clip") / "base")


def pixels(processor: Any, image: Image.Image) -> np.ndarray:
    return np.asarray(processor.image_processor(image, return_tensors="np")["pixel_values"])


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("size", [(60, 41), (33, 80), (50, 50)], ids=["wide", "high", "square"])
def test_a_processor_that_crops_fits_as_by_hand(clip: Path, fit: ImageFit, size: tuple[int, int]) -> None:
    image, own = noise(*size), read_processor(clip)
    wanted = pixels(own, image if fit == "crop" else square(image, fit, 32))
    assert np.array_equal(pixels(read_processor(clip, fit), image), wanted)
    assert np.array_equal(pixels(read_processor(clip), image), pixels(own, image))


@pytest.mark.parametrize("fit", FITS)
def test_a_processor_that_stretches_fits_as_by_hand(tmp_path: Path, fit: ImageFit) -> None:
    folder = vlms.tiny_vlm(vlms.llava_siglip_qwen2, tmp_path)
    own, image = read_processor(folder), noise(96, 64)
    assert square_of(own) is not None and square_of(own).fit == "stretch"  # type: ignore[union-attr]
    found = pixels(read_processor(folder, fit), image)
    wanted = pixels(own, square(image, fit, 32, (127, 127, 127)))
    assert found.shape == wanted.shape
    # The middle of a resized image and the resized middle differ where the filter reaches beyond the border.
    inner = np.s_[:, :, :, 3:-3] if fit == "crop" else np.s_[:]
    assert np.abs(found[inner] - wanted[inner]).max() <= (2 / 127.5 if fit == "crop" else 0)


def test_what_the_processor_does_anyway_changes_nothing(tmp_path: Path) -> None:
    folder = tiny_policy(tmp_path)
    assert read_processor(folder, "pad").to_dict() == read_processor(folder).to_dict()
    folder = vlms.tiny_vlm(vlms.gemma3, tmp_path / "gemma")
    assert read_processor(folder, "stretch").to_dict() == read_processor(folder).to_dict()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (vlms.llava_next_mistral, "any shape or in tiles, so image_fit=pad has no meaning. Set image_fit=as_is"),
        (vlms.idefics3, "any shape or in tiles"),
        (vlms.gemma3, "Gemma3ImageProcessor gives more than pixels.* Set image_fit=stretch, which is what it does"),
    ],
)
def test_a_processor_without_a_square_of_its_own_is_refused_before_weights_load(
    make: Any, says: str, tmp_path: Path
) -> None:
    vlms.tiny_vlm(make, tmp_path)
    for load in (PolicyRoom.from_pretrained, open_processor):
        with pytest.raises(ModelError, match=says):
            load(tmp_path, "pad")


def test_engine_and_trainer_see_the_padded_image_and_crop(clip: Path) -> None:
    asked = tuple(direct_messages("Is there a nodule?"))

    def written(fit: ImageFit, image: Image.Image) -> float:
        engine = TransformersEngine.from_pretrained(clip, batch_size=2, image_fit=fit)
        request = GenerateRequest(asked, (image,), seed=0, temperature=0.0, top_p=1.0, max_new_tokens=4)
        return engine.generate([request])[0].logp

    image = noise(60, 41)
    assert written("pad", image) == written("as_is", square(image, "pad", 32)) != written("as_is", image)
    row = make_row(0, images=[{"bytes": encode_png(image), "path": "a.png"}])
    images = [image, *(decode(part["bytes"]) for part in row["side_images"])]
    padded = [torch.as_tensor(pixels(read_processor(clip), square(one, "pad", 32)))[0] for one in images]
    processor, ends, _ = open_processor(clip, "pad")
    batch = PairCollator(Renderer(processor, "per_side", ends), Margin("none"))([row])
    assert torch.equal(batch["pixel_values"], torch.stack([padded[0], padded[1], padded[0], padded[2]]))


def example(number: int, size: tuple[int, int]) -> Example:
    encoded = encode_png(Image.new("L", size))
    return Example(f"e{number}", f"i{number // 2}", encoded, "?", "Yes", "closed", "", "x-ray", "Yes")


def test_what_is_cropped_away_of_a_runs_images_is_said_once(
    clip: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    examples = [example(0, (100, 50)), example(1, (100, 50)), example(2, (80, 80))]  # two questions about the first
    assert image_sizes(examples) == [(100, 50), (80, 80)]
    crops, pads = (TransformersEngine.from_pretrained(clip, batch_size=1, image_fit=fit) for fit in ("as_is", "pad"))
    report_crops([crops, pads, crops], examples)
    said = "CLIPImageProcessor crops images to a square: 25.0% of the area of these 2 images is lost on average, 50%"
    line = f"{said} of images lose over 25%. Use image_fit=pad to keep all of it.\n"
    assert capfd.readouterr().err.count(line) == 1
    report_crops([crops], [example(0, (80, 80))])
    report_crops([pads], examples)
    assert capfd.readouterr().err == ""
