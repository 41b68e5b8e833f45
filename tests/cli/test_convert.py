"""`clincot convert` as a user runs it: from an authors' files to a folder, and mistakes with exit code 2."""

from __future__ import annotations

import json
from pathlib import Path

import llava_med_files
import medklip_files
import pytest
import torch
from command import SMALL, clincot
from safetensors import safe_open


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a checkpoint, descriptions, an encoder, and a checkpoint that lacks a weight."""
    folder = tmp_path_factory.mktemp("files")
    state = medklip_files.random_state()
    medklip_files.write_checkpoint(folder / "checkpoint.pth", state)
    del state["decoder.norm.weight"]
    medklip_files.write_checkpoint(folder / "broken.pth", state)
    medklip_files.write_descriptions(folder / "descriptions.json")
    medklip_files.write_encoder(folder / "encoder")
    return folder


def test_a_checkpoint_becomes_a_folder_with_the_text_encoder_of_a_hub(files: Path) -> None:
    hub = f"local:{files / 'hub'}"
    clincot("hub", "import", "encoder", "--as", "me/encoder", "--kind", "model", "--hub", hub, cwd=files)
    words = ("checkpoint.pth", "--descriptions", "descriptions.json", "--text-encoder", "me/encoder", "out")
    _, err = clincot("convert", "medklip", *words, "--hub", hub, cwd=files)
    assert "Keep it private" in err and "Next: clincot hub import out --as NAMESPACE/medklip" in err
    assert {path.name for path in (files / "out").iterdir()} == {"config.json", "model.safetensors", "README.md"}
    with safe_open(files / "out" / "model.safetensors", "pt") as weights:
        assert weights.get_slice("descriptions").get_shape() == [75, 768]
    config = json.loads((files / "out" / "config.json").read_text())
    assert config["text_encoder"].startswith("me/encoder@") and len(config["converted_sha256"]) == 64
    readme = (files / "out" / "README.md").read_text()
    assert config["converted_sha256"] in readme and "do not redistribute" in readme


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("broken.pth", "--text-encoder", "encoder"), "broken.pth: lacks decoder.norm.weight."),
        (("nothing.pth", "--text-encoder", "encoder"), "file 'nothing.pth' does not exist"),
        (("checkpoint.pth", "--text-encoder", "me/absent", "--hub", "local:other"), "no model me/absent"),
    ],
    ids=["a missing weight", "no file", "no encoder"],
)
def test_mistakes_exit_2_with_a_message_and_write_nothing(words: tuple[str, ...], says: str, files: Path) -> None:
    _, err = clincot("convert", "medklip", *words, "--descriptions", "descriptions.json", "no", cwd=files, code=2)
    assert says in err and "Traceback" not in err
    assert not (files / "no").exists()


@pytest.mark.long
def test_llava_med_of_a_hub_converts_and_passes_the_check(tmp_path: Path) -> None:
    llava_med_files.write(tmp_path / "source")
    hub = ("--hub", f"local:{tmp_path / 'hub'}")
    clincot("hub", "import", "source", "--as", "me/source", "--kind", "model", *hub, cwd=tmp_path)
    _, err = clincot("convert", "llava-med", "me/source", "out", "--logits", *hub, cwd=tmp_path)
    assert "wrote out: 80 tensors (float32) in 1 files" in err and "logits equal to the source's" in err
    assert "Next: clincot hub import out" in err
    assert json.loads((tmp_path / "out" / "conversion.json").read_text())["source"].startswith("me/source@")
    lines, _ = clincot("convert", "check", "out", cwd=tmp_path)
    assert len(lines.splitlines()) == 9 and all(line.startswith("ok ") for line in lines.splitlines())
    (tmp_path / "out" / "chat_template.jinja").unlink()
    lines, err = clincot("convert", "check", "out", cwd=tmp_path, code=2)
    assert "fails  template" in lines and "out: template: is missing. Add chat_template.jinja" in err
    _, err = clincot("convert", "check", "source", cwd=tmp_path, code=2)
    assert "Convert it: `clincot convert llava-med`." in err and "Traceback" not in err


def test_pickled_weights_convert(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    torch.save({"a": torch.ones(3)}, tmp_path / "source" / "pytorch_model.bin")
    (tmp_path / "source" / "config.json").write_text("{}")
    (tmp_path / "source" / "optimizer.pt").write_bytes(b"")
    _, err = clincot("convert", "weights", "source", "out", cwd=tmp_path)
    assert "left behind, no weights that are converted: optimizer.pt" in err and "wrote out: 1 tensors" in err
    assert (tmp_path / "out" / "model.safetensors").is_file()


@pytest.mark.long
def test_a_converted_llava_med_is_built_on_trained_evaluated_and_exported(small_hub: Path, tmp_path: Path) -> None:
    llava_med_files.write(tmp_path / "source")
    hub = ("--hub", f"local:{small_hub}")
    clincot("convert", "llava-med", "source", "out", cwd=tmp_path)
    clincot("hub", "import", "out", "--as", "me/llava-med", "--kind", "model", *hub, cwd=tmp_path)
    mine = ("--set=models.policy.repo=me/llava-med", "--set=build.max_new_tokens=8", "--set=evaluate.max_new_tokens=8")
    # Random weights end no text: each is cut, in one step.
    mine += ("--set=build.cut_texts=train", "--set=method.steps=1", "--set=method.min_gap=0.0000001")
    out, err = clincot("run", "--set=rounds=1", "--name", "loop", *hub, *SMALL, *mine, cwd=tmp_path)
    assert "round 1 - base" in out
    clincot("export", "merged", "--merged", "--name", "loop", *hub, cwd=tmp_path)
    lines, _ = clincot("convert", "check", "merged", cwd=tmp_path)
    assert not [line for line in lines.splitlines() if line.startswith("fails")]
