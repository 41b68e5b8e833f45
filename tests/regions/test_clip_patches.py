"""Tiny random CLIP and SigLIP models, saved with a tokenizer built here: both readings against a by-hand evaluation."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import Tensor
from torch.nn.functional import normalize
from transformers import (
    AutoModel,
    BertConfig,
    BertModel,
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPModel,
    PreTrainedTokenizerFast,
    SiglipConfig,
    SiglipImageProcessorPil,
    SiglipModel,
)

from clincot import recipe, regions
from clincot.errors import ModelError
from clincot.regions.base import Subject
from clincot.regions.clip_grad_cam import ClipGradCam
from clincot.regions.clip_patches import ClipPatches
from clincot.regions.extract import find_region

SIDE, PATCH, GRID = 32, 8, 4
WORDS = ["<pad>", "<end>", "<unk>", "a", "medical", "image", "showing", "effusion", "nodule", "mass", "pleural"]
HYPOTHESES = ["nodule", "pleural effusion"]
KINDS = ("clip", "siglip")


def write_model(folder: Path, kind: str) -> Path:
    """Write a model of two layers with its image processor (CLIP's crops) and a tokenizer of whole words."""
    torch.manual_seed(0)
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    text = size | {"vocab_size": len(WORDS), "max_position_embeddings": 16, "pad_token_id": 0, "eos_token_id": 1}
    vision = size | {"image_size": SIDE, "patch_size": PATCH}
    if kind == "clip":
        config: Any = CLIPConfig(text_config=text | {"bos_token_id": 2}, vision_config=vision, projection_dim=24)
        model: Any = CLIPModel(config)
        pixels: Any = CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
    else:
        config = SiglipConfig(text_config=text | {"projection_size": 32}, vision_config=vision)
        model = SiglipModel(config)
        pixels = SiglipImageProcessorPil(size={"height": SIDE, "width": SIDE})
    for name, weight in model.named_parameters():
        if weight.dim() > 1 and "layer" in name:
            torch.nn.init.normal_(weight, std=weight.shape[-1] ** -0.5)
    model.save_pretrained(folder)
    pixels.save_pretrained(folder)
    tokens = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    tokens.pre_tokenizer = pre_tokenizers.Whitespace()
    tokens.post_processor = processors.TemplateProcessing(single="$A <end>", special_tokens=[("<end>", 1)])
    PreTrainedTokenizerFast(
        tokenizer_object=tokens, pad_token="<pad>", eos_token="<end>", unk_token="<unk>"
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=KINDS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def subjects() -> list[Subject]:
    generator = np.random.default_rng(0)
    drawn = [generator.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in ((SIDE, SIDE), (20, 60), (50, 40))]
    return [Subject(str(i), Image.fromarray(values)) for i, values in enumerate(drawn)]


def by_hand(folder: Path, image: Image.Image, hypothesis: str) -> tuple[Tensor, float]:
    """Cosines of patches and text (4, 4), and of the whole image and the text, through the model's public calls."""
    model = AutoModel.from_pretrained(folder).eval()
    siglip = model.config.model_type == "siglip"
    mean, std = (torch.tensor(v) for v in (((0.5,) * 3, (0.5,) * 3) if siglip else (CLIP_MEAN, CLIP_STD)))
    pixels = ((torch.from_numpy(np.asarray(image).copy()) / 255.0 - mean) / std).permute(2, 0, 1)[None]
    ids = [WORDS.index(word) for word in f"a medical image showing {hypothesis}".split()] + [1]
    ids += [0] * (16 - len(ids)) if siglip else []
    with torch.no_grad():
        text = normalize(model.get_text_features(input_ids=torch.tensor([ids])).pooler_output[0], dim=0)
        whole = normalize(model.get_image_features(pixel_values=pixels).pooler_output[0], dim=0)
        tower = model.vision_model
        last = tower(pixel_values=pixels).last_hidden_state[0]
        if siglip:  # its last state is normed already
            patches = torch.stack([tower.head(token[None, None])[0] for token in last])
        else:
            patches = torch.stack([model.visual_projection(tower.post_layernorm(token)) for token in last[1:]])
    return (normalize(patches, dim=-1) @ text).reshape(GRID, GRID), float(whole @ text)


CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


def scaled(values: Tensor) -> np.ndarray:
    return ((values - values.min()) / (values.max() - values.min())).numpy()


def test_patch_maps_and_confidence_equal_a_by_hand_evaluation(folder: Path, subjects: list[Subject]) -> None:
    proposer = ClipPatches.from_pretrained(folder)
    for one in proposer.heat_maps(subjects[:1], [HYPOTHESES])[0]:
        cosines, whole = by_hand(folder, subjects[0].image, one.hypothesis)
        assert one.values.shape == (GRID, GRID) and one.values.dtype == np.float32
        assert np.allclose(one.values, scaled(cosines), atol=1e-4)
        model = proposer.encoder.model
        logit = model.logit_scale.exp() * whole + getattr(model, "logit_bias", 0)
        belief = float(logit.sigmoid()) if "siglip" in folder.name else (1 + whole) / 2
        assert one.confidence == pytest.approx(belief, abs=1e-5)


def test_grad_cam_is_gradient_times_activation_where_patches_are_pooled(folder: Path, subjects: list[Subject]) -> None:
    proposer = ClipGradCam.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()
    tower = model.vision_model
    pooled = tower.post_layernorm if "siglip" in folder.name else tower.encoder.layers[-1].layer_norm1
    kept: list[Tensor] = []

    def keep(module: torch.nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        output.retain_grad()
        kept.append(output)

    pooled.register_forward_hook(keep)
    for one in proposer.heat_maps(subjects[:1], [HYPOTHESES])[0]:
        kept.clear()
        text = proposer.encoder.texts([one.hypothesis])[0]
        pixels = proposer.encoder.pixels([subjects[0].image])
        image = model.get_image_features(pixel_values=pixels).pooler_output[0]
        (normalize(image, dim=0) @ text).backward()
        assert kept[0].grad is not None
        raises = (kept[0].grad * kept[0]).sum(-1)[0].detach().clamp(min=0)[-GRID * GRID :].reshape(GRID, GRID)
        assert raises.max() > 1e-3  # not rounding noise
        assert np.allclose(one.values, scaled(raises), atol=1e-3)


def test_a_patch_that_is_made_to_match_the_text_lights_up_and_becomes_the_region(folder: Path) -> None:
    proposer = ClipPatches.from_pretrained(folder)
    row, column = 2, 1
    text = proposer.encoder.texts(["mass"])[0]
    picture = torch.full((3, SIDE, SIDE), 128.0)
    part = (slice(None), slice(row * PATCH, row * PATCH + PATCH), slice(column * PATCH, column * PATCH + PATCH))
    mean, std = (proposer.encoder._images.image_mean, proposer.encoder._images.image_std)
    mean, std = torch.tensor(mean)[:, None, None], torch.tensor(std)[:, None, None]
    values = torch.rand(3, PATCH, PATCH, generator=torch.Generator().manual_seed(0)).mul(255).requires_grad_()
    towers = proposer.encoder.towers
    optimizer = torch.optim.Adam([values], lr=20.0)
    for _ in range(60):
        drawn = picture.clone()
        drawn[part] = values.clamp(0, 255)
        similar = towers.patches(towers.states(((drawn / 255 - mean) / std)[None])[1])[0] @ text
        place = row * GRID + column
        others = torch.cat([similar[:place], similar[place + 1 :]])
        optimizer.zero_grad()
        (others.logsumexp(0) - 4 * similar[place]).backward()
        optimizer.step()
    picture[part] = values.detach().clamp(0, 255).round()
    image = Image.fromarray(picture.permute(1, 2, 0).numpy().astype(np.uint8)).resize((256, 256), 0)
    heat_map = proposer.heat_maps([Subject("made", image)], [["mass"]])[0][0]
    assert np.unravel_index(heat_map.values.argmax(), heat_map.values.shape) == (row, column)
    region = find_region(image, heat_map, recipe.Regions(blur=0, least_side=16, threshold=2.0))
    assert region is not None
    middle = (column * 64 + 32, row * 64 + 32)
    assert region.box.left <= middle[0] < region.box.right and region.box.upper <= middle[1] < region.box.lower


@pytest.mark.parametrize("proposer_class", [ClipPatches, ClipGradCam])
def test_an_image_has_the_same_maps_alone_and_in_a_batch(
    proposer_class: type[ClipPatches], folder: Path, subjects: list[Subject]
) -> None:
    wanted = [["nodule"], [], ["mass", "effusion", "nodule"]]
    together = proposer_class.from_pretrained(folder).heat_maps(subjects, wanted)
    assert [[one.hypothesis for one in maps] for maps in together] == wanted
    other = proposer_class.from_pretrained(folder)
    for name, one in zip(wanted[2], together[2], strict=True):
        alone = other.heat_maps([subjects[2]], [[name]])[0][0]
        assert np.allclose(one.values, alone.values, atol=1e-4)
        assert one.confidence == pytest.approx(alone.confidence, abs=1e-6)


def test_an_image_is_encoded_once_for_all_hypotheses_and_a_text_once_for_all_images(
    folder: Path, subjects: list[Subject]
) -> None:
    proposer = ClipGradCam.from_pretrained(folder)
    counts = {"images": 0, "texts": 0}
    model = proposer.encoder.model
    model.vision_model.embeddings.register_forward_hook(lambda m, i, out: counts.update(images=counts["images"] + 1))
    model.text_model.register_forward_hook(lambda m, i, out: counts.update(texts=counts["texts"] + 1))
    proposer.heat_maps(subjects, [HYPOTHESES] * 3)
    proposer.heat_maps(subjects[:1], [HYPOTHESES])
    assert counts == {"images": 2, "texts": 2}  # three images are one forward, then one more


def test_the_grid_spans_the_whole_of_an_image_that_is_not_square(folder: Path) -> None:
    wide = Image.new("RGB", (4 * SIDE, SIDE))
    wide.paste((255, 255, 255), (0, 0, SIDE, SIDE))  # a centre crop would not see it
    pixels = ClipPatches.from_pretrained(folder).encoder.pixels([wide])
    assert pixels.shape == (1, 3, SIDE, SIDE)
    assert pixels[..., :4].min() > pixels[..., 12:].max()


def test_both_kinds_load_by_name_look_for_anything_and_have_keys_of_their_own(folder: Path) -> None:
    patches, cam = regions.load("clip_patches", folder, key="abc"), regions.load("clip_grad_cam", folder)
    assert patches.known is None and patches.key == "abc"
    assert isinstance(cam, ClipGradCam) and not isinstance(patches, ClipGradCam)
    assert cam.key == ClipGradCam.from_pretrained(folder).key != ClipPatches.from_pretrained(folder).key


def test_a_siglip_tokenizer_is_read_without_sentencepiece(tmp_path: Path, subjects: list[Subject]) -> None:
    folder = write_model(tmp_path / "siglip", "siglip")
    before = ClipPatches.from_pretrained(folder).encoder.texts(HYPOTHESES)
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"tokenizer_class": "SiglipTokenizer"}))
    if find_spec("sentencepiece"):
        pytest.skip("sentencepiece is installed")
    assert torch.equal(ClipPatches.from_pretrained(folder).encoder.texts(HYPOTHESES), before)


def test_other_models_and_empty_folders_are_refused_with_advice(tmp_path: Path) -> None:
    config = BertConfig(vocab_size=9, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)
    BertModel(config).save_pretrained(tmp_path / "bert")
    with pytest.raises(ModelError, match=r"is of type 'bert'\. Name a repository of a CLIPModel or SiglipModel"):
        ClipPatches.from_pretrained(tmp_path / "bert")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="cannot be loaded.*Name a repository of a CLIPModel or SiglipModel"):
        ClipPatches.from_pretrained(tmp_path / "empty")


def test_similarity_of_image_and_text_is_the_belief_without_the_template(folder: Path, subjects: list[Subject]) -> None:
    proposer = ClipPatches.from_pretrained(folder)
    pictures = [subject.image for subject in subjects]
    found = proposer.similarity(pictures, ["mass", "nodule", "mass"])
    towers = proposer.encoder.towers
    for picture, text, score in zip(pictures, ("mass", "nodule", "mass"), found, strict=True):
        with torch.no_grad():
            image = towers.image(towers.states(proposer.encoder.pixels([picture]))[1])[0]
            belief = towers.probability(image @ proposer.encoder.sentences([text])[0])
        assert score == pytest.approx(float(belief), abs=1e-5)
    assert len({round(score, 6) for score in found}) > 1
