"""`clincot convert medklip` as a user runs it: from an authors' file to a folder, and mistakes with exit code 2."""

from __future__ import annotations

import json
from pathlib import Path

import medklip_files
import pytest
from command import clincot
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
