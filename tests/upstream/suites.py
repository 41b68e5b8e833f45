"""Upstream's own tests over `clincot hub serve`: what fails is in `out_of_scope.toml`, and what is there fails.

Run by `make test-upstream`; environments and tests come from the package index, so this is no part of `make test`.
"""

from __future__ import annotations

import json
import os
import subprocess
import tomllib
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

from clincot.localhub import environment
from tests.hub.served import Served, serving

from .projects import PROJECTS, Project

HERE = Path(__file__).parent
NOWHERE = "http://127.0.0.1:9"
# The accounts that `stand_ins/` names.
USER = "__DUMMY_TRANSFORMERS_USER__"
ACCOUNTS = {
    "hf_upstream_user": {"name": USER, "role": "write", "namespaces": [USER, "valid_org_hub"]},
    "hf_upstream_other": {"name": "DVUser", "role": "write"},
    "hf_upstream_enterprise": {"name": "Enterprise", "role": "write", "namespaces": ["Enterprise", "EnterpriseOrg"]},
}
pytestmark = pytest.mark.timeout(1800)


@pytest.mark.parametrize("name", PROJECTS)
def test_upstreams_own_tests_pass_except_those_listed(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    project = PROJECTS[name]
    assert project.python.exists(), "run `python tests/upstream/projects.py` first"
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub/tokens.json").write_text(json.dumps(ACCOUNTS))
    with serving(tmp_path / "hub") as server:
        outcomes = run(project, server, tmp_path)
    with capsys.disabled():
        print(f"\n{name}: {dict(Counter(outcomes.values()))}")
    listed = [
        entry for group in tomllib.loads((HERE / "out_of_scope.toml").read_text())[name] for entry in group["tests"]
    ]
    assert unexpected(outcomes, listed) == [], "fails, and is not in out_of_scope.toml"
    assert stale(outcomes, listed) == [], "is in out_of_scope.toml, and does not fail"


def run(project: Project, server: Served, folder: Path) -> dict[str, str]:
    """Test id (`test_lfs.py::TestClass::test_name`) -> passed, failed or skipped."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "PYTHON"))}
    env = kept | environment(f"http://127.0.0.1:{server.port}", folder / "client", "unused")
    env |= {"HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE, "COLUMNS": "200"}  # nothing but the Hub is reached
    del env["HF_TOKEN"]  # the tests give their own
    files = [f"tests/test_{module}.py" for module in project.modules]
    command = [project.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", "120", "--tb=short"]
    report = folder / "report.xml"
    done = subprocess.run(
        [*command, f"--junitxml={report}", *files], cwd=project.folder, env=env, capture_output=True, text=True
    )
    assert done.returncode in (0, 1), f"{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
    (project.folder / "last-run.txt").write_text(done.stdout)
    return dict(_outcome(case) for case in ElementTree.parse(report).iter("testcase"))


def _outcome(case: ElementTree.Element) -> tuple[str, str]:
    _, module, *rest = case.attrib["classname"].split(".")
    found = {child.tag for child in case}
    outcome = "failed" if found & {"failure", "error"} else "skipped" if "skipped" in found else "passed"
    return "::".join([f"{module}.py", *rest, case.attrib["name"]]), outcome


def under(test: str, entry: str) -> bool:
    """An entry names a test, all cases of a parametrized one, a class or a file."""
    return test == entry or test.startswith((f"{entry}::", f"{entry}["))


def unexpected(outcomes: dict[str, str], listed: list[str]) -> list[str]:
    failed = [test for test, outcome in outcomes.items() if outcome == "failed"]
    return [test for test in failed if not any(under(test, entry) for entry in listed)]


def stale(outcomes: dict[str, str], listed: list[str]) -> list[str]:
    """Entries under which nothing was run, or something passed."""
    ran = {entry: {outcome for test, outcome in outcomes.items() if under(test, entry)} for entry in listed}
    return [entry for entry, found in ran.items() if "passed" in found or "failed" not in found]
