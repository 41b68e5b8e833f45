"""A processor with faults in its prompts -> the same one with each known fault repaired by a named rule, or refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from clincot.errors import ModelError
from clincot.lm.ends import end_texts
from clincot.lm.families import FAMILIES, known_template
from clincot.lm.prompt_faults import after_answer, lacking_numbers, lacks_bos
from clincot.records.lineage import shown

TYPOS = (r"<\s>",)  # an end token that is misspelled in a published template (bakLlava's)


@dataclass(frozen=True)
class Repair:
    """The `rule` by which something was repaired, as lineages name it, and what it says to a person."""

    rule: str
    says: str


def repair(processor: Any, base: Path) -> tuple[Repair, ...]:
    """Repair what is known to be wrong with the prompts of `processor`, whose model's folder is `base`.

    Raises ModelError for a chat template that is absent, and for numbers that are absent and not in the config.
    """
    return tuple((*_numbers(processor, base), *_template(processor, base), *_bos(processor), *_typo(processor, base)))


def refuse_residue(processor: Any, ends: Sequence[str], base: str | Path) -> None:
    """Raise ModelError for a template that writes text between an answer and its end token."""
    if not isinstance(getattr(processor, "chat_template", None), str):
        return
    between, _ = after_answer(processor, ends)
    if between:
        raise ModelError(
            f"policy {shown(base)}: its chat template writes {between!r} between an answer and the end token"
            f" {ends[0] if ends else ''}, which would be trained as a part of every answer. Remove it from the template"
            " in a copy of the model."
        )


def _numbers(processor: Any, base: Path) -> Iterator[Repair]:
    lacking = lacking_numbers(processor, base)
    unknown = [name for name, value in lacking.items() if value is None and name != "vision_feature_select_strategy"]
    if unknown:
        raise ModelError(
            f"policy {shown(base)}: its processor lacks {' and '.join(unknown)}, and its tower is not one whose numbers"
            " are known. Add them to processor_config.json in a copy of the model."
        )
    for name, value in lacking.items():
        setattr(processor, name, value)
    if lacking:
        numbers = ", ".join(f"{name} {value}" for name, value in lacking.items())
        yield Repair("numbers", f"its processor lacks {numbers}: taken from the model's config")


def _template(processor: Any, base: Path) -> Iterator[Repair]:
    if processor.chat_template is not None:
        return
    found = known_template(processor, base)
    if found is None:
        known = ", ".join(one.name for one in FAMILIES)
        raise ModelError(
            f"policy {shown(base)}: has no chat template, and its name is that of no known family ({known})."
            " Add chat_template.jinja in a copy of the model, as its publisher asks it."
        )
    name, template = found
    _set(processor, template)
    yield Repair(f"template of {name}", f"its processor has no chat template: that of {name} is used")


def _bos(processor: Any) -> Iterator[Repair]:
    if lacks_bos(processor):
        _set(processor, "{{ bos_token }}" + processor.chat_template)
        bos = processor.tokenizer.bos_token
        yield Repair("bos", f"its chat template has no {bos}, its tokenizer adds one: prompts begin with it")


def _typo(processor: Any, base: Path) -> Iterator[Repair]:
    if not isinstance(processor.chat_template, str):
        return
    ends, before = end_texts(base, processor), processor.chat_template
    try:
        typo, _ = after_answer(processor, ends)
    except TemplateError:  # takes no answer: refused where answers are trained
        return
    if typo not in TYPOS:
        return
    _set(processor, before.replace(typo.replace("\\", "\\\\"), "").replace(typo, ""))
    if after_answer(processor, ends)[0]:
        _set(processor, before)  # written in another way: refused where answers are trained
        return
    yield Repair(f"answer without {typo}", f"its chat template writes {typo} after answers, a misspelled end: left out")


def _set(processor: Any, template: str) -> None:
    processor.chat_template = processor.tokenizer.chat_template = template
