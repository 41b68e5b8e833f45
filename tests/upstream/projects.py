"""The installed huggingface_hub and datasets -> their own tests beside stand-ins for what their sdists leave out, in an
environment each below `.venv/upstream/`, made on first use."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".venv" / "upstream"
PLUGINS = ("pytest", "pytest-mock", "pytest-timeout")


@dataclass(frozen=True)
class Project:
    """`modules` are the test files that meet a Hub; `stand_ins` maps files of ours to their place below `tests/`."""

    name: str
    modules: tuple[str, ...]
    stand_ins: dict[str, str]
    packages: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return CACHE / f"{self.name}-{version(self.name)}"

    @property
    def python(self) -> Path:
        return self.folder / "environment" / "bin" / "python"


PROJECTS = {
    "huggingface_hub": Project(
        "huggingface_hub",
        ("hf_api", "file_download", "snapshot_download", "hf_file_system", "repocard", "repocard_data", "commit_api")
        + ("commit_scheduler", "lfs", "cache_layout", "cache_no_symlinks", "upload_pipeline", "tree_cache")
        + ("shared_blobs", "hub_mixin", "cli", "cli_discussions", "auth", "eval_results", "local_folder")
        + ("utils_errors", "testing_configuration"),
        {
            "hub_conftest.py": "conftest.py",
            "hub_constants.py": "testing_constants.py",
            "hub_utilities.py": "testing_utils.py",
        },
        ("jinja2", "jedi", "numpy", "fsspec"),
    ),
    "datasets": Project(
        "datasets",
        ("upstream_hub",),
        {
            "datasets_conftest.py": "conftest.py",
            "datasets_hub.py": "fixtures/hub.py",
            "datasets_utilities.py": "utils.py",
        },
        ("pillow",),
    ),
}


def make(project: Project) -> None:
    """The environment and the tests, once; the stand-ins every time."""
    if not (project.folder / ".ready").exists():
        shutil.rmtree(project.folder, ignore_errors=True)
        venv.create(project.folder / "environment", with_pip=True)
        wanted = [f"{name}=={version(name)}" for name in {project.name, "huggingface_hub"}]
        _pip(project, "install", *wanted, *PLUGINS, *project.packages)
        _unpack_tests(project)
        (project.folder / "pytest.ini").write_text("[pytest]\n")  # or pytest would take this project's settings
        (project.folder / ".ready").touch()
    for name, place in project.stand_ins.items():
        target = project.folder / "tests" / place
        target.parent.mkdir(exist_ok=True)
        (target.parent / "__init__.py").touch()
        shutil.copyfile(HERE / "stand_ins" / name, target)


def _unpack_tests(project: Project) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = f"{project.name}=={version(project.name)}"
        _pip(project, "download", "--no-deps", "--no-binary", ":all:", "--dest", folder, source)
        (archive,) = Path(folder).glob("*.tar.gz")
        with tarfile.open(archive) as opened:
            for member in opened.getmembers():
                member.name = member.name.partition("/")[2]
                if member.name.startswith("tests/"):
                    opened.extract(member, project.folder, filter="data")


def _pip(project: Project, *words: str) -> None:
    subprocess.run([project.python, "-m", "pip", "--quiet", *words], check=True)


if __name__ == "__main__":
    for wanted in sys.argv[1:] or PROJECTS:
        make(PROJECTS[wanted])
