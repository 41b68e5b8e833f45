"""A trained policy -> its held-out accuracy per kind of question: without, with a random and with the right region."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image
from transformers import LlavaForConditionalGeneration, LlavaProcessor

from clincot.chain import prompts
from clincot.phantom.drawing.draw import RANGES, Phantom, draw, random_region, region_around, visible
from clincot.phantom.drawing.findings import FINDINGS
from clincot.phantom.texts.questions import Question, finding_sentence, presence, questions
from clincot.phantom.texts.tokenizer import IMAGE
from clincot.phantom.texts.underreporting import shows_subtle
from clincot.records import Box, Message

PER_KIND = 500
LOOKS = ("global", "random", "right")
RESAMPLES = 1_000


@dataclass(frozen=True)
class Trial:
    """One held-out question; `kind` sets nodule presence apart from the other findings."""

    phantom: Phantom = field(repr=False)
    question: Question
    kind: str


def measure(
    model: LlavaForConditionalGeneration,
    processor: LlavaProcessor,
    *,
    seed: int,
    images: int,
    per_kind: int = PER_KIND,
    prior_images: int = 1_500,
    report: Callable[[str], None] = print,
) -> dict:
    """Ask up to `per_kind` questions of each kind about `images` held-out radiographs; see the card for the layout."""
    bank = [draw(seed, RANGES["held_out"] + number) for number in range(images)]
    trials = choose(bank, per_kind)
    figures: dict = {"kinds": {}, "findings": {}}
    figures["prior"] = _score(trials, prior(seed, trials, prior_images))
    for look in LOOKS:
        answers, steps = answer(model, processor, trials, look, seed)
        figures["kinds"][look] = _score(trials, answers)
        if steps:
            figures["findings"] |= _steps(trials, steps, look, seed)
        report(f"{look}: " + ", ".join(f"{k} {v['value']:.1f}" for k, v in figures["kinds"][look].items()))
    return figures


def _steps(trials: Sequence[Trial], right: Sequence[float], look: str, seed: int) -> dict[str, dict[str, float]]:
    """Right step findings over all regions, and over those that show a subtle finding."""
    images = [trial.phantom.index for trial in trials]
    hard = [i for i, trial in enumerate(trials) if shows_subtle(trial.phantom, region(trial, look, seed))]
    found = {look: interval(images, right)}
    if hard:
        found[f"{look}, subtle"] = interval([images[i] for i in hard], [right[i] for i in hard])
    return found


def choose(bank: Sequence[Phantom], per_kind: int) -> list[Trial]:
    """Take each image's questions, add one more about a nodule, and cut every kind to `per_kind`."""
    taken: Counter[str] = Counter()
    trials = []
    for phantom in bank:
        rng = np.random.default_rng([phantom.seed, phantom.index, 3])
        asked = [q for q in questions(phantom) if q.finding != "nodule" or q.kind != "presence"]
        if rng.random() < (1 if "nodule" in phantom.names else 0.25):
            asked.append(presence("nodule", phantom, rng))
        for question in asked:
            kind = "presence, nodule" if (question.kind, question.finding) == ("presence", "nodule") else question.kind
            if taken[kind] < per_kind:
                taken[kind] += 1
                trials.append(Trial(phantom, question, kind))
    return trials


def answer(
    model: LlavaForConditionalGeneration, processor: LlavaProcessor, trials: Sequence[Trial], look: str, seed: int
) -> tuple[list[str], list[float]]:
    """Answer greedily; with a region, first say what it shows. Returns answers and whether each step was right."""
    if look == "global":
        asked = [
            (prompts.direct_messages(t.question.text, report=t.question.is_report), [_image(t.phantom)]) for t in trials
        ]
        return generate(model, processor, asked), []
    boxes = [region(t, look, seed) for t in trials]
    seen = [[_image(t.phantom), _image(t.phantom).crop(box)] for t, box in zip(trials, boxes, strict=True)]
    steps = [prompts.finding_messages(t.question.text, (), report=t.question.is_report) for t in trials]
    said = generate(model, processor, list(zip(steps, seen, strict=True)))
    last = [
        prompts.answer_messages(t.question.text, [s], report=t.question.is_report)
        for t, s in zip(trials, said, strict=True)
    ]
    truth = [finding_sentence(visible(t.phantom, box)) for t, box in zip(trials, boxes, strict=True)]
    right = [float(s == t) for s, t in zip(said, truth, strict=True)]
    return generate(model, processor, list(zip(last, seen, strict=True))), right


def region(trial: Trial, look: str, seed: int) -> Box:
    """Return a random region, or the right one: on the finding asked about, else on one that is there."""
    phantom = trial.phantom
    rng = np.random.default_rng([seed, phantom.index, 4])
    if look == "random":
        return random_region([phantom.box_of(name) for name in FINDINGS], rng)
    name = trial.question.finding or str(rng.choice(phantom.names or FINDINGS))
    return region_around(phantom.box_of(name), rng)


def generate(
    model: LlavaForConditionalGeneration,
    processor: LlavaProcessor,
    asked: Sequence[tuple[list[Message], list[Image.Image]]],
    batch: int = 64,
) -> list[str]:
    """Answer prompts greedily, in batches with left padding."""
    texts = []
    for start in range(0, len(asked), batch):
        part = asked[start : start + batch]
        prompt = [processor.apply_chat_template(messages, add_generation_prompt=True) for messages, _ in part]
        seen = [shown for _, shown in part]
        inputs = processor(images=seen, text=prompt, padding=True, add_special_tokens=False, return_tensors="pt")
        banned = [processor.tokenizer.convert_tokens_to_ids(IMAGE)]
        with torch.inference_mode():
            made = model.generate(**inputs, max_new_tokens=64, do_sample=False, suppress_tokens=banned)
        texts += processor.batch_decode(made[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    return texts


def prior(seed: int, trials: Sequence[Trial], images: int) -> list[str]:
    """Answer without looking: the commonest answer to this kind of question about this finding, on other images."""
    counts: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for number in range(images):
        for question in questions(draw(seed, RANGES["policy"] + number)):
            counts[question.kind, question.finding][question.answer] += 1
    best = {key: found.most_common(1)[0][0] for key, found in counts.items()}
    return [best.get((t.question.kind, t.question.finding), "") for t in trials]


def _image(phantom: Phantom) -> Image.Image:
    return Image.fromarray(phantom.image).convert("RGB")


def _score(trials: Sequence[Trial], answers: Sequence[str]) -> dict[str, dict[str, float]]:
    groups: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    for trial, text in zip(trials, answers, strict=True):
        gold = trial.question.answer
        groups[trial.kind].append((trial.phantom.index, float(text == gold)))
        if trial.kind == "report":
            groups["report, sentences"].append((trial.phantom.index, _sentences(text, gold)))
    return {kind: interval(*map(list, zip(*pairs, strict=True))) for kind, pairs in sorted(groups.items())}


def _sentences(text: str, gold: str) -> float:
    """F1 of the sentences of a report."""
    said, true = (set(part.split(". ")) for part in (text.rstrip("."), gold.rstrip(".")))
    return 2 * len(said & true) / (len(said) + len(true))


def interval(images: Sequence[int], right: Sequence[float]) -> dict[str, float]:
    """Mean in percent with its 95 % bootstrap interval over images, and n."""
    names, group = np.unique(images, return_inverse=True)
    total, count = np.bincount(group, right), np.bincount(group)
    draws = np.random.default_rng(0).integers(len(names), size=(RESAMPLES, len(names)))
    means = 100 * total[draws].sum(1) / count[draws].sum(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return {"value": 100 * float(np.mean(right)), "low": float(low), "high": float(high), "n": len(right)}
