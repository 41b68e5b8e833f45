"""The files of docs/extending.md from outside the package: as `./file.py:Class`, and by name of a package with them."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/cli"))
from command import clincot  # noqa: E402

from clincot import editors, engines  # noqa: E402
from clincot.editors.base import RewriteRequest  # noqa: E402
from clincot.hub import connect  # noqa: E402
from clincot.lm.requests import ChoiceRequest, GenerateRequest  # noqa: E402
from clincot.phantom.drawing.draw import draw, png  # noqa: E402
from clincot.recipe import load_recipe, plugins  # noqa: E402
from clincot.rows import formats  # noqa: E402
from clincot.runs.checks import check_names  # noqa: E402
from tests.packages import install  # noqa: E402
from tests.runs.scan import every_file, words_and_pictures  # noqa: E402

PAGE = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"### Its file: `(\w+\.py)`.*?```python\n(.*?)```", PAGE, re.DOTALL))
PROJECT = tomllib.loads(next(iter(re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL))))["project"]
POINTS = {group.removeprefix("clincot."): names for group, names in PROJECT["entry-points"].items()}
BY_FILE = {
    f"{kind}/{name}": f"./{place.replace(':', '.py:')}"
    for kind, names in POINTS.items()
    for name, place in names.items()
}
ASKED = (
    ("Is there an opacity in the left lung?", "no", "closed"),
    ("Where is the opacity?", "in the left lower lung", "open"),
    ("Is there cardiomegaly?", "yes", "closed"),
)
ROWS = [
    {"id": f"{split}{i}", "split": split, "image": f"{split}{i}.png", "question": q, "answer": a, "answer_type": kind}
    for split in ("train", "test")
    for i, (q, a, kind) in enumerate(ASKED)
]
SMALL = (
    *("build.max_new_tokens=6", "method.candidates=4", "method.lookahead.samples=1", "method.temperature=2"),
    *("train.dpo.max_steps=1", "train.dpo.per_device_train_batch_size=1", "evaluate.resamples=10", "rounds=1"),
    *("evaluate.inference=[direct]", "evaluate.controls=[]", "build.cut_texts=train"),
)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an embedded Hub with the four images and questions of ward/xrays."""
    folder = tmp_path_factory.mktemp("ward")
    (folder / "xrays").mkdir()
    for i, row in enumerate(ROWS):
        (folder / "xrays" / row["image"]).write_bytes(png(draw(0, i)))
    (folder / "xrays/rows.jsonl").write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
    words = ("--as", "ward/xrays", "--kind", "dataset", "--hub", f"local:{folder / 'hub'}")
    clincot("hub", "import", "xrays", *words, cwd=folder)
    return folder / "hub"


@pytest.fixture(params=["file", "package"])
def names(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return what to write for each kind, with the files in the working directory or in an installed package."""
    monkeypatch.chdir(tmp_path)
    if request.param == "file":
        for name, text in FILES.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        return {key.partition("/")[0]: place for key, place in BY_FILE.items()}
    inside = {name: text.replace("./word_share.py:word_share", "word_share") for name, text in FILES.items()}
    place = install(tmp_path / "site", PROJECT["name"], inside, POINTS, "1.0")
    monkeypatch.setenv("PYTHONPATH", str(place))
    monkeypatch.syspath_prepend(place)
    request.addfinalizer(plugins.installed.cache_clear)
    plugins.installed.cache_clear()
    return {kind: next(iter(known)) for kind, known in POINTS.items()}


def words(hub: Path, *values: str) -> tuple[str, ...]:
    return ("--name", "own", "--hub", f"local:{hub}", *(f"--set={value}" for value in (*values, *SMALL)))


@pytest.mark.parametrize("names", ["package", pytest.param("file", marks=pytest.mark.long)], indirect=True)
def test_a_judge_proposer_objective_benchmark_protocol_and_metric_make_a_run(
    names: dict[str, str], hub: Path, tmp_path: Path
) -> None:
    """Each works from the command line to the results, a result is the metric's, and no folder is in what was made."""
    names = {kind: place.replace("./", f"{tmp_path}/") for kind, place in names.items()}
    own = (
        f"models.judges=[{{kind: '{names['judges']}'}}]",
        f"models.proposer={{repo: '', kind: '{names['proposers']}'}}",
        "build.judging.context=reference",
        f"train.objective={names['objectives']}",
        f"evaluate.protocol={names['protocols']}",
    )
    clincot("run", "--benchmark", names["benchmarks"], *words(hub, *own), cwd=tmp_path)
    (path,) = tmp_path.glob("runs/own/**/results.json")
    done = json.loads(path.read_text(encoding="utf-8"))
    assert done["protocol"] == "ward-v1"
    scored = {(r["protocol"], r["metric"]) for r in done["results"]}
    assert {("ward-v1", "word_share"), ("ward-v1", "closed_accuracy"), ("clincot-v2", "accuracy")} <= scored
    named = [one.path for one in every_file(tmp_path / "runs/own/store") if str(tmp_path) in words_and_pictures(one)[0]]
    assert named == []


def test_the_page_has_a_file_for_every_group() -> None:
    assert sorted(POINTS) == sorted(plugins.KINDS)
    assert {f"{place.partition(':')[0]}.py" for known in POINTS.values() for place in known.values()} == set(FILES)


def test_an_editor_and_an_engine(names: dict[str, str]) -> None:
    one, other = editors.load(names["editors"]).rewrite(
        [RewriteRequest("left lung, right rib", "", 0), RewriteRequest("no", "", 0)]
    )
    assert (one.text, other.failure) == ("right lung, left rib", "nothing to change")
    engine = engines.load(names["engines"], "base")
    (written,) = engine.generate([GenerateRequest((), (), 0, 0.0, 1.0, 4)])
    (weighed,) = engine.score_choices([ChoiceRequest((), (), ("0", "1"))])
    assert written.text == "yes" and weighed.logps[0] == weighed.logps[1]


def test_a_format_of_rows(names: dict[str, str], tmp_path: Path) -> None:
    """Rows are imported by the command, and what the format writes it reads."""
    form = formats.load(names["formats"])
    rows = [
        {"image": "a.png", "question": f"Is finding {i} there?", "better": "yes", "worse": "no, it is not"}
        for i in range(3)
    ]
    assert [form.write(form.read(row), i) for i, row in enumerate(rows)] == rows
    (tmp_path / "a.png").write_bytes(png(draw(0, 0)))
    form.save(rows, tmp_path)
    _, err = clincot("import-rows", "rows.jsonl", "--format", names["formats"], "--name", "own", cwd=tmp_path)
    assert "3 pairs" in err


@pytest.mark.parametrize("names", ["package", pytest.param("file", marks=pytest.mark.long)], indirect=True)
def test_a_recipe_names_a_method(names: dict[str, str], hub: Path, tmp_path: Path) -> None:
    """Its round is built, and its card names the code."""
    check_names(load_recipe(overrides=[f"method={names['methods']}", "train.conditioning=per_side"]))
    small = (
        "method.strength=0.7",
        f"method={names['methods']}",
        "build.cut_texts=train",
        "train.conditioning=per_side",
    )
    words = ("--name", "own", "--hub", f"local:{hub}", *(f"--set={value}" for value in (*small, "rounds=1")))
    clincot("build-data", "--benchmark", names["benchmarks"], *words, cwd=tmp_path)
    with connect(f"local:{tmp_path / 'runs/own/store'}", main=False) as store:
        pin = store.resolve("dataset", "demo/own-preferences", "round-1")
        card = store.read(pin, "README.md").decode()
    code = "noisy_image.py:NoisyImage" if ":" in names["methods"] else "noisy_image of ward 1.0"
    assert f"The code of the method of round-1, `{code}`, is not part of this repository." in card
