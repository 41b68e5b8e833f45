"""A tiny model of a class -> what clincot does with it: each cell is the outcome of the code that a run uses."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForImageTextToText

from clincot.engines.transformers import TransformersEngine
from clincot.errors import ClincotError
from clincot.objectives.layout import RowsWarning
from clincot.regions.center import Center
from clincot.rows.schema import PAIR_FEATURES, table, write_parquet
from clincot.stages.evaluate.answering import Answering, PolicyUnderTest
from clincot.stages.evaluate.groups import groups
from clincot.stages.evaluate.inference import Settings
from clincot.stages.evaluate.predictions import Store
from clincot.stages.train.dpo import TrainJob, TrainOutcome, train_adapter
from clincot.stages.train.export import export_merged
from perf.capability_inputs import WORDS, asked, four_questions, pair_rows, recipe_of

COLUMNS = ("load", "two images", "engine = generate", "sharing", "row layouts", "LoRA inside", "evaluate", "export")
YES, NO = "yes", "no"
# A model's own words for modules outside of its language model, and for its attention to images.
OUTSIDE = re.compile(r"vision|visual|projector|connector|qformer|cross_attn|image")


class Differs(AssertionError):
    """clincot answered otherwise than the model: no cell, a fault."""


@dataclass
class Subject:
    """A model's folder and what was made of it; a part that fails is a ClincotError for the cells that need it."""

    base: Path
    work: Path

    @cached_property
    def engine(self) -> TransformersEngine:
        return TransformersEngine.from_pretrained(self.base, batch_size=3, images=2)

    @cached_property
    def trained(self) -> dict[str, tuple[TrainOutcome, str]]:
        """Asked layout -> one step in it, and why another one was used; rows of `group` need what `shared` needs."""
        first = self._train("shared")
        return {"shared": first} if first[1] else {"shared": first, "group": self._train("group")}

    def _train(self, layout: str) -> tuple[TrainOutcome, str]:
        rows = self.work / "rows.parquet"
        write_parquet([table(pair_rows(), PAIR_FEATURES)], rows, PAIR_FEATURES)
        parts = (recipe_of(layout), 1, (rows,), self.base, "tiny/base", None, self.work / layout)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            done = train_adapter(TrainJob(*parts, stored_reference=False))
        said = [str(w.message) for w in caught if issubclass(w.category, RowsWarning)]
        return done, said[0].partition(": ")[2].partition(". Training goes on")[0] if said else ""

    @property
    def adapter(self) -> Path:
        return self.trained["shared"][0].adapter


def loads(subject: Subject) -> str:
    TransformersEngine.from_pretrained(subject.base, batch_size=1, images=1)
    return YES


def takes_two(subject: Subject) -> str:
    assert subject.engine
    return YES


@torch.inference_mode()
def equals_generate(subject: Subject) -> str:
    """The texts and log-probabilities of the engine against processor and `generate`, one prompt at a time."""
    policy, requests = subject.engine.policy, asked()
    written = subject.engine.generate(requests)
    for request, ours in zip(requests, written, strict=True):
        text = policy.processor.apply_chat_template(list(request.messages), add_generation_prompt=True, tokenize=False)
        inputs = policy.processor(
            images=[list(request.images)], text=[text], return_tensors="pt", add_special_tokens=False
        )
        out = policy.model.generate(
            **inputs,
            do_sample=False,
            max_new_tokens=WORDS,
            suppress_tokens=list(policy.suppressed),
            return_dict_in_generate=True,
            output_logits=True,
        )
        ids = out.sequences[0, -len(out.logits) :]
        logp = sum(float(row[0].float().log_softmax(-1)[token]) for row, token in zip(out.logits, ids, strict=True))
        plain = policy.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        if ours.text != plain or abs(ours.logp - logp) > 1e-3:
            raise Differs(f"engine {ours.text!r} {ours.logp:.5f}, generate {plain!r} {logp:.5f}")
    if len({round(one.logp, 6) for one in written}) < len(written):
        raise Differs("two prompts have the same log-probability: the images do not count")
    return YES


def shares(subject: Subject) -> str:
    found = subject.engine.abilities
    if not found.shared:
        return f"{NO}: {found.reason}"
    return f"{YES}, in its window" if found.window else YES


def layouts(subject: Subject) -> str:
    """The layouts that one step was made in; two rows a pair are what the others are compared with."""
    used = [name for name, (outcome, _) in subject.trained.items() if outcome.facts["rows"] == name]
    reasons = dict.fromkeys(reason for _, reason in subject.trained.values() if reason)
    return ", ".join(["pair", *used]) + "".join(f": {reason}" for reason in reasons)


def lora_inside(subject: Subject) -> str:
    """LoRA weights lie in the decoder that the model names, and nowhere else."""
    model = AutoModelForImageTextToText.from_pretrained(subject.base)
    decoder = model.get_decoder()
    path = next(name for name, module in model.named_modules() if module is decoder).partition(".layers")[0]
    names = [
        name.removeprefix("base_model.model.") for name in load_file(subject.adapter / "adapter_model.safetensors")
    ]
    out = [name for name in names if not name.startswith(path + ".") or OUTSIDE.search(name.removeprefix(path))]
    if out or not names:
        raise Differs(f"LoRA outside of {path}: {out[:3]}")
    return YES


def evaluates(subject: Subject) -> str:
    """Base and adapter answer four questions, directly and by region; the adapter's answers are its own."""
    settings = replace(Settings.of(recipe_of("pair")), max_new_tokens=WORDS, report_tokens=WORDS)
    examples = four_questions()
    ways = (("direct", ""), ("region", ""))
    answering = Answering(
        settings,
        Store(subject.work / "answers", "key"),
        tuple((group, ways) for group in groups(examples, 2)),
        lambda: Center("key"),
    )

    def loaded() -> TransformersEngine:
        return TransformersEngine.from_pretrained(subject.base, subject.adapter, batch_size=3)

    policies = [PolicyUnderTest("base", "base", lambda: subject.engine), PolicyUnderTest("round-1", "1", loaded)]
    found = [list(answering.parts(policy, lambda n: None)) for policy in policies]
    for parts in found:
        answers = [answer for _, part in parts for answer in part.answers]
        if len(answers) != len(examples) * len(ways) or any(answer.failure for answer in answers):
            raise Differs(f"answers: {answers}")
    return YES


def exports(subject: Subject) -> str:
    """The merged folder, read again, writes what base and adapter write."""
    merged = export_merged(subject.base, subject.adapter, subject.work / "merged").folder
    texts = []
    for base, adapter in ((subject.base, subject.adapter), (merged, None)):
        engine = TransformersEngine.from_pretrained(base, adapter, batch_size=3)
        texts.append([(one.text, round(one.logp, 3)) for one in engine.generate(asked()[:3])])
    if any(a[0] != b[0] or abs(a[1] - b[1]) > 2e-3 for a, b in zip(*texts, strict=True)):
        raise Differs(f"base and adapter {texts[0]}, merged {texts[1]}")
    return YES


CELLS: tuple[Callable[[Subject], str], ...] = (
    loads, takes_two, equals_generate, shares, layouts, lora_inside, evaluates, exports,
)  # fmt: skip


def measure(base: Path, work: Path) -> tuple[str, ...]:
    """Return the cells of a model's folder, in the order of COLUMNS; raises whatever is not a ClincotError."""
    subject, found = Subject(base, work), []
    for cell in CELLS:
        try:
            found.append(cell(subject))
        except ClincotError as error:
            found.append(f"{NO}: {reason_of(error, base)}")
    return tuple(found)


def reason_of(error: ClincotError, base: Path) -> str:
    """What a message says happened, without the file's name and the advice."""
    said = re.sub(rf"^(policy )?\S*{re.escape(base.name)}\S*: ", "", str(error))
    return re.split(r"\. (?=[A-Z])", said)[0].rstrip(".")
