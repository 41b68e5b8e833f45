"""A realistic mistake or more for each command -> docs/mistakes.md; `python tests/cli/mistakes_page.py` rewrites it.

`page()` runs them in this interpreter, in the current folder, which must be empty.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

from mistakes import HEAVY, ended

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/mistakes.md"
WRITER = "python tests/cli/mistakes_page.py"
INTRODUCTION = f"""# Mistakes, and what the terminal shows

Exit code 0 means done, 1 a fault in the program (of `clincot doctor`: a stage that does not fit into memory), 2 a
mistake that the message explains, 130 Ctrl-C and 143 SIGTERM; `--debug`, with any command, shows the traceback before
the message.

All messages below go to stderr. Each command ran in an empty folder and wrote nothing there. The page is made by
`{WRITER}`, and a test compares it with what the commands show.
"""
MISTAKES = {
    "demo": ["demo --hub ./clincot-hub", "demo --name 'my demo'", "demo --rounds 3"],
    "build-data": [
        "build-data --recipe clincott",
        "build-data --set method.step=3",
        "build-data --set build.min_gap=0.1",
        "build-data --set method=./mine.py:Mine",
        "build-data --set method.temperature=-0.1",
        "build-data --set method.steps:3",
        "build-data --benchmark mimic-cxr",
        "build-data --set hypotheses=words.yaml",
        "build-data --public --acknowledge-licence llama-3",
        "build-data --round 3",
    ],
    "pair": ["pair --round 3", "pair --set method.min_gap=2", "pair --exclude veto.json", "build-data --repair-pairs"],
    "train": [
        "train --set train.dpo.learning_rat=1e-5",
        "train --set train.lora.r=zero",
        "train --objective dpo",
        "train --rows pairs.json --format llava",
        "train --rounds 2",
    ],
    "import-rows": [
        "import-rows pairs.json --format llava",
        "import-rows me/pairs@main",
        "import-rows me/pairs --format llama-factory",
        "import-rows me/pairs --format trl --margin high",
        "import-rows me/pairs --format mmedpo --keep leaks",
        "import-rows me/mimic-pairs --format trl",
    ],
    "export-rows": [
        "export-rows 1 rows",
        "export-rows 1 rows --format trl --conditioning loser",
    ],
    "ask": ["ask film.dcm", "ask film.dcm 'Can a nodule be seen?'", "ask . 'What is shown?' --adapter round-two"],
    "app": ["app --adapter round-two", "app --port 99999"],
    "view": ["view round-one", "view 1 --set method.step=3"],
    "blinded export": ["blinded export round-one", "blinded export base round-1 --out sheet.pdf"],
    "blinded import": ["blinded import sheet.key.json choices.json"],
    "report": ["report no-such-run"],
    "run": [
        "run --name me/first-run",
        "run --benchmark vqarad",
        "run --benchmark ./my-data",
        "run --public --benchmark iu-xray",
    ],
    "evaluate": [
        "evaluate --set evaluate.split=validaton",
        "evaluate --control black_image",
        "evaluate --predictions answers.jsonl",
    ],
    "table": [
        "table 3",
        "table 1 --rows clincott",
        "table 1 --start stf",
        "table 2 --seeds 0",
        "table 1 --rows povid --set models.editor.kind=",
        "table 1 --show",
        "table 1 --import theirs.json",
    ],
    "compare": ["compare base", "compare base round-1 --show -1"],
    "export": ["export merged", "export merged --merged --dtype int8"],
    "judges check": [
        "judges check",
        "judges check BioMistral/BioMistral-7B --scoring digits",
        "judges check BioMistral/BioMistral-7B --benchmark vqarad",
    ],
    "plugins": ["plugins method", "build-data --set method=ward_method", "plugins --json --log-file"],
    "recipe new": [
        "recipe new mine.yaml",
        "recipe new clincot",
        "recipe new mine --extends clincott",
        "recipe new mine --extends clincot-no-chain",
    ],
    "recipe show": ["recipe show mine", "recipe show --recipe mine", "recipe show --set method.step=3"],
    "doctor": [
        "doctor --settings paper",
        "doctor --gpu-memory 24GB",
        "doctor --set build.batch_size=0",
        "doctor --servers",
        "doctor --compare",
    ],
    "hub serve": ["hub serve --port 80000", "hub serve --host ''"],
    "hub env": ["hub env absent-hub", "hub env absent-hub --port 80000"],
    "hub ls": ["hub ls absent-hub"],
    "hub log": ["hub log me/my-data", "hub log . 'my data'"],
    "hub import": [
        "hub import .",
        "hub import ./my-data",
        "hub import . --as me/my-data --hub my-hub",
        "hub import https://huggingface.co/datasets/flaviagiammarino/vqa-rad",
    ],
    "hub export": [
        "hub export flaviagiammarino/vqa-rad vqa-rad",
        "hub export flaviagiammarino/vqa-rad@main",
        "hub export flaviagiammarino/vqa-rad@main vqa-rad --hub local:absent-hub",
    ],
    "phantom draw": ["phantom draw drawn --images 100", "phantom draw drawn --push --hub my-hub"],
    "phantom pretrain": ["phantom pretrain models --only judge", "phantom pretrain models --steps 10"],
    "benchmarks list": ["benchmarks list vqa-rad", "benchmarks lst"],
    "benchmarks check": ["benchmarks check vqarad", "benchmarks check ./my-data"],
    "benchmarks questions": ["benchmarks questions vqarad", "benchmarks questions vqa-rad --split tset"],
    "benchmarks fetch": ["benchmarks fetch ./my-data", "benchmarks fetch vqa-rad"],
    "benchmarks import": [
        "benchmarks import vqarad VQA_RAD",
        "benchmarks import vqa-rad VQA_RAD",
        "benchmarks import slake Slake1.0",
    ],
    "convert medklip": [
        "convert medklip medklip.pth medklip --descriptions explanation.json --text-encoder bert",
        "convert medclip",
    ],
    "convert llava-med": [
        "convert llava-med absent llava-med --hub my-hub",
        "convert llava-med llava-med",
    ],
    "convert weights": ["convert weights absent out --hub my-hub", "convert weights me/biomistral"],
    "convert check": [
        "convert check absent --images xrays",
        "convert check me/llava-med --hub my-hub",
    ],
}


def page() -> str:
    """Run every mistake in the current folder and return the page; a mistake that ends well or writes is an error."""
    return "\n".join([INTRODUCTION, *(_section(command, lines) for command, lines in MISTAKES.items())])


def _section(command: str, lines: list[str]) -> str:
    return f"## clincot {command}\n\n```console\n" + "\n\n".join(map(_shown, lines)) + "\n```\n"


def _shown(line: str) -> str:
    """Return what a terminal shows for `clincot LINE` and for its exit code; the current folder is written as `.`."""
    end = ended(tuple(shlex.split(line)))
    if end["code"] != 2 or end["out"] or end["written"]:
        raise ValueError(f"clincot {line}: is no mistake for this page: {end}")
    said = str(end["err"]).strip().replace(str(Path.cwd()), ".")
    return f"$ clincot {line}\n{said}\n$ echo $?\n{end['code']}"


def made(folder: Path, columns: int = 80) -> str:
    """Return the page as a fresh interpreter makes it in the empty `folder`, on a terminal of so many `columns`."""
    done = subprocess.run(
        [sys.executable, __file__, "--print"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": str(columns), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=200,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


def main() -> None:
    """Print the page (`--print`), or write it to docs/."""
    if "--print" in sys.argv:
        text = page()
        if heavy := [name for name in HEAVY if name in sys.modules]:
            raise ImportError(f"a mistake imports {', '.join(heavy)}")
        sys.stdout.write(text)
        return
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        PAGE.write_text(made(Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    main()
