"""Sizes of a LLaVA -> one DPO step of stock TRL, of clincot's layouts, and of a plain loop that does stock's work."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from clincot.objectives.tree import Text, padded, plant
from perf.dpo_counting import LORA, Sizes, text_of

BETA = 0.1
PAIRS = ((0, 1), (2, 3), (4, 0), (1, 2))


@dataclass(frozen=True)
class Work:
    """One batch of one layout; `reference` says that the step computes the reference itself, as stock TRL does."""

    name: str
    pairs: int
    batch: dict[str, Any]
    reference: bool


@dataclass(frozen=True)
class Measured:
    """Seconds per pair (median), most GPU bytes (0 on a CPU), the loss and the gradient of one step."""

    seconds: float
    memory: int
    loss: float
    gradient: Tensor


def works(sizes: Sizes, device: torch.device, dtype: torch.dtype) -> dict[str, Work]:
    """Return the batches: each side of a pair with its own crop, all texts of one length."""
    texts = [text_of(sizes, f"crop {n}", n) for n in range(len({n for pair in PAIRS for n in pair}))]
    one = PAIRS[:1]
    made = {
        "two rows": Work("two rows", 1, _two_rows(texts, one, sizes), True),
        "pair": Work("pair", 1, _two_rows(texts, one, sizes), False),
        "shared": Work("shared", 1, _packed(texts[:2], one, sizes), False),
        "group": Work("group", len(PAIRS), _packed(texts, PAIRS, sizes), False),
    }
    for work in made.values():
        for name, value in work.batch.items():
            if isinstance(value, Tensor):
                value = value.to(dtype) if name == "pixel_values" else value
                work.batch[name] = value.to(device)
    return made


def _two_rows(texts: list[Text], pairs: Any, sizes: Sizes) -> dict[str, Any]:
    sides = [texts[pair[side]] for side in (0, 1) for pair in pairs]
    ids = torch.tensor([[*side.prompt, *side.completion] for side in sides])
    answer = torch.zeros_like(ids)
    answer[:, len(sides[0].prompt) :] = 1
    shown = [key[0] for side in sides for key in side.keys if isinstance(key, tuple) and key[1] == 0]
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "completion_mask": answer}
    return batch | {"pixel_values": _pictures(shown, sizes)} | _columns(len(pairs))


def _packed(texts: list[Text], pairs: Any, sizes: Sizes) -> dict[str, Any]:
    tree = plant(texts)
    batch: dict[str, Any] = padded([tree], 0)
    shown = [key[0] for key in tree.keys if isinstance(key, tuple) and key[1] == 0]
    batch["chosen_text"], batch["rejected_text"] = torch.tensor(pairs).T
    return batch | {"pixel_values": _pictures(shown, sizes)} | _columns(len(pairs))


def _columns(pairs: int) -> dict[str, Any]:
    return {"margin": torch.zeros(pairs), "weight": torch.ones(pairs), "row_ids": [str(n) for n in range(pairs)]}


def _pictures(names: list[str], sizes: Sizes) -> Tensor:
    width = sizes.side * sizes.patch
    drawn = {name: torch.Generator().manual_seed(sum(map(ord, name))) for name in names}
    pixels = {name: torch.randn(3, width, width, generator=seed) for name, seed in drawn.items()}
    return torch.stack([pixels[name] for name in names])


def text_logps(model: Any, batch: dict[str, Any]) -> tuple[Tensor, Tensor]:
    """Return the summed log-probabilities of chosen and rejected texts, (pairs,) each, without TRL."""
    names = ("input_ids", "attention_mask", "position_ids", "pixel_values")
    known = {name: batch[name] for name in names if name in batch}
    scored = torch.nonzero(batch["completion_mask"][0, 1:]).flatten()  # the same places in every row
    logits = model(**known, use_cache=False, logits_to_keep=scored).logits.float()
    targets = batch["input_ids"][:, 1:][:, scored]
    logps = -F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
    if "owner" not in batch:
        chosen, rejected = logps.sum(1).chunk(2)
        return chosen, rejected
    owner = batch["owner"][0, 1:][scored]
    sums = logps.new_zeros(int(owner.max()) + 1).index_add(0, owner, logps[0])
    return sums[batch["chosen_text"]], sums[batch["rejected_text"]]


class Plain:
    """The step as a loop of a few lines: a forward pass for the policy, one for the reference, Eq. 6."""

    def __init__(self, base: Any, cast: bool) -> None:
        from peft import get_peft_model

        self.model, self.cast = get_peft_model(base, LORA).train(), cast

    def loss(self, work: Work) -> Tensor:
        with torch.autocast("cuda", torch.bfloat16) if self.cast else nullcontext():
            if work.reference:
                with torch.no_grad(), self.model.disable_adapter():
                    reference = text_logps(self.model, work.batch)
            else:
                reference = work.batch["ref_chosen_logp"], work.batch["ref_rejected_logp"]
            chosen, rejected = text_logps(self.model, work.batch)
        return -F.logsigmoid(BETA * (chosen - reference[0] - rejected + reference[1])).mean()


class Trl:
    """The step of a TRL trainer: stock's own, or clincot's subclass of it."""

    def __init__(self, base: Any, processor: Any, folder: Path, *, stock: bool, cast: bool) -> None:
        from datasets import Dataset
        from PIL import Image
        from trl import DPOConfig, DPOTrainer

        from clincot.objectives.margin_dpo import MarginDPOTrainer

        content = [{"type": "image"}, {"type": "text", "text": "lung"}]
        row = {"prompt": [{"role": "user", "content": content}], "images": [Image.new("RGB", (8, 8))]}
        row |= {side: [{"role": "assistant", "content": "clear"}] for side in ("chosen", "rejected")}
        arguments = DPOConfig(
            output_dir=str(folder), max_length=None, beta=BETA, report_to="none", bf16=cast, use_cpu=not cast,
            gradient_checkpointing=False, disable_tqdm=True, save_strategy="no", remove_unused_columns=False,
        )  # fmt: skip
        self.trainer: Any = (DPOTrainer if stock else MarginDPOTrainer)(
            model=base,
            args=arguments,
            train_dataset=Dataset.from_list([row], on_mixed_types="use_json"),
            processing_class=processor,
            peft_config=LORA,
        )
        self.stock, self.model = stock, self.trainer.model.train()

    def loss(self, work: Work) -> Tensor:
        own = ("margin", "weight", "row_ids", "ref_chosen_logp", "ref_rejected_logp")
        batch = {k: v for k, v in work.batch.items() if not (self.stock and k in own)}
        with self.trainer.compute_loss_context_manager():
            loss: Tensor = self.trainer.compute_loss(self.model, batch)
        return loss


def measure(step: Plain | Trl, work: Work, repeats: int) -> Measured:
    """Take one step for its result and `repeats` for its time: forward and backward, without an optimizer."""
    parameters = [p for p in step.model.parameters() if p.requires_grad]
    gpu = parameters[0].is_cuda
    torch.manual_seed(7)
    for parameter in parameters:  # LoRA's second matrix begins at zero, and the first would have no gradient
        parameter.data.normal_(0, 0.02)
    with torch.no_grad(), step.model.disable_adapter(), torch.autocast("cuda", torch.bfloat16, enabled=gpu):
        work.batch["ref_chosen_logp"], work.batch["ref_rejected_logp"] = text_logps(step.model, work.batch)
    once = _once(step, work, parameters)
    loss = once()
    gradient = torch.cat([p.grad.flatten().float().cpu() for p in parameters if p.grad is not None])
    if gpu:
        torch.cuda.reset_peak_memory_stats()
    seconds = sorted(_timed(once, gpu) for _ in range(repeats))[repeats // 2]
    memory = torch.cuda.max_memory_allocated() if gpu else 0
    return Measured(seconds / work.pairs, memory, loss, gradient)


def _once(step: Plain | Trl, work: Work, parameters: list[Any]) -> Callable[[], float]:
    def once() -> float:
        for parameter in parameters:
            parameter.grad = None
        loss = step.loss(work)
        loss.backward()
        return float(loss.detach())

    return once


def _timed(once: Callable[[], float], gpu: bool) -> float:
    clock = time.perf_counter if gpu else time.process_time
    start = clock()
    once()
    if gpu:
        torch.cuda.synchronize()
    return clock() - start
