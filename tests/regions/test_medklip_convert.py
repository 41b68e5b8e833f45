"""What the conversion of a MedKLIP checkpoint refuses, by name, and what it writes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import medklip_files
import pytest
import torch
from torch import Tensor

from clincot.errors import ClincotError
from clincot.regions._medklip_checkpoint import fitted, read_checkpoint
from clincot.regions._medklip_descriptions import embed, read_descriptions
from clincot.regions._medklip_model import ENTITIES, MedKlipConfig, MedKlipModel
from clincot.regions.medklip_convert import convert

State = dict[str, Tensor]


@pytest.fixture(scope="module")
def state() -> State:
    return medklip_files.random_state()


@pytest.fixture(scope="module")
def model() -> MedKlipModel:
    return MedKlipModel(MedKlipConfig())


def test_every_weight_of_the_authors_file_has_its_place(state: State, model: MedKlipModel) -> None:
    found = fitted(state, model, "file")
    assert found.keys() | {"descriptions"} == model.state_dict().keys()
    used = {tensor.data_ptr() for tensor in found.values()}
    unused = {name for name, tensor in state.items() if tensor.data_ptr() not in used}
    assert unused == {"cl_fc.weight", "cl_fc.bias"}


BROKEN: dict[str, tuple[Callable[[State], object], str]] = {
    "missing": (
        lambda s: s.pop("res_features.5.2.bn3.running_var"),
        r"file: lacks res_features\.5\.2\.bn3\.running_var\.",
    ),
    "missing layer": (
        lambda s: [s.pop(name) for name in list(s) if name.startswith("decoder.layers.3.")],
        r"lacks decoder\.layers\.3\.linear1\.bias, .* and 8 more\.",
    ),
    "unexpected": (
        lambda s: s.update({"bert_model.pooler.dense.bias": torch.zeros(1)}),
        r"has unexpected bert_model\.pooler\.dense\.bias\.",
    ),
    "shape": (
        lambda s: s.update({"classifier.weight": torch.zeros(14, 256)}),
        r"classifier\.weight has shape \(14, 256\), MedKLIP's is \(2, 256\)",
    ),
    "not finite": (lambda s: s.update({"res_l1.bias": torch.full((1024,), torch.nan)}), r"res_l1\.bias holds numbers"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_wrong_weights_are_refused_by_their_names(case: str, state: State, model: MedKlipModel) -> None:
    change, says = BROKEN[case]
    broken = dict(state)
    change(broken)
    with pytest.raises(ClincotError, match=says):
        fitted(broken, model, "file")


class Intruder:
    """Unpickling it would run code."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('ran')",)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"model": Intruder()}, "cannot be read as a checkpoint of tensors"),
        ({"state_dict": {}}, "has no entry 'model'"),
        ([1, 2], "has no entry 'model'"),
        ({"model": {"module.cl_fc.weight": 3}}, "entry 'module.cl_fc.weight' of 'model' is no tensor"),
    ],
)
def test_other_files_are_refused_and_never_run(content: object, says: str, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "file.pth")
    with pytest.raises(ClincotError, match=says):
        read_checkpoint(tmp_path / "file.pth")


def test_missing_empty_and_cut_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ClincotError, match="no such file"):
        read_checkpoint(tmp_path / "nothing.pth")
    (tmp_path / "empty.pth").write_bytes(b"")
    with pytest.raises(ClincotError, match="cannot be read"):
        read_checkpoint(tmp_path / "empty.pth")
    torch.save({"model": {"a": torch.zeros(999)}}, tmp_path / "cut.pth")
    (tmp_path / "cut.pth").write_bytes((tmp_path / "cut.pth").read_bytes()[:700])
    with pytest.raises(ClincotError, match="cannot be read"):
        read_checkpoint(tmp_path / "cut.pth")
    with pytest.raises(ClincotError, match="cannot be read"):
        read_checkpoint(tmp_path)


def test_descriptions_keep_the_authors_order_with_their_misspelt_key(tmp_path: Path) -> None:
    path = medklip_files.write_descriptions(tmp_path / "d.json")
    texts = read_descriptions(path)
    assert texts[20] == "eumonia is seen in the lung number 20" and ENTITIES[20] == "pneumonia"
    content = json.loads(path.read_text())
    for broken, says in (
        (list(content.values()), "holds 75 entries, not 75 names with descriptions|holds a list"),
        (dict(list(content.items())[:74]), "holds 74 entries, not 75"),
        (dict(sorted(content.items())), "entry 0 is 'abnormality', not 'normal'. Keep the authors' order"),
        (content | {"tip": ""}, "the description of 'tip' is no text"),
    ):
        path.write_text(json.dumps(broken))
        with pytest.raises(ClincotError, match=says):
            read_descriptions(path)
    path.write_text("{")
    with pytest.raises(ClincotError, match="cannot be read as JSON"):
        read_descriptions(path)
    with pytest.raises(ClincotError, match="no such file"):
        read_descriptions(tmp_path / "nothing.json")


def test_unfit_text_encoders_are_refused_with_the_authors_own(tmp_path: Path) -> None:
    narrow = medklip_files.write_encoder(tmp_path / "narrow", width=48)
    with pytest.raises(ClincotError, match="has width 48 .* needed are 768 .*emilyalsentzer/Bio_ClinicalBERT"):
        embed(("a text",), narrow, "narrow", 768)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ClincotError, match="text encoder empty: cannot be loaded"):
        embed(("a text",), tmp_path / "empty", "empty", 768)


def test_nothing_is_written_over_a_folder_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(ClincotError, match="is not an empty folder"):
        convert(tmp_path / "c.pth", tmp_path / "d.json", tmp_path, tmp_path / "out")
