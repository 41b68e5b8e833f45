"""Names of PEFT's LoraConfig -> the values each takes here, or the reason why it cannot act; needs no torch.

The reference of Eq. 7 is the policy without its adapter, or a frozen copy of the adapter. So an adapter must start as
the base model itself, and only what belongs to the adapter may change.
"""

from __future__ import annotations

from clincot.recipe.option_kinds import FLAG, Idle, Option, count, fraction, number, one_of
from clincot.recipe.training_options import Rule

SAVED = "it is written when the adapter is saved"
OTHER_START = "the adapter would not start as the base model, which is the reference of the first round"
BASE_CHANGES = "it changes the base model, which is the reference of the first round"
CAUSAL = "only adapters of text models are read back with it"
UNLIKE = "it needs another model, library or way of training than clincot's"
STARTS = dict.fromkeys(("eva", "olora", "pissa", "corda", "loftq", "lora_ga"), OTHER_START)

LORA: dict[str, Rule] = {
    "task_type": Idle(None, CAUSAL),
    "peft_type": Idle(None, "it is LORA", also=("LORA",)),
    "auto_mapping": Idle(None, SAVED),
    "peft_version": Idle(None, SAVED),
    "base_model_name_or_path": Idle(None, "models.policy names the base"),
    "revision": Idle(None, "models.policy names the base"),
    "inference_mode": Idle(False, "the adapter is trained"),
    "r": count(1),
    "target_modules": Option("texts"),
    "exclude_modules": Option("texts", null=True),
    "lora_alpha": number(above=0),
    "lora_dropout": fraction(),
    "fan_in_fan_out": Idle(False, "the language model's layers are not of that kind"),
    "bias": one_of("none", refused=dict.fromkeys(("all", "lora_only"), BASE_CHANGES)),
    "use_rslora": FLAG,
    "modules_to_save": Option("texts", null=True),
    "init_lora_weights": Option("any"),
    "layers_to_transform": Option("counts", null=True),
    "layers_pattern": Option("texts", null=True),
    "rank_pattern": Option("map"),
    "alpha_pattern": Option("map"),
    "megatron_config": Idle(None, UNLIKE),
    "megatron_core": Idle("megatron.core", UNLIKE),
    "trainable_token_indices": Option("any", null=True),
    "loftq_config": Idle({}, OTHER_START, also=(None,)),
    "eva_config": Idle(None, OTHER_START),
    "corda_config": Idle(None, OTHER_START),
    "lora_ga_config": Idle(None, OTHER_START),
    "use_dora": FLAG,
    "velora_config": Idle(None, UNLIKE),
    "alora_invocation_tokens": Idle(None, CAUSAL),
    "use_qalora": Idle(False, UNLIKE),
    "qalora_group_size": Idle(16, UNLIKE),
    "monteclora_config": Idle(None, UNLIKE),
    "layer_replication": Idle(None, BASE_CHANGES),
    "runtime_config": Idle(None, UNLIKE),
    "lora_bias": FLAG,
    "target_parameters": Option("texts", null=True),
    "use_bdlora": Idle(None, UNLIKE),
    "arrow_config": Idle(None, UNLIKE),
    "kasa_config": Idle(None, UNLIKE),
    "ensure_weight_tying": FLAG,
}
