"""Models that cannot do what a build asks of them: one message each; `image_layout: canvas` for one-image policies."""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from command import SMALL, clincot

from clincot.hub import connect

SECOND = "{%- if block['type'] == 'image' -%}<image>"
FIRST_ONLY = "{%- if block['type'] == 'image' -%}{%- if loop.first -%}<image>{%- endif -%}"

ALTERED = {
    "policy": ("one-image", "no-image", "short-policy", "no-template", "pieces", "cut"),
    "judge-a": ("plain-text", "no-digits", "pieces-judge", "cut-judge"),
}
PIECES = "needs the packages sentencepiece and protobuf. Run `pip install sentencepiece protobuf`"
WITHOUT_PIECES = pytest.mark.skipif(find_spec("sentencepiece") is not None, reason="sentencepiece is installed")


@pytest.fixture(scope="module")
def hub(small_hub: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Put altered copies of the tiny models beside them, as a user would."""
    folder = tmp_path_factory.mktemp("altered")
    shutil.copytree(small_hub, folder / "hub")
    clincot("build-data", "--name", "plain", "--hub", "local:hub", *SMALL, cwd=folder)  # publishes the tiny models
    with connect(f"local:{folder / 'hub'}", main=False) as opened:
        for of, names in ALTERED.items():
            source = opened.snapshot(opened.resolve("model", f"clincot/phantom-{of}"))
            for name in names:
                shutil.copytree(source, folder / name)
    _replace(folder / "one-image/chat_template.jinja", SECOND, FIRST_ONLY)
    _change(
        folder / "short-policy/config.json", lambda config: config["text_config"].update(max_position_embeddings=100)
    )
    _replace(folder / "no-image/chat_template.jinja", "<image>", "")
    for name in ("plain-text", "no-template"):
        (folder / name / "chat_template.jinja").unlink()
    for name in ("pieces", "pieces-judge"):
        (folder / name / "tokenizer.json").rename(folder / name / "tokenizer.model")
    for name in ("cut", "cut-judge"):
        weights = folder / name / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-1000])
    words = [{"type": "Replace", "pattern": {"String": str(i)}, "content": "digit"} for i in range(10)]
    normalizer = {"type": "Sequence", "normalizers": words}
    _change(folder / "no-digits/tokenizer.json", lambda tokenizer: tokenizer.update(normalizer=normalizer))
    for name in (name for names in ALTERED.values() for name in names):
        clincot("hub", "import", name, "--as", f"some/{name}", "--kind", "model", "--hub", "local:hub", cwd=folder)
    return folder / "hub"


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def _change(path: Path, change) -> None:  # type: ignore[no-untyped-def]
    tree = json.loads(path.read_text())
    change(tree)
    path.write_text(json.dumps(tree))


def judged_by(name: str) -> str:
    return f"--set=models.judges=[{{repo: clincot/phantom-judge-b}}, {{repo: some/{name}}}]"


@pytest.mark.long
@pytest.mark.parametrize(
    ("override", "says"),
    [
        (
            "--set=models.policy.repo=some/one-image",
            ("policy some/one-image@", "1 image tokens for 2 images", "--set image_layout=canvas"),
        ),
        (
            "--set=models.policy.repo=some/no-image",
            ("policy some/no-image@", "does not read an image in a prompt (its chat template writes 0 image tokens"),
        ),
        (
            "--set=models.policy.repo=some/no-template",
            ("policy some/no-template@", "has no chat template", "llava-1.5", "Add chat_template.jinja"),
        ),
        pytest.param("--set=models.policy.repo=some/pieces", ("policy some/pieces@", PIECES), marks=WITHOUT_PIECES),
        pytest.param(judged_by("pieces-judge"), ("judge some/pieces-judge@", PIECES), marks=WITHOUT_PIECES),
        ("--set=models.policy.repo=some/cut", ("policy some/cut@", "model.safetensors is cut, it has", "Download")),
        (judged_by("cut-judge"), ("judge some/cut-judge@", "model.safetensors is cut, it has", "Download")),
        (
            "--set=models.policy.repo=some/short-policy",
            (
                "questions can be asked",
                "too long for the policy",
                "exceed its context of 100 (",
                "build.max_new_tokens",
            ),
        ),
        # Asked in plain text, the tiny judge writes no digits: every rating is a failure, and some are shown.
        (judged_by("plain-text"), ("ratings cannot be read", "build.judging.failure_limit = 0.5", "statement '")),
        (judged_by("no-digits"), ("judge some/no-digits: '0' is not a single token", "Name a model")),
    ],
)
def test_a_model_that_cannot_do_it_is_refused(override: str, says: tuple[str, ...], hub: Path, tmp_path: Path) -> None:
    _, err = clincot("build-data", "--hub", f"local:{hub}", *SMALL, override, cwd=tmp_path, code=2)
    assert all(part in err for part in says) and "Traceback" not in err, err
    assert ("canvas" in err) == ("one-image" in override), err  # offered only where one image works


@pytest.mark.long
def test_a_policy_of_one_image_is_built_trained_and_evaluated_on_a_canvas(hub: Path, tmp_path: Path) -> None:
    words = ("--set=models.policy.repo=some/one-image", "--set=image_layout=canvas", "--set=rounds=1")
    out, err = clincot("run", "--push", "--name", "canvas", "--hub", f"local:{hub}", *SMALL, *words, cwd=tmp_path)
    assert "pushing model demo/canvas (round-1)" in err and "closed accuracy" in out
