"""`clincot judges check` on the phantom: figures by scoring mode and context, as a table of 80 columns and as JSON."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from command import clincot

from clincot.phantom import publish

MODELS = Path(publish.__file__).parent / "models"


@pytest.mark.long
def test_a_trained_judge_knows_right_answers_by_the_reference_and_guesses_without(
    small_hub: Path, tmp_path: Path
) -> None:
    words = ("judges", "check", "clincot/phantom-judge-a", "--hub", f"local:{small_hub}", "--questions", "14")
    out, err = clincot(*words, cwd=tmp_path)
    head, *lines = out.splitlines()[3:]
    assert out.startswith("clincot/phantom-judge-a\nphantom test: 14 questions about 6 images, each with")
    assert max(map(len, out.splitlines())) <= 80
    assert head.split() == ["scoring", "context", "AUC", "95", "%", "mass", "unread", "ties", "digit", "s/rating"]
    assert [line.split()[:2] for line in lines] == [
        [scoring, context] for scoring in ("expected", "generated", "yesno") for context in ("reference", "blind")
    ]
    shown, blind = (float(line.split()[2]) for line in lines[:2])
    assert shown > 0.85 > blind
    assert lines[4].split()[2:] == ["-", "0.000", "100%"]  # it was never taught to say yes
    assert "Next: clincot build-data --set build.judging.scoring=expected --set build.judging.context=reference" in err
    assert list(tmp_path.iterdir()) == []
    # A judge that reads texts cannot know which of two regions shows a finding, whatever it prefers.
    out, err = clincot(*words[:5], "--findings", "--scoring=expected", cwd=tmp_path)
    found = re.search(r"phantom test: (\d+) regions of (\d+) images, one of two shows", out)
    assert found and int(found[1]) == 2 * int(found[2]) > 0
    assert [line.split()[2:4] for line in out.splitlines()[4:]] == [["0.50", "0.50-0.50"]] * 2
    assert "does it rate right findings surely higher" in err and max(map(len, out.splitlines())) <= 80
    # The tiny policy was never taught to rate.
    _, err = clincot("judges", "check", "policy", *words[3:], "--scoring=expected", cwd=tmp_path)
    assert "In no way of asking does it rate right answers surely higher." in err and "Next:" not in err


@pytest.mark.long
def test_a_folder_that_sees_is_found_out_and_modes_contexts_and_seeds_are_chosen(
    small_hub: Path, tmp_path: Path
) -> None:
    shutil.copytree(MODELS / "policy", tmp_path / "own")
    words = ("judges", "check", "own", "--hub", f"local:{small_hub}", "--questions=6", "--scoring=yesno", "--json")
    out, err = clincot(*words, "--context=blind", "--seed=3", cwd=tmp_path)
    found = json.loads(out)
    (way,) = found.pop("ways")
    assert found == {
        "judge": "own", "benchmark": "phantom", "split": "test", "questions": 6, "images": found["images"], "seed": 3,
        "findings": False,
    }  # fmt: skip
    assert (way["scoring"], way["context"], way["fault"]) == ("yesno", "blind", "")
    assert way["found"]["rated"] == 12 and way["seconds"] > 0
    low, high = way["found"]["interval"]
    assert 0 <= low <= high <= 1 and "Next:" not in err
    unseen, _ = clincot(*words, "--context=blind", "--seed=3", "--no-images", cwd=tmp_path)
    assert json.loads(unseen)["ways"][0]["found"]["mass"] != way["found"]["mass"]
