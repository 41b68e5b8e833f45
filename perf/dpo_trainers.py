"""Sizes of a LLaVA -> CPU seconds of real DPO steps, stock TRL's and clincot's, with their losses and gradients."""

from __future__ import annotations

import dataclasses
import io
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from PIL import Image
from transformers import LlavaForConditionalGeneration, LlavaProcessor
from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil
from trl import DPOConfig, DPOTrainer

from clincot.objectives.collator import PairCollator
from clincot.objectives.margin_dpo import MarginDPOTrainer
from clincot.objectives.packing import RowsCollator, groups
from clincot.objectives.sides import Renderer
from clincot.phantom.texts.tokenizer import train_tokenizer
from clincot.recipe import Margin
from clincot.rows.schema import PAIR_FEATURES
from perf.dpo_counting import LORA, Sizes, config_of

# A quarter of the widths and lengths of the 7B model, so that attention has the same share; two layers instead of 32.
SCALED = Sizes(1024, 3584, 2, 16, 256, 1024, 3, 8, 12, 8, 9, 15, 25, 0)
SMALL = Sizes(256, 896, 2, 8, 64, 256, 3, 4, 12, 8, 9, 15, 25, 0)
PAIRS = ((0, 1), (2, 3), (4, 0), (1, 2))
WORDS = "lung nodule effusion left right clear heart opacity"


@dataclass(frozen=True)
class Timing:
    """CPU seconds per pair (median), their spread (largest - smallest over it), and errors against another layout."""

    seconds: float
    spread: float
    against: str
    loss_error: float
    gradient_error: float


@dataclass(frozen=True)
class Step:
    seconds: list[float]
    loss: float
    gradient: torch.Tensor


class Bench:
    """One base model on disk, its processor and the rows of one group of five candidates."""

    def __init__(self, sizes: Sizes, folder: Path, repeats: int) -> None:
        self.folder, self.repeats = folder, repeats
        tokenizer = train_tokenizer()
        image = int(tokenizer.image_token_id)
        config = config_of(_with_vocabulary(sizes, len(tokenizer)), image, pad_token_id=tokenizer.pad_token_id)
        torch.manual_seed(0)
        LlavaForConditionalGeneration(config).save_pretrained(folder / "base")
        width = {"height": sizes.side * sizes.patch, "width": sizes.side * sizes.patch}
        self.processor = LlavaProcessor(
            LlavaImageProcessorPil(size={"shortest_edge": width["width"]}, crop_size=width),
            tokenizer,
            patch_size=sizes.patch,
            vision_feature_select_strategy="default",
            num_additional_image_tokens=1,
            chat_template=tokenizer.chat_template,
        )
        self.own = self._rows(sizes, own=True)
        self.same = self._rows(sizes, own=False)

    def _text(self, tokens: int, first: int) -> str:
        """Words of about that many tokens, beginning with another word for each `first`."""
        words = WORDS.split()
        text = words[first % len(words)]
        while len(self.processor.tokenizer(text, add_special_tokens=False)["input_ids"]) < tokens:
            text += " " + words[(len(text) + first) % len(words)]
        return text

    def _rows(self, sizes: Sizes, *, own: bool) -> list[dict[str, Any]]:
        blocks = [{"type": "image"}, {"type": "image"}]
        question = {"type": "text", "text": self._text(sizes.template + sizes.question, 0)}
        rows = []
        for number, pair in enumerate(PAIRS):
            crops = [_png(1 + n) for n in pair] if own else [_png(1)] * 2
            scores = (0.9 - 0.05 * number, 0.3)
            texts = [self._text(sizes.answer, 1 + n) for n in pair]
            row = {name: None for name in PAIR_FEATURES} | {"id": str(number), "group": "one", "weight": 1.0}
            row |= {"prompt": [{"role": "user", "content": [*blocks, question]}], "images": [_png(0)]}
            row |= {"side_images": crops, "chosen": texts[0], "rejected": texts[1]}
            rows.append(row | {"chosen_score": scores[0], "rejected_score": scores[1]})
        return rows

    def stock(self, rows: list[dict[str, Any]], *, checkpointed: bool) -> Step:
        told = [
            {
                "prompt": row["prompt"],
                "images": [Image.open(io.BytesIO(i["bytes"])) for i in (*row["images"], row["side_images"][0])],
                **{k: [{"role": "assistant", "content": row[k]}] for k in ("chosen", "rejected")},
            }
            for row in rows
        ]
        trainer = DPOTrainer(
            model=self._model(),
            args=self._arguments(checkpointed),
            train_dataset=Dataset.from_list(told, on_mixed_types="use_json"),
            processing_class=self.processor,
            peft_config=LORA,
        )
        return self._measure(trainer, trainer.data_collator(list(trainer.train_dataset)), len(rows))

    def ours(self, layout: Any, rows: list[dict[str, Any]], margin: str = "linear") -> Step:
        given = Dataset.from_list(rows, features=PAIR_FEATURES)
        pairs = PairCollator(Renderer(self.processor), Margin(margin, 1.0))  # type: ignore[arg-type]
        trainer = MarginDPOTrainer(
            model=self._model(),
            args=self._arguments(False),
            train_dataset=groups(given) if layout == "group" else given,
            data_collator=RowsCollator(pairs, layout, given if layout == "group" else None),
            processing_class=self.processor,
            peft_config=LORA,
        )
        batch: dict[str, Any] = trainer.data_collator(list(trainer.train_dataset))
        batch["ref_chosen_logp"], batch["ref_rejected_logp"] = trainer.compute_ref_log_probs(trainer.model, batch)
        return self._measure(trainer, batch, len(rows))

    def _model(self) -> Any:
        torch.manual_seed(0)
        return LlavaForConditionalGeneration.from_pretrained(self.folder / "base", dtype=torch.float32)

    def _arguments(self, checkpointed: bool) -> DPOConfig:
        return DPOConfig(
            output_dir=str(self.folder / "trainer"),
            max_length=None,
            remove_unused_columns=False,
            report_to="none",
            bf16=False,
            use_cpu=True,
            gradient_checkpointing=checkpointed,
            disable_tqdm=True,
            save_strategy="no",
        )

    def _measure(self, trainer: Any, batch: dict[str, Any], pairs: int) -> Step:
        torch.manual_seed(7)
        parameters = [p for p in trainer.model.parameters() if p.requires_grad]
        for parameter in parameters:  # LoRA's second matrix begins at zero, and the first would have no gradient
            parameter.data.normal_(0, 0.02)
        trainer.model.train()
        if trainer.args.gradient_checkpointing:
            trainer.model.gradient_checkpointing_enable(trainer.args.gradient_checkpointing_kwargs)
        step = _step(trainer, batch, parameters)
        loss, gradient = step()
        seconds = []
        for _ in range(self.repeats):
            start = time.process_time()
            step()
            seconds.append((time.process_time() - start) / pairs)
        return Step(seconds, loss, gradient)


def _step(trainer: Any, batch: dict[str, Any], parameters: list[Any]) -> Callable[[], tuple[float, torch.Tensor]]:
    def step() -> tuple[float, torch.Tensor]:
        for parameter in parameters:
            parameter.grad = None
        loss = trainer.compute_loss(trainer.model, batch)
        loss.backward()
        return loss.item(), torch.cat([parameter.grad.flatten() for parameter in parameters])

    return step


def measure_all(sizes: Sizes, folder: Path, repeats: int) -> dict[str, Timing]:
    """Return seconds and errors of each layout: stock on one pair of the same images, ours on one pair or the group."""
    bench = Bench(sizes, folder, repeats)
    own, same = bench.own[:1], bench.same[:1]
    stock, naive = bench.stock(same, checkpointed=True), bench.ours("pair", same, "none")
    pair_own, pair_same, pair_group = bench.ours("pair", own), bench.ours("pair", same), bench.ours("pair", bench.own)
    return {
        "stock TRL": _timing(stock, naive, "pair, margin none"),
        "stock TRL, not checkpointed": _timing(bench.stock(same, checkpointed=False), stock, "stock TRL"),
        "pair, stored reference": _timing(naive, stock, "stock TRL"),
        "shared, own crops": _timing(bench.ours("shared", own), pair_own, "pair"),
        "shared, same images": _timing(bench.ours("shared", same), pair_same, "pair"),
        "group of 5, 4 pairs, own crops": _timing(bench.ours("group", bench.own), pair_group, "pair, 4 pairs"),
    }


def _timing(step: Step, other: Step, against: str) -> Timing:
    middle = statistics.median(step.seconds)
    error = (step.gradient - other.gradient).norm() / other.gradient.norm()
    spread = (max(step.seconds) - min(step.seconds)) / middle
    return Timing(middle, spread, against, abs(step.loss - other.loss), float(error))


def _with_vocabulary(sizes: Sizes, vocabulary: int) -> Sizes:
    return dataclasses.replace(sizes, vocabulary=vocabulary)


def _png(seed: int) -> dict[str, Any]:
    pixels = np.random.default_rng(seed).integers(0, 255, (96, 96), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert("RGB").save(buffer, "PNG")
    return {"bytes": buffer.getvalue(), "path": f"{seed}.png"}
