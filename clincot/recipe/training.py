"""A recipe's `train` part -> nothing, or a RecipeError for a setting that TRL or PEFT refuses late or ignores.

It needs no torch and looks at no device and no package, so a recipe can be checked on any machine; what depends on them
is checked before a model loads (objectives/_rehearsal.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from clincot.errors import RecipeError, did_you_mean
from clincot.recipe.lora_options import LORA, STARTS
from clincot.recipe.training_options import DPO, SFT, Rule

if TYPE_CHECKING:
    from clincot.recipe.losses import Margin
    from clincot.recipe.method import MethodChoice
    from clincot.recipe.parts import Train

INITIAL = (True, "gaussian", "orthogonal", "mica")
ACCELERATOR = ("even_batches", "use_seedable_sampler", "non_blocking")


def check_training(train: Train) -> None:
    """Check `train.dpo`, `train.sft` and `train.lora`: names, kinds, ranges and values that exclude each other.

    Raises RecipeError for the first value that cannot be used, with what to do.
    """
    check_options(train.dpo, DPO, "train.dpo", "DPOConfig")
    check_options(train.sft, SFT, "train.sft", "SFTConfig")
    check_options(train.lora, LORA, "train.lora", "LoraConfig")
    for where, given in (("train.dpo", train.dpo), ("train.sft", train.sft)):
        _check_together(where, given, train)
    _check_lora(train.lora)
    if train.projector_lr and train.feature_cache_gb:
        raise RecipeError(
            "train.feature_cache_gb: train.projector_lr changes the features of images at each step, so none can be"
            " kept. Set one of them to 0."
        )


def check_scale(method: MethodChoice, margin: Margin) -> None:
    """Raise RecipeError for a margin that needs scores in [0, 1] where the method's scores may leave that range."""
    if margin.kind == "logit" and not method.scores_in_range:
        raise RecipeError(
            f"train.margin.kind: logit needs scores in [0, 1], and those of {method.name} are not"
            " (method.lookahead.normalise is false). Use linear, or set method.lookahead.normalise=true."
        )


def check_options(given: Mapping[str, Any], rules: Mapping[str, Rule], where: str, owner: str) -> None:
    """Raise RecipeError for a name that `rules` of the class `owner` lack, or a value that its rule refuses."""
    for name, value in given.items():
        if name not in rules:
            near = did_you_mean(str(name), rules)
            raise RecipeError(
                f"{where}.{name}: {owner} has no such setting.{near if 'mean' in near else ' Remove it.'}"
            )
        rules[name].check(where, name, value)


def _check_together(where: str, given: Mapping[str, Any], train: Train) -> None:
    """Raise RecipeError for values that are right alone and wrong together."""
    if given.get("fp16") and train.dtype != "float32":
        raise RecipeError(
            f"{where}.fp16: trains float32 weights in mixed precision, and train.dtype is {train.dtype}."
            " Add train.dtype=float32, or remove fp16."
        )
    workers = given.get("dataloader_num_workers", 0)
    for name in ("dataloader_persistent_workers", "dataloader_prefetch_factor", "dataloader_multiprocessing_context"):
        if given.get(name) and not workers:
            raise RecipeError(
                f"{where}.{name}: {given[name]!r} is for worker processes, and training starts no worker."
                " Set dataloader_num_workers too, or remove it."
            )
    for name in ("activation_checkpointing", "gradient_checkpointing"):
        if given.get(f"{name}_kwargs") and given.get(name) is False:
            raise RecipeError(f"{where}.{name}_kwargs: has no effect while {name} is false. Remove one of them.")
    if (given.get("liger_kernel_config") or {}).get("fused_linear_cross_entropy"):
        raise RecipeError(
            f"{where}.liger_kernel_config: fused_linear_cross_entropy would replace the forward pass that clincot reads"
            " log-probabilities from. Remove it."
        )
    _check_schedule(where, given)
    _check_accelerator(where, given.get("accelerator_config") or {})


def _check_schedule(where: str, given: Mapping[str, Any]) -> None:
    kind, more = given.get("lr_scheduler_type", "linear"), given.get("lr_scheduler_kwargs") or {}
    if kind in {"cosine_with_min_lr", "cosine_warmup_with_min_lr"} and not {"min_lr", "min_lr_rate"} & set(more):
        raise RecipeError(
            f"{where}.lr_scheduler_type: {kind!r} needs the lowest rate."
            " Add lr_scheduler_kwargs={min_lr_rate: 0.1}, or use cosine."
        )
    if kind == "warmup_stable_decay" and "num_decay_steps" not in more:
        raise RecipeError(
            f"{where}.lr_scheduler_type: {kind!r} needs the length of the decay."
            " Add lr_scheduler_kwargs={num_decay_steps: 100}, or use cosine."
        )


def _check_accelerator(where: str, given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if name not in ACCELERATOR:
            raise RecipeError(
                f"{where}.accelerator_config.{name}: cannot act here, batches are made by clincot's collator."
                f" Keep {', '.join(ACCELERATOR)}, or remove it."
            )
        if not isinstance(value, bool):
            raise RecipeError(f"{where}.accelerator_config.{name}: expected true or false, found {value!r}.")


def _check_lora(given: Mapping[str, Any]) -> None:
    start = given.get("init_lora_weights", True)
    if not any(start is known or (isinstance(start, str) and start == known) for known in INITIAL):
        reason = next((text for name, text in STARTS.items() if str(start).startswith(name)), None)
        reason = reason or (STARTS["eva"] if start is False else "PEFT knows no such start")
        raise RecipeError(
            f"train.lora.init_lora_weights: {start!r} cannot be used here: {reason}. Use true, gaussian or orthogonal."
        )
    _check_targets(given)
    for name, least in (("rank_pattern", 1), ("alpha_pattern", 0)):
        for layer, value in (given.get(name) or {}).items():
            if isinstance(value, bool) or not isinstance(value, int | float) or value < least or value <= 0:
                raise RecipeError(f"train.lora.{name}: {layer} has {value!r}. Give a number above 0.")


def _check_targets(given: Mapping[str, Any]) -> None:
    targets = given.get("target_modules", "all-linear")
    names = targets if isinstance(targets, list) else [targets]
    for name in names:
        if str(name).split(".")[-1] == "lm_head":
            raise RecipeError(
                "train.lora.target_modules: an adapter on lm_head would not be trained: the log-probabilities are"
                " computed from its weight directly. Remove lm_head."
            )
    if not names or "" in names:
        raise RecipeError("train.lora.target_modules: names no module. Remove it, or name linear layers.")
    if isinstance(targets, str):
        for name in ("layers_to_transform", "layers_pattern"):
            if given.get(name) not in (None, [], ""):
                raise RecipeError(
                    f"train.lora.{name}: needs a list of target_modules, found {targets!r}."
                    " Write for example target_modules=[q_proj, v_proj]."
                )
    if given.get("layers_pattern") and given.get("layers_to_transform") is None:
        raise RecipeError("train.lora.layers_pattern: has no effect without layers_to_transform. Add it, or remove it.")
