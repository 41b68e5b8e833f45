"""A folder -> its repos: bare git and a file of facts, each created and deleted by one rename."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from dulwich.objects import Tree

from ..names import KINDS, check_repo_id
from ..problems import HubError, conflict
from .commits import Note, store_commit
from .durable import exclusive, make_folder, sync_folder, sync_tree
from .facts import FILE, Facts
from .largefiles import LargeFiles
from .repository import MAIN, Repository, iso
from .staging import Staging
from .sweeping import LOCK, sweep_repos, sweep_temporary
from .trees import FILE_MODE

LARGE_SUFFIXES = "7z arrow bin bz2 ckpt ftz gz h5 jpeg jpg joblib model npy npz onnx ot parquet pb pickle pkl png"
LARGE_SUFFIXES += " pt pth rar safetensors tar tflite tgz webp xz zip zst"
ATTRIBUTES = "".join(f"*.{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in LARGE_SUFFIXES.split())
CREATION_LOCK = "creation.lock"
SPACE_CARD = "---\ntitle: {title}\nsdk: {sdk}\n---\n"
CONFIG = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n"


class Store:
    """The format: `repos/<kind>s/[<namespace>/]<name>.git`, `lfs/objects/aa/bb/<sha256>`, `tmp/`."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.large = LargeFiles(self.path / "lfs")
        self.temporary = self.path / "tmp"

    def prepare(self) -> None:
        """Make the folders; OSError when the path cannot be written."""
        for folder in (*(self.path / "repos" / f"{kind}s" for kind in KINDS), self.temporary):
            make_folder(folder)
        sweep_temporary([*self.temporary.iterdir(), *self.large.incoming.glob("*")])
        sweep_repos(self.path / "repos")

    def folder_of(self, kind: str, repo_id: str) -> Path:
        """Where the repo is, or would be: ids are compared without case, as on the Hub."""
        *namespace, name = check_repo_id(repo_id).split("/")
        folder = self.path / "repos" / f"{kind}s"
        for part in (*namespace, f"{name}.git"):
            folder = _without_case(folder, part)
        return folder

    def id_of(self, kind: str, repo_id: str) -> str:
        """The id in the case in which the repo, or else its namespace, was made."""
        root = self.path / "repos" / f"{kind}s"
        return self.folder_of(kind, repo_id).relative_to(root).as_posix().removesuffix(".git")

    def open(self, kind: str, repo_id: str) -> Repository | None:
        """The repo, None when it is absent (or its folder is a link that leads out of the store)."""
        folder = self.folder_of(kind, repo_id)
        if folder.resolve() != folder:
            return None
        try:
            return Repository(folder, self.large)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def exists(self, kind: str, repo_id: str) -> bool:
        return (self.folder_of(kind, repo_id) / FILE).is_file()

    def create(self, kind: str, repo_id: str, author: str, private: bool = False, sdk: str | None = None) -> None:
        """A new repo whose first commit holds `.gitattributes` (and a Space's card); 409 when it exists."""
        temporary = self.temporary / f"new-{secrets.token_hex(8)}"
        (self.path / "repos" / CREATION_LOCK).touch()
        with exclusive(self.path / "repos" / CREATION_LOCK):  # two ids that differ in case alone are one name
            target, repo_id = self.folder_of(kind, repo_id), self.id_of(kind, repo_id)
            if target.exists():
                raise conflict(f"You already created this {kind} repo: {repo_id}")
            try:
                self._init(temporary, Facts(kind, repo_id, private, iso(), secrets.token_hex(12), sdk=sdk), author)
                make_folder(target.parent)
                os.rename(temporary, target)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
            sync_folder(target.parent)

    def _init(self, folder: Path, facts: Facts, author: str) -> None:
        """A bare git repository with its first commit, written plainly and synced once at the end."""
        for name in ("objects/pack", "objects/info", "refs/heads", "refs/tags"):
            (folder / name).mkdir(parents=True)
        (folder / "HEAD").write_bytes(b"ref: " + MAIN + b"\n")
        (folder / "config").write_text(CONFIG)
        (folder / LOCK).touch()
        (folder / FILE).write_bytes(facts.to_bytes())
        with Repository(folder, self.large) as repo:
            stage = Staging(repo.objects, durable=False)
            tree = Tree()
            tree[b".gitattributes"] = (FILE_MODE, stage.add_blob(ATTRIBUTES.encode()))
            if facts.kind == "space":
                card = SPACE_CARD.format(title=json.dumps(facts.id.split("/")[-1]), sdk=json.dumps(facts.sdk))
                tree[b"README.md"] = (FILE_MODE, stage.add_blob(card.encode()))
            first = store_commit(stage, stage.add(tree), [], Note(author, "initial commit"))
        (folder / "refs/heads/main").write_bytes(first + b"\n")
        sync_tree(folder)

    def delete(self, repo: Repository) -> None:
        """Take the repo's name away at once, then its files; shared large files stay."""
        doomed = self.temporary / f"old-{secrets.token_hex(8)}"
        with repo.locked():
            os.rename(repo.folder, doomed)
            sync_folder(repo.folder.parent)
            shutil.rmtree(doomed)

    def change(self, repo: Repository, **settings: object) -> None:
        with repo.locked():
            repo.facts = replace(repo.facts, **settings)  # type: ignore[arg-type]
            repo.facts.save(repo.folder)

    def repos(self, kind: str) -> Iterator[Repository]:
        """Every repo of a kind by id, each closed when the next is asked for."""
        root = self.path / "repos" / f"{kind}s"
        folders = sorted([*root.glob("*.git"), *root.glob("*/*.git")])
        for folder in folders:
            repo_id = folder.relative_to(root).as_posix().removesuffix(".git")
            try:
                repo = self.open(kind, repo_id)
            except HubError:  # a folder somebody put there by hand under a name no id can have
                continue
            if repo is not None:
                with repo:
                    yield repo


def _without_case(folder: Path, name: str) -> Path:
    """The entry of `folder` called `name` in any case; the name as given when no entry has it."""
    if (folder / name).exists() or not folder.is_dir():
        return folder / name
    wanted = name.casefold()
    return next((entry for entry in sorted(folder.iterdir()) if entry.name.casefold() == wanted), folder / name)
