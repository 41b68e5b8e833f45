"""A random checkpoint in the authors' layout, converted: its maps against the formula over the raw tensors."""

from __future__ import annotations

import json
from pathlib import Path

import medklip_files
import numpy as np
import pytest
import torch
from medklip_files import NAMES
from PIL import Image
from torch import Tensor
from torch.nn import functional
from transformers import BertModel, BertTokenizer

from clincot import regions
from clincot.chain.hypotheses import hypotheses
from clincot.errors import ModelError
from clincot.regions.base import Subject
from clincot.regions.medklip import MedKlip, medklip_pixels
from clincot.regions.medklip_convert import convert

State = dict[str, Tensor]


@pytest.fixture(scope="module")
def state() -> State:
    return medklip_files.random_state()


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return medklip_files.write_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, state: State, encoder: Path) -> Path:
    """The random checkpoint, converted."""
    work = tmp_path_factory.mktemp("medklip")
    checkpoint = medklip_files.write_checkpoint(work / "checkpoint.pth", state)
    convert(checkpoint, medklip_files.write_descriptions(work / "observation explanation.json"), encoder, work / "out")
    return work / "out"


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    generator = np.random.default_rng(0)
    grey = [generator.integers(0, 256, shape, dtype=np.uint8) for shape in ((9, 7), (16, 16))]
    return [Image.fromarray(values).convert("RGB").resize((300, 180)) for values in grey]


@pytest.fixture(scope="module")
def subjects(pictures: list[Image.Image]) -> list[Subject]:
    return [Subject(str(i), picture) for i, picture in enumerate(pictures)]


# The independent evaluation: conv, norms, softmax(Q K^T / sqrt d) V written out, from the checkpoint's own names.


def batch_norm(s: State, name: str, x: Tensor) -> Tensor:
    scale = s[f"{name}.weight"] / (s[f"{name}.running_var"] + 1e-5).sqrt()
    return (x - s[f"{name}.running_mean"][:, None, None]) * scale[:, None, None] + s[f"{name}.bias"][:, None, None]


def resnet(s: State, x: Tensor) -> Tensor:
    x = batch_norm(s, "res_features.1", functional.conv2d(x, s["res_features.0.weight"], stride=2, padding=3)).relu()
    x = functional.max_pool2d(x, 3, 2, 1)
    for child, depth in ((4, 3), (5, 4), (6, 6)):
        for layer in range(depth):
            name, stride = f"res_features.{child}.{layer}", 2 if layer == 0 and child > 4 else 1
            y = batch_norm(s, f"{name}.bn1", functional.conv2d(x, s[f"{name}.conv1.weight"])).relu()
            y = functional.conv2d(y, s[f"{name}.conv2.weight"], stride=stride, padding=1)
            y = functional.conv2d(batch_norm(s, f"{name}.bn2", y).relu(), s[f"{name}.conv3.weight"])
            if layer == 0:
                x = functional.conv2d(x, s[f"{name}.downsample.0.weight"], stride=stride)
                x = batch_norm(s, f"{name}.downsample.1", x)
            x = (batch_norm(s, f"{name}.bn3", y) + x).relu()
    return x


def linear(s: State, name: str, x: Tensor) -> Tensor:
    return x @ s[f"{name}.weight"].T + s[f"{name}.bias"]


def layer_norm(s: State, name: str, x: Tensor) -> Tensor:
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt() * s[f"{name}.weight"] + s[f"{name}.bias"]


def attention(s: State, name: str, queries: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """(q, 256), (t, 256) -> (q, 256) and the weights averaged over 4 heads of 64 (q, t)."""
    weight, bias = s[f"{name}.in_proj_weight"], s[f"{name}.in_proj_bias"]
    q = queries @ weight[:256].T + bias[:256]
    k = tokens @ weight[256:512].T + bias[256:512]
    v = tokens @ weight[512:].T + bias[512:]
    found, weights = [], []
    for head in range(4):
        part = slice(64 * head, 64 * head + 64)
        scores = q[:, part] @ k[:, part].T / 8.0
        scores = (scores - scores.amax(-1, keepdim=True)).exp()
        weights.append(scores / scores.sum(-1, keepdim=True))
        found.append(weights[-1] @ v[:, part])
    return linear(s, f"{name}.out_proj", torch.cat(found, -1)), torch.stack(weights).mean(0)


def by_hand(s: State, pixels: Tensor, table: Tensor) -> tuple[Tensor, Tensor]:
    """One image (1, 3, 224, 224) -> maps (75, 14, 14), presence probabilities (75)."""
    features = resnet(s, pixels)[0].reshape(1024, 196).T
    tokens = linear(s, "res_l2", linear(s, "res_l1", features).relu())
    x, maps = linear(s, "disease_embedding_layer", table), []
    for layer in range(4):
        name = f"decoder.layers.{layer}"
        normed = layer_norm(s, f"{name}.norm1", x)
        x = x + attention(s, f"{name}.self_attn", normed, normed)[0]
        found, weights = attention(s, f"{name}.multihead_attn", layer_norm(s, f"{name}.norm2", x), tokens)
        x, maps = x + found, [*maps, weights]
        hidden = linear(s, f"{name}.linear1", layer_norm(s, f"{name}.norm3", x)).relu()
        x = x + linear(s, f"{name}.linear2", hidden)
    present = linear(s, "classifier", layer_norm(s, "decoder.norm", x)).exp()
    return sum(maps).reshape(75, 14, 14) / 4, present[:, 1] / present.sum(-1)


def table_by_hand(encoder: Path) -> Tensor:
    """[CLS] of each description: lower case, no [SEP], 64 tokens with the [CLS], as the authors' tokenizer cuts."""
    tokenizer = BertTokenizer(vocab=str(encoder / "vocab.txt"))
    model = BertModel.from_pretrained(encoder).eval()
    texts = json.loads(medklip_files.write_descriptions(encoder.parent / "again.json").read_text()).values()
    rows = []
    for text in texts:
        ids = [tokenizer.cls_token_id, *tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text))][:64]
        with torch.no_grad():
            rows.append(model(input_ids=torch.tensor([ids])).last_hidden_state[0, 0])
    return torch.stack(rows)


def test_maps_and_presence_equal_the_formula_evaluated_from_the_checkpoint(
    state: State, encoder: Path, folder: Path, pictures: list[Image.Image], subjects: list[Subject]
) -> None:
    medklip = MedKlip.from_pretrained(folder)
    table = table_by_hand(encoder)
    assert torch.allclose(medklip.model.descriptions, table, atol=1e-5)
    pixels = medklip_pixels(pictures, medklip.model.config)
    with torch.no_grad():
        output = medklip.model(pixels)
        expected = [by_hand(state, one[None], table) for one in pixels]
    maps, present = torch.stack([m for m, _ in expected]), torch.stack([p for _, p in expected])
    assert maps.amax() > 2 / 196  # far from uniform, so that equality says something
    assert (maps[:, 8] - maps[:, 20]).abs().max() > 1e-3  # and not one map for all queries
    assert torch.allclose(output.maps, maps, atol=1e-5)
    assert torch.allclose(output.logits.softmax(-1)[..., 1], present, atol=1e-5)
    found = medklip.heat_maps(subjects, [["pneumonia"], ["disease", "effusion"]])
    for one, row, place in ((found[0][0], 0, 20), (found[1][0], 1, 29), (found[1][1], 1, 8)):
        values = maps[row, place].numpy()
        assert np.allclose(one.values, (values - values.min()) / (values.max() - values.min()), atol=1e-3)
        assert one.confidence == pytest.approx(float(present[row, place]), abs=1e-5)


def test_pixels_are_the_whole_image_at_224_normalised_as_imagenet(folder: Path) -> None:
    wide = Image.new("RGB", (600, 100))
    wide.paste((255, 255, 255), (300, 0, 600, 100))
    pixels = medklip_pixels([wide], MedKlip.from_pretrained(folder).model.config)
    assert pixels.shape == (1, 3, 224, 224)
    expected = [
        [(v - m) / d for m, d in zip((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), strict=True)] for v in (0, 1)
    ]
    assert torch.allclose(pixels[0, :, 5, 5], torch.tensor(expected[0]), atol=1e-5)
    assert torch.allclose(pixels[0, :, 5, 220], torch.tensor(expected[1]), atol=1e-5)


def test_it_loads_by_its_kind_with_the_75_names_in_order_and_the_key_it_is_given(folder: Path) -> None:
    medklip = regions.load("medklip", folder, key="abc")
    assert (medklip.key, medklip.name) == ("abc", str(folder))
    assert medklip.known == tuple("pneumonia" if name == "eumonia" else name for name in NAMES)
    assert MedKlip.from_pretrained(folder).key == MedKlip.from_pretrained(folder).key != "abc"


def test_the_default_chest_hypotheses_are_all_known(folder: Path, subjects: list[Subject]) -> None:
    medklip = MedKlip.from_pretrained(folder)
    wanted = hypotheses("chest x-ray", ["Is there an effusion?"], 6, medklip.known)
    assert wanted == ("effusion", "disease", "lesion", "normal", "pneumonia", "cardiomegaly")
    found = medklip.heat_maps(subjects[:1], [wanted])[0]
    assert [one.hypothesis for one in found] == list(wanted)
    for one in found:
        assert one.values.shape == (14, 14) and one.values.dtype == np.float32
        assert (one.values.min(), one.values.max()) == (0.0, 1.0)
        assert 0.0 < one.confidence < 1.0


def test_an_image_has_the_same_maps_alone_and_in_a_batch(folder: Path, subjects: list[Subject]) -> None:
    medklip = MedKlip.from_pretrained(folder)
    together = medklip.heat_maps(subjects, [[], ["nodule", "mass"]])
    alone = medklip.heat_maps(subjects[1:], [["nodule", "mass"]])
    assert together[0] == []
    for one, other in zip(together[1], alone[0], strict=True):
        assert np.allclose(one.values, other.values, atol=1e-4)
        assert one.confidence == pytest.approx(other.confidence, abs=1e-5)


def test_names_of_chestxray14_are_read_and_unknown_ones_refused(folder: Path, subjects: list[Subject]) -> None:
    medklip = MedKlip.from_pretrained(folder)
    alias, entity = medklip.heat_maps(subjects[:1], [["infiltration", "infiltrate"]])[0]
    assert alias.hypothesis == "infiltration"
    assert np.array_equal(alias.values, entity.values)
    with pytest.raises(ModelError, match=r"cannot look for 'liver cancer'\. Use hypotheses among: normal, clear"):
        medklip.heat_maps(subjects[:1], [["liver cancer"]])


def test_a_folder_without_a_conversion_or_with_missing_weights_says_how_to_make_one(
    folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="holds no converted MedKLIP.*clincot convert medklip"):
        MedKlip.from_pretrained(tmp_path / "nothing")
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    del weights["head.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    with pytest.raises(ModelError, match=r"lacks 1 weights, first 'head\.weight'.*clincot convert medklip"):
        MedKlip.from_pretrained(tmp_path)
