"""What a model's card says of its licence -> the clause in it about what the model writes, in one sentence.

The sentences are summaries by this project and no legal advice (docs/privacy.md#licences-of-models).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from clincot.errors import DataError, did_you_mean
from clincot.hub.model_cards import ModelTerms


@dataclass(frozen=True)
class Clause:
    """A clause on the use of outputs: `name` as --acknowledge-licence takes it, `says` what it asks for.

    `pattern` finds it in a licence's id or name and in names of base models. One that `binds` keeps what was made with
    the outputs private until it is acknowledged. `family`: the licence lets outputs improve these models alone.
    """

    name: str
    pattern: re.Pattern[str]
    says: str
    binds: bool = True
    family: bool = False


def _clause(name: str, pattern: str, says: str, *, binds: bool = True, family: bool = False) -> Clause:
    return Clause(name, re.compile(pattern, re.IGNORECASE), says, binds, family)


# Gemma 4 is under Apache-2.0, and its base models have names like those before it.
_GEMMA = r"(?<![a-z])(?:code|pali|shield|med|tx)?gemma(?![-_ ]?4(?!b|\d))"
_ALONE = "outputs must not be used to improve any other large language model than {} and its derivatives ({})"
_NAMED = "a model that is improved with outputs and passed on has a name that begins with 'Llama' (1.b.i)"
_SHOWN = "a model that is improved with outputs and passed on shows 'Built with Qwen' or 'Improved using Qwen'"
_DERIVED = "a model trained to perform like it with its outputs is a derivative, which passes {} on"
_NC = "the model is for non-commercial use"
# The first that fits a text counts: "llama3.1" before "llama3". docs/privacy.md says which were compared with a text.
CLAUSES = (
    _clause("llama2", r"llama[-_ ]?2(?!\d)", _ALONE.format("Llama 2", "1.b.v"), family=True),
    _clause("llama3.1", r"llama[-_ ]?3[._]1", _NAMED),
    _clause("llama3.2", r"llama[-_ ]?3[._]2", _NAMED),
    _clause("llama3.3", r"llama[-_ ]?3[._]3", _NAMED),
    _clause("llama3", r"llama[-_ ]?3(?!\d)", _ALONE.format("Llama 3", "1.b.v"), family=True),
    _clause("llama4", r"llama[-_ ]?4(?!\d)", _NAMED),
    _clause("gemma", rf"{_GEMMA}|health-ai-developer", _DERIVED.format("the terms")),
    _clause("tongyi-qianwen", r"tongyi[-_ ]?qianwen", _ALONE.format("Tongyi Qianwen", "5.b"), family=True),
    _clause("hunyuan", r"tencent[-_ ]?hunyuan", _ALONE.format("Tencent Hunyuan", "5.b"), family=True),
    _clause("qwen-research", r"qwen[-_ ]?research", f"{_NC}, and {_SHOWN} (4.b)"),
    _clause("qwen", r"^qwen(?:[-_ ]licen[sc]e)?(?:[-_ ]agreement)?$", f"{_SHOWN} (5.b)"),
    _clause("openrail", r"rail(?:\+\+)?(?:-?m)?(?![a-z])", _DERIVED.format("the restrictions of uses")),
    _clause("non-commercial", r"(?<![a-z])nc(?![a-z])|non-?commercial|mnpl|mrl", _NC, binds=False),
)
BINDING = tuple(clause.name for clause in CLAUSES if clause.binds)


def clauses_of(terms: ModelTerms) -> tuple[Clause, ...]:
    """Return the clauses that bind the outputs of a model: of its licence and of the models that it was made from.

    A base model counts by its name: a derivative's card may name a licence that its base does not allow. Where the card
    names no licence, the model's own name counts too.
    """
    named = [terms.licence, terms.name, *terms.base_models]
    if not terms.stated:
        named.append(terms.repo)
    found = (next((clause for clause in CLAUSES if clause.pattern.search(text)), None) for text in named)
    return tuple(dict.fromkeys(clause for clause in found if clause is not None))


def check_known(names: tuple[str, ...]) -> None:
    """Raise DataError for a name that --acknowledge-licence does not know."""
    for name in names:
        if name not in BINDING:
            raise DataError(
                f"--acknowledge-licence {name!r}: is no licence with a clause on outputs.{did_you_mean(name, BINDING)}"
            )
