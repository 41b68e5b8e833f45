"""Settings of the trainer, the SFT stage and the adapter: the libraries' own names, one message for a bad value."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest

from clincot.errors import RecipeError
from clincot.recipe import Margin, MethodChoice, Train, load_recipe
from clincot.recipe.lora_options import LORA
from clincot.recipe.option_kinds import Idle, Option
from clincot.recipe.training import check_scale, check_training
from clincot.recipe.training_options import DPO, EVALUATED_SCHEDULES, LOW_RANK_OPTIMISERS, OPTIMISERS, SCHEDULES, SFT


def check(**parts: dict) -> None:
    check_training(Train(**parts))


def own(cls: type) -> dict[str, object]:
    """The names that a library's class takes, with the defaults that are plain values."""
    fields = [entry for entry in dataclasses.fields(cls) if entry.init]
    made = {
        entry.name: entry.default if entry.default_factory is dataclasses.MISSING else entry.default_factory()
        for entry in fields
    }
    return made


def test_the_tables_name_every_setting_of_trl_and_peft_and_no_other() -> None:
    from peft import LoraConfig
    from trl import DPOConfig, SFTConfig

    for cls, table in ((DPOConfig, DPO), (SFTConfig, SFT), (LoraConfig, LORA)):
        assert set(table) == set(own(cls)), cls.__name__


def test_a_setting_that_cannot_act_passes_with_the_librarys_own_default() -> None:
    from peft import LoraConfig
    from trl import DPOConfig, SFTConfig

    for cls, table in ((DPOConfig, DPO), (SFTConfig, SFT), (LoraConfig, LORA)):
        defaults = own(cls)
        for name, rule in table.items():
            if isinstance(rule, Idle | Option) and name not in {"runtime_config", "trackio_static_space_id"}:
                value = getattr(defaults[name], "value", defaults[name])
                if not (value is None or name in {"optim", "lr_scheduler_type", "debug"}):
                    rule.check(cls.__name__, name, value)
                if isinstance(rule, Idle):
                    assert value in (rule.value, *rule.also), name


def test_the_choices_are_those_of_transformers() -> None:
    from transformers.trainer_utils import SchedulerType
    from transformers.training_args import OptimizerNames

    assert set(OPTIMISERS) | set(LOW_RANK_OPTIMISERS) == {entry.value for entry in OptimizerNames}
    assert set(SCHEDULES) | set(EVALUATED_SCHEDULES) == {entry.value for entry in SchedulerType}


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("eval_strategy", "steps", "no evaluation set"),
        ("eval_strategy", "epoch", "no evaluation set"),
        ("eval_on_start", True, "no evaluation set"),
        ("load_best_model_at_end", True, "last step"),
        ("metric_for_best_model", "loss", "last step"),
        ("resume_from_checkpoint", "checkpoint-4", "same command"),
        ("padding_free", True, "pads batches"),
        ("pad_to_multiple_of", 8, "pads batches"),
        ("truncation_mode", "keep_end", "never cuts"),
        ("learning_rate", -1e-6, "at least 0"),
        ("learning_rate", float("nan"), "out of range"),
        ("learning_rate", "fast", "expected a number"),
        ("max_steps", 0, "no step"),
        ("max_steps", -2, "at least -1"),
        ("max_steps", 1.5, "whole number"),
        ("num_train_epochs", 0, "above 0"),
        ("gradient_accumulation_steps", 0, "at least 1"),
        ("per_device_train_batch_size", 0, "at least 1"),
        ("per_device_train_batch_size", True, "whole number"),
        ("warmup_steps", -1, "at least 0"),
        ("adam_beta1", 1.0, "below 1"),
        ("adam_epsilon", 0, "above 0"),
        ("weight_decay", -0.1, "at least 0"),
        ("logging_strategy", "no", "curve"),
        ("logging_steps", 0, "above 0"),
        ("logging_steps", 2.5, "whole above 1"),
        ("save_strategy", "best", "no evaluation set"),
        ("save_only_model", True, "optimiser"),
        ("ignore_data_skip", True, "uninterrupted"),
        ("optim", "galore_adamw", "LoRA"),
        ("optim", "adam", "is not a choice"),
        ("optim", ["adamw_torch"], "is not a choice"),
        ("lr_scheduler_type", "greedy", "no evaluation set"),
        ("lr_scheduler_type", "cosine_with_min_lr", "lr_scheduler_kwargs"),
        ("fsdp", "full_shard", "launcher"),
        ("model_init_kwargs", {"dtype": "bfloat16"}, "train.dtype"),
        ("train_sampling_strategy", "group_by_length", "length"),
        ("dataloader_persistent_workers", True, "dataloader_num_workers"),
        ("dataloader_prefetch_factor", 2, "dataloader_num_workers"),
        ("fp16", True, "train.dtype=float32"),
        ("accelerator_config", {"split_batches": True}, "split_batches"),
        ("gradient_checkpointing", "yes", "true or false"),
        ("disable_tqdm", False, "is always True"),
        ("warmup_ration", 0.1, "no such setting"),
        ("hub_model_id", "me/mine", "--push"),
    ],
)
@pytest.mark.parametrize("part", ["dpo", "sft"])
def test_a_setting_that_would_be_refused_late_is_one_message(part: str, name: str, value: object, word: str) -> None:
    with pytest.raises(RecipeError, match=f"train.{part}") as error:
        check(**{part: {name: value}})
    message = str(error.value)
    if not (part == "sft" and name == "padding_free"):
        assert name in message and word in message, message
    assert "\n" not in message and message.rstrip().endswith((".", "?"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ref_model_sync_steps", 64),
        ("precompute_ref_batch_size", 4),
        ("label_smoothing_factor", 0.1),
        ("f_alpha_divergence_coef", 0.9),
        ("beta", 0),
        ("beta", -0.1),
        ("loss_type", "hinge"),
        ("sync_ref_model", True),
    ],
)
def test_settings_of_other_dpo_losses_are_refused(name: str, value: object) -> None:
    with pytest.raises(RecipeError, match=rf"train.dpo.{name}: "):
        check(dpo={name: value})


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"target_modules": ["lm_head"]}, "lm_head"),
        ({"target_modules": ["q_proj", "language_model.lm_head"]}, "lm_head"),
        ({"target_modules": "lm_head"}, "lm_head"),
        ({"target_modules": []}, "names no module"),
        ({"r": 0}, "at least 1"),
        ({"r": -4}, "at least 1"),
        ({"lora_alpha": 0}, "above 0"),
        ({"lora_dropout": 1.5}, "below 1"),
        ({"bias": "all"}, "base model"),
        ({"init_lora_weights": False}, "base model"),
        ({"init_lora_weights": "pissa_niter_4"}, "base model"),
        ({"init_lora_weights": "zeros"}, "no such start"),
        ({"task_type": "CAUSAL_LM"}, "text models"),
        ({"inference_mode": True}, "trained"),
        ({"layer_replication": [[0, 2]]}, "base model"),
        ({"layers_to_transform": [0]}, "target_modules"),
        ({"target_modules": ["q_proj"], "layers_pattern": "layers"}, "layers_to_transform"),
        ({"rank_pattern": {"q_proj": 0}}, "q_proj"),
        ({"alpha_pattern": {"q_proj": "much"}}, "q_proj"),
        ({"use_qalora": True}, "another model"),
    ],
)
def test_an_adapter_that_could_not_be_trained_against_its_reference_is_refused(given: dict, word: str) -> None:
    with pytest.raises(RecipeError, match=r"train\.lora\.") as error:
        check(lora=given)
    assert word in str(error.value)


def test_what_acts_passes() -> None:
    dpo = {
        "learning_rate": 0,
        "max_steps": -1,
        "optim": "adamw_bnb_8bit",
        "warmup_steps": 0.03,
        "lr_scheduler_type": "cosine_with_min_lr",
        "lr_scheduler_kwargs": {"min_lr_rate": 0.1},
        "eval_strategy": "no",
        "padding_free": False,
        "pad_to_multiple_of": None,
        "dataloader_num_workers": 2,
        "dataloader_prefetch_factor": 2,
        "save_steps": 0.5,
        "router_aux_loss_coef": 0.01,
        "disable_dropout": False,
    }
    lora = {"r": 8, "lora_alpha": 16.5, "target_modules": ["q_proj"], "layers_to_transform": [0, 1], "use_dora": True}
    check(dpo=dpo, sft={"label_smoothing_factor": 0.1}, lora=lora | {"init_lora_weights": "gaussian"})


@pytest.mark.parametrize("setting", ["paper", "phantom"])
def test_shipped_recipes_pass(setting: str) -> None:
    check_training(load_recipe("clincot", setting).train)


def test_checking_needs_no_torch() -> None:
    code = (
        "import sys; from clincot.recipe.training import check_training; from clincot.recipe.parts import Train\n"
        "check_training(Train(dpo={'beta': 0.1}, lora={'r': 4}))\n"
        "assert not {'torch', 'trl', 'peft', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_logit_margin_needs_divided_scores() -> None:
    with pytest.raises(RecipeError, match="train.margin.kind: logit"):
        check_scale(printed("0.5"), Margin("logit"))
    for gamma, margin in (("0.5", Margin()), ("0", Margin("logit"))):
        check_scale(printed(gamma), margin)


def printed(gamma: str) -> MethodChoice:
    """Return ClinCoT with Eq. 3 as printed, not divided by 1 + gamma."""
    return load_recipe(overrides=["method.lookahead.normalise=false", f"method.lookahead.gamma={gamma}"]).method
