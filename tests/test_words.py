"""Docstrings, comments and messages use plain words, and one word for each concept (docs/architecture.md#words)."""

from __future__ import annotations

import re
import tokenize

from tree import ROOT

INSTEAD = {
    r"mend(s|ed|ing)?": "correct",
    r"(?<!no )pictures?": "image",
    r"whatever": "any, every",
    r"(is|are) told": "gets, is given",
    r"(is|are) (?-i:none)": "what is absent, by name",
    r"stands (there|already|beside|in|on|at)": "is",
    r"beside": "next to, with, in addition to",
    r"of (its|their) own": "own, separate",
    r"(?<![`'\"])withh(eld|old\w*)": "redacted",
    r"rebuil(d|ds|t|ding) (the )?(rows|images)": "restore",
    r"readouts?": "scoring mode",
}
# The key under which lineages say that a round is redacted, the old name of a value, the words of other people.
DATA = {'"withheld"', '"build.judging.readout"', "withheld"}
ELSEWHERE = {"clincot/metrics/findings/refusals.py", "clincot/benchmarks/slake.py"}


def test_docstrings_comments_and_messages_use_plain_words() -> None:
    found = []
    for path in sorted((ROOT / "clincot").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if name in ELSEWHERE:
            continue
        with path.open("rb") as stream:
            tokens = list(tokenize.tokenize(stream.readline))
        for token in tokens:
            if token.type not in (tokenize.COMMENT, tokenize.STRING) or token.string in DATA:
                continue
            for word, plain in INSTEAD.items():
                if match := re.search(rf"\b{word}\b", token.string, re.IGNORECASE):
                    found.append(f"{name}:{token.start[0]}: {match[0]!r}. Write: {plain}.")
    assert found == []
