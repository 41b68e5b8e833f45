"""The name of a kind of judge and a folder -> the judge; `JUDGES` is the table to add one to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clincot.choices import choose
from clincot.judges.base import Judge

JUDGES = {
    "causal_lm": "clincot.judges.causal_lm:CausalLMJudge",
}


def load(kind: str, folder: str | Path, *, name: str, key: str, **options: Any) -> Judge:
    """Load a judge from `folder`; an empty `kind` is `causal_lm`, `options` go to its `from_pretrained`.

    Raises ClincotError for an unknown kind.
    """
    judge = choose(JUDGES, kind or "causal_lm", "models.judges.kind")
    return judge.from_pretrained(folder, name=name, key=key, **options)
