"""Files that a `.gitignore` names are not uploaded, whether it is in the repo already or comes with them."""

from __future__ import annotations

import base64
import io
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from clincot.localhub import LocalHub
from clincot.localhub.routes.ignoring import IgnoreRules

from .conftest import REPO, Ask

API = f"/api/models/{REPO}"


def uploaded(api: HfApi, folder: Path, files: dict[str, str], **options: object) -> set[str]:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    api.upload_folder(repo_id=REPO, folder_path=folder, **options)
    return set(api.list_repo_files(REPO, revision=options.get("revision"))) - {".gitattributes", ".gitignore"}


def test_a_gitignore_in_the_repo_keeps_files_back(api: HfApi, tmp_path: Path):
    rules = "/patients/\n*.dcm\n!public.dcm\nscans/*\n!scans/kept.txt\n"
    api.upload_file(path_or_fileobj=rules.encode(), path_in_repo=".gitignore", repo_id=REPO)
    kept = {"a.txt", "public.dcm", "scans/kept.txt", "sub/patients/c.txt"}
    dropped = {"patients/a.txt", "patients/deep/b.png", "patients/public.dcm", "x.dcm", "sub/y.dcm", "scans/z.txt"}
    assert uploaded(api, tmp_path / "source", dict.fromkeys(kept | dropped, "x")) == kept


def test_one_below_speaks_for_its_folder_and_overrules_the_one_above(api: HfApi, tmp_path: Path):
    api.upload_file(path_or_fileobj=b"*.csv\n", path_in_repo=".gitignore", repo_id=REPO)
    api.upload_file(path_or_fileobj=b"!*.csv\n/raw\n", path_in_repo="sub/.gitignore", repo_id=REPO)
    files = dict.fromkeys(["a.csv", "sub/b.csv", "sub/raw/c.txt", "sub/deep/raw", "raw"], "x")
    assert uploaded(api, tmp_path / "source", files) - {"sub/.gitignore"} == {"sub/b.csv", "sub/deep/raw", "raw"}


def test_one_that_comes_with_the_upload_counts_instead(api: HfApi, tmp_path: Path):
    api.upload_file(path_or_fileobj=b"*.txt\n", path_in_repo=".gitignore", repo_id=REPO)
    files = {".gitignore": "*.csv\n", "sub/.gitignore": "b.txt\n"}
    files |= dict.fromkeys(["a.txt", "a.csv", "sub/b.txt", "sub/a.txt"], "x")
    assert uploaded(api, tmp_path / "source", files) == {"a.txt", "sub/a.txt", "sub/.gitignore"}


def test_each_revision_has_its_own(api: HfApi, tmp_path: Path):
    api.create_branch(REPO, branch="dev")
    api.upload_file(path_or_fileobj=b"secret\n", path_in_repo=".gitignore", repo_id=REPO, revision="dev")
    files = {"secret": "x", "open": "x"}
    assert uploaded(api, tmp_path / "dev", files, revision="dev") == {"open"}
    assert uploaded(api, tmp_path / "main", files) == {"open", "secret"}
    adds = [CommitOperationAdd("secret", b"y"), CommitOperationAdd("more", b"y")]
    done = api.create_commit(REPO, adds, commit_message="a request", revision="dev", create_pr=True)
    assert set(api.list_repo_files(REPO, revision=done.pr_revision)) == {".gitattributes", ".gitignore", "open", "more"}


def test_large_files_and_windows_line_ends(api: HfApi):
    api.upload_file(path_or_fileobj=b"\xef\xbb\xbf# \r\nweights/\r\n", path_in_repo=".gitignore", repo_id=REPO)
    adds = [CommitOperationAdd("weights/w.safetensors", io.BytesIO(b"\0" * 999)), CommitOperationAdd("b.txt", b"x")]
    api.create_commit(REPO, adds, commit_message="both")
    assert api.list_repo_files(REPO) == [".gitattributes", ".gitignore", "b.txt"]


def test_a_sample_that_is_not_the_whole_file_is_not_taken_for_it(api: HfApi, ask: Ask, hub: LocalHub):
    api.upload_file(path_or_fileobj=b"a.txt\n", path_in_repo="sub/.gitignore", repo_id=REPO)
    sample = base64.b64encode(b"b.txt\n").decode()
    for size, ignored in ((6, [False, True]), (600, [True, False])):
        rows = [{"path": "sub/.gitignore", "size": size, "sample": sample}]
        rows += [{"path": f"sub/{name}.txt", "size": 1, "sample": ""} for name in "ab"]
        answer = ask("POST", f"{API}/preupload/main", {"files": rows}, token=hub.token).json
        assert [row["shouldIgnore"] for row in answer["files"]] == [False, *ignored], size


ATOMS = [
    "a",
    "b",
    "c",
    "*",
    "**",
    "?",
    "a*",
    "*.txt",
    "[ab]",
    "[!a]",
    "x.txt",
    "\\!a",
    "\\#a",
    "a b",
    "a\\ ",
    "[a",
    ".c",
]
NAMES = ["a", "b", "c", "ab", "x.txt", "!a", "#a", "a b", ".c", "a*"]


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_made_up_rules_are_read_as_git_reads_them(tmp_path: Path):
    made = random.Random(7)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for _ in range(60):
        folder = made.choice(NAMES)
        texts = {".gitignore": rules(made), f"{folder}/.gitignore": rules(made)}
        for name, text in texts.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
        paths = [f"{'/'.join(made.choices(NAMES, k=made.randint(1, 3)))}/file" for _ in range(30)]
        command = ["git", "-C", tmp_path, "check-ignore", "-z", "--no-index", "--stdin"]
        ignored = subprocess.run(
            command, input="\0".join(paths), capture_output=True, text=True, env=plain_git()
        ).stdout
        mine = IgnoreRules(lambda path, texts=texts: texts[path].encode() if path in texts else None)
        assert {path for path in paths if mine.ignores(path)} == set(filter(None, ignored.split("\0"))), texts
        shutil.rmtree(tmp_path / folder)


def rules(made: random.Random) -> str:
    def line() -> str:
        pattern = "/".join(made.choices(ATOMS, k=made.randint(1, 3)))
        return made.choice(["", "", "!"]) + made.choice(["", "", "/"]) + pattern + made.choice(["", "", "/"])

    return "".join(f"{line()}\n" for _ in range(made.randint(1, 4)))


def plain_git() -> dict[str, str]:
    return os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
