"""`clincot hub log | import | export`: what a Hub without a network is filled from, looked into and read out by."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from command import clincot
from safetensors.torch import load_file
from typer.testing import CliRunner

from clincot import judges
from clincot.cli.hub import app
from clincot.errors import ClincotError
from clincot.hub import connect
from clincot.localhub import LocalHub
from tests.tiny import tiny_judge
from tests.traps import Trap

README = b"---\nconfigs:\n- config_name: all\n  data_files: rows.csv\n---\n# Rows\n"


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An embedded Hub with a dataset of two tagged versions and a model that brings a pickle."""
    folder = tmp_path_factory.mktemp("origin") / "hub"
    with connect(f"local:{folder}", main=False) as hub:
        old = {"rows.csv": b"a\n1\n", "gone.csv": b"a\n0\n", "README.md": README}
        hub.publish("dataset", "org/rows", old, tag="v1", message="First rows", private=False)
        new = {"rows.csv": b"a\n2\n", "README.md": README}
        hub.publish("dataset", "org/rows", new, tag="v2", message="Second rows", private=False, replace=("",))
        hub.publish(
            "model", "org/net", {"config.json": b"{}", "w.safetensors": b"w"}, tag=None, message="Net", private=True
        )
    with LocalHub(folder) as server:
        server.seed("model", "org/net", {"config.json": b"{}", "w.safetensors": b"w", "w.bin": b"pickle"})
    return folder


def names(hub: Path, kind: str, repo: str, revision: str = "main") -> set[str]:
    with connect(f"local:{hub}", main=False) as opened:
        return set(opened.list_files(opened.resolve(kind, repo, revision))) - {".gitattributes"}  # type: ignore[arg-type]


def test_log_lists_commits_newest_first_with_their_tags(origin: Path) -> None:
    out, err = clincot("hub", "log", str(origin), "org/rows", cwd=origin.parent)
    lines = out.splitlines()
    assert [re.sub(r"\s+", " ", line[30:]).strip() for line in lines] == [
        "v2 Second rows",
        "v1 First rows",
        "initial commit",
    ]
    assert re.match(r"[0-9a-f]{12}  \d{4}-\d\d-\d\d \d\d:\d\d  v2 ", lines[0])
    assert f"Next: clincot hub export org/rows@v2 rows --hub local:{origin}" in err


@pytest.mark.long
def test_import_copies_one_version_and_nothing_of_another(origin: Path, tmp_path: Path) -> None:
    words = ("org/rows", "--from", f"local:{origin}", "--hub", "local:copy", "--as", "mine/rows")
    _, err = clincot("hub", "import", *words, "--revision", "v1", "--tag", "old", cwd=tmp_path)
    assert "importing dataset org/rows@" in err and "Next: clincot hub log copy mine/rows" in err
    assert names(tmp_path / "copy", "dataset", "mine/rows") == {"rows.csv", "gone.csv", "README.md"}
    clincot("hub", "import", *words, "--revision", "v2", cwd=tmp_path)
    assert names(tmp_path / "copy", "dataset", "mine/rows") == {"rows.csv", "README.md"}
    assert names(tmp_path / "copy", "dataset", "mine/rows", "old") == {"rows.csv", "gone.csv", "README.md"}
    _, err = clincot("hub", "import", *words, "--revision", "v2", "--tag", "old", cwd=tmp_path, code=2)
    assert "a tag never moves" in err.lower()


def test_import_over_http_leaves_pickles_behind_and_keeps_private_what_was(origin: Path, tmp_path: Path) -> None:
    with LocalHub(origin) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_TOKEN", server.token)
        _, err = clincot("hub", "import", "org/net", "--from", server.endpoint, "--hub", "local:copy", cwd=tmp_path)
    assert "left out w.bin: a pickle" in err and "imported model org/net@" in err
    assert names(tmp_path / "copy", "model", "org/net") == {"config.json", "w.safetensors"}
    out, _ = clincot("hub", "ls", "copy", cwd=tmp_path)
    assert re.search(r"model +org/net .*private", out)


@pytest.fixture
def pickled(tmp_path: Path) -> Path:
    """A judge as BioMistral is published: its weights are a pickle alone; another pickle lies next to them."""
    folder = tiny_judge(tmp_path / "judge")
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").rename(tmp_path / "wanted.safetensors")
    (folder / "training_args.bin").write_bytes(b"code")
    return folder


@pytest.mark.long
def test_import_writes_the_weights_of_a_repository_of_pickles_as_safetensors(pickled: Path, tmp_path: Path) -> None:
    with LocalHub(tmp_path / "origin") as server:
        server.seed("model", "org/bio", {path.name: path.read_bytes() for path in pickled.iterdir()})
    words = ("org/bio", "--from", "local:origin", "--hub", "local:copy", "--tag", "v1")
    for _ in range(2):  # the same content on the tag is success
        _, err = clincot("hub", "import", *words, cwd=tmp_path)
    assert "only tensors are unpickled" in err and "left out training_args.bin: a pickle" in err
    kept = {path.name for path in pickled.iterdir()} - {"pytorch_model.bin", "training_args.bin"}
    assert names(tmp_path / "copy", "model", "org/bio", "v1") == kept | {"model.safetensors"}
    clincot("hub", "import", str(pickled), "--as", "me/bio", "--hub", "local:copy", cwd=tmp_path)
    wanted = load_file(tmp_path / "wanted.safetensors")
    with connect(f"local:{tmp_path / 'copy'}", main=False) as hub:
        for repo in ("org/bio", "me/bio"):
            folder = hub.snapshot(hub.resolve("model", repo))
            found = load_file(folder / "model.safetensors")
            assert found.keys() == wanted.keys() and all(torch.equal(found[name], wanted[name]) for name in wanted)
            judges.load("causal_lm", folder, name=repo, key="k", batch_size=1)


def test_a_pickle_that_holds_code_is_refused_by_name_and_not_run(pickled: Path, tmp_path: Path) -> None:
    torch.save({"a": Trap(tmp_path / "ran")}, pickled / "pytorch_model.bin")
    _, err = clincot("hub", "import", "judge", "--as", "me/bio", "--hub", "local:copy", cwd=tmp_path, code=2)
    assert "pytorch_model.bin: holds more than tensors" in err and "Traceback" not in err
    assert not (tmp_path / "ran").exists() and "me/bio" not in clincot("hub", "ls", "copy", cwd=tmp_path)[0]


def test_a_folder_goes_in_and_comes_out_again(tmp_path: Path) -> None:
    (tmp_path / "data/.git").mkdir(parents=True)
    (tmp_path / "data/.git/config").write_text("secret")
    (tmp_path / "data/rows.csv").write_text("a\n1\n")
    (tmp_path / "data/README.md").write_bytes(README)
    clincot("hub", "import", "data", "--as", "me/rows", "--hub", "local:hub", "--tag", "v1", cwd=tmp_path)
    out, err = clincot("hub", "export", "me/rows@v1", "out", "--hub", "local:hub", cwd=tmp_path)
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"rows.csv", "README.md"}
    assert "wrote 2 files of dataset me/rows at " in err
    from datasets import load_dataset

    line = out.splitlines()[1]
    assert line == 'rows = load_dataset("out", "all")'
    assert load_dataset(str(tmp_path / "out"), "all", cache_dir=str(tmp_path / "cache"))["train"]["a"] == [1]
    _, err = clincot("hub", "export", "me/rows@v1", "out", "--hub", "local:hub", cwd=tmp_path, code=2)
    assert "out: is not empty" in err and "Traceback" not in err


def test_an_exported_adapter_says_how_to_load_it(
    finished_run: tuple[Path, str, str], small_hub: Path, tmp_path: Path
) -> None:
    out, _ = clincot("hub", "export", "demo/loop@round-1", "adapter", "--hub", f"local:{small_hub}", cwd=tmp_path)
    assert 'PeftModel.from_pretrained(base, "adapter")' in out and '"clincot/phantom-policy"' in out
    config = json.loads((tmp_path / "adapter/adapter_config.json").read_text())
    assert config["peft_type"] == "LORA" and not (tmp_path / "adapter/adapter_model.safetensors").is_symlink()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("log", "nowhere", "a/b"), "no such folder"),
        (("log", "ORIGIN", "a/b"), "a/b is not there"),
        (("export", "org/rows", "out"), "names no revision. Write REPO@REV"),
        (("export", "org/rows@v9", "out", "--hub", "local:ORIGIN"), "no revision 'v9'. Its tags: v1, v2"),
        (("export", "org/rows@v1", "out", "--hub", "local:nowhere"), "no such folder"),
        (("import", "."), "is a folder; give --as"),
        (("import", ".", "--as", "a/b", "--revision", "v1"), "a folder has no revisions"),
        (("import", "empty", "--as", "a/b"), "holds no file to import"),
        (("import", "full", "--as", "a b"), "is no repo id"),
        (("import", "full", "--as", "a/mimic-cxr", "--kind", "dataset"), "looks like MIMIC data"),
        (("import", "org/rows", "--from", "local:ORIGIN", "--as", "a/mimic"), "looks like MIMIC data"),
    ],
)
def test_mistakes_are_named(
    words: tuple[str, ...], says: str, origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/rows.csv").write_text("a\n1\n")
    monkeypatch.chdir(tmp_path)
    given = [word.replace("ORIGIN", str(origin)) for word in words]
    with pytest.raises(ClincotError, match=re.escape(says)):
        CliRunner().invoke(app, given, catch_exceptions=False)
