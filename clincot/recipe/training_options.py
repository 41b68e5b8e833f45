"""Names of TRL's training arguments -> the values each takes here, or the reason why it cannot act; needs no torch.

`tests/test_recipe_training.py` compares the names with TRL's own dataclasses.
"""

from __future__ import annotations

from clincot.recipe.option_kinds import FLAG, Fixed, Idle, Kept, Option, count, fraction, number, one_of, optional

NO_EVALUATION = "training has no evaluation set. Evaluate the adapter with `clincot evaluate`"
NO_PUSH = "the trainer pushes nothing. Use `clincot train --push`"
LAST_STEP = "the adapter is that of the last step; no save is chosen by a metric"
OWN_COLLATOR = "clincot pads batches and never cuts a text"
OWN_MODEL = "clincot loads the model. Use models.policy and train.dtype"
OWN_LOSS = "the loss is Eq. 7, which does not use it"
OWN_LABELS = "the labels are the answer's tokens, whole"
LAUNCHER = (
    "a launcher gives it. Run under `torchrun`, or `accelerate launch --config_file recipes/accelerate/fsdp.yaml`"
)
JOINED = "the processes have joined before the trainer starts"
NO_LENGTHS = "rows have no length before they are collated"
FULL_WEIGHTS = "projects gradients of full weight matrices, and LoRA trains none"
SAME_WEIGHTS = "a job that was killed goes on to the weights of an uninterrupted one"
NOT_RUN = "is for programs that start the Trainer by their own arguments"

OPTIMISERS = (
    *("adamw_torch", "adamw_torch_fused", "adamw_torch_xla", "adamw_torch_npu_fused", "adamw_anyprecision"),
    *("adamw_torch_4bit", "adamw_torch_8bit", "adafactor", "sgd", "adagrad", "rmsprop", "grokadamw", "stable_adamw"),
    *("adamw_bnb_8bit", "adamw_8bit", "ademamix", "ademamix_8bit", "lion_8bit", "lion_32bit"),
    *("paged_adamw_32bit", "paged_adamw_8bit", "paged_ademamix_32bit", "paged_ademamix_8bit"),
    *("paged_lion_32bit", "paged_lion_8bit", "rmsprop_bnb", "rmsprop_bnb_8bit", "rmsprop_bnb_32bit"),
    *("schedule_free_radam", "schedule_free_adamw", "schedule_free_sgd"),
)
# Known to transformers and refused here.
LOW_RANK_OPTIMISERS = {
    **dict.fromkeys(("galore_adamw", "galore_adamw_8bit", "galore_adafactor"), FULL_WEIGHTS),
    **dict.fromkeys(("galore_adamw_layerwise", "galore_adamw_8bit_layerwise"), FULL_WEIGHTS),
    **dict.fromkeys(("galore_adafactor_layerwise", "apollo_adamw", "apollo_adamw_layerwise"), FULL_WEIGHTS),
    **dict.fromkeys(("lomo", "adalomo"), "updates full weight matrices in the backward pass, and LoRA trains none"),
}
SCHEDULES = (
    *("linear", "cosine", "cosine_with_restarts", "polynomial", "constant", "constant_with_warmup", "inverse_sqrt"),
    *("cosine_with_min_lr", "cosine_warmup_with_min_lr", "warmup_stable_decay"),
)
EVALUATED_SCHEDULES = dict.fromkeys(("reduce_lr_on_plateau", "greedy"), NO_EVALUATION)
COMPILERS = ("eager", "aot_eager", "inductor", "cudagraphs", "onnxrt", "tensorrt", "tvm")
COMPILE_MODES = ("default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs")
LEVELS = ("detail", "debug", "info", "warning", "error", "critical", "passive")

Rule = Option | Idle | Fixed | Kept

TRAINING: dict[str, Rule] = {
    "output_dir": Idle(None, "saves go to the run's folder"),
    "per_device_train_batch_size": count(1),
    "num_train_epochs": number(above=0),
    "max_steps": Option("int", least=-1, refused={0: "no step would be made. Give -1 to train whole epochs"}),
    "learning_rate": number(least=0),
    "lr_scheduler_type": one_of(*SCHEDULES, refused=EVALUATED_SCHEDULES),
    "lr_scheduler_kwargs": Option("map", null=True),
    "warmup_steps": number(least=0),
    "optim": one_of(*OPTIMISERS, refused=LOW_RANK_OPTIMISERS),
    "optim_args": Option("text", null=True),
    "weight_decay": number(least=0),
    "adam_beta1": fraction(),
    "adam_beta2": fraction(),
    "adam_epsilon": number(above=0),
    "optim_target_modules": Idle(None, FULL_WEIGHTS),
    "gradient_accumulation_steps": count(1),
    "average_tokens_across_devices": FLAG,
    "max_grad_norm": number(least=0),
    "label_smoothing_factor": fraction(),
    "bf16": Kept("train.dtype decides it"),
    "fp16": FLAG,
    "bf16_full_eval": Idle(False, NO_EVALUATION),
    "fp16_full_eval": Idle(False, NO_EVALUATION),
    "tf32": optional(FLAG),
    "activation_checkpointing": optional(FLAG),
    "activation_checkpointing_kwargs": Option("map", null=True),
    "gradient_checkpointing": FLAG,
    "gradient_checkpointing_kwargs": Option("map", null=True),
    "torch_compile": FLAG,
    "torch_compile_backend": optional(one_of(*COMPILERS)),
    "torch_compile_mode": optional(one_of(*COMPILE_MODES)),
    "use_liger_kernel": FLAG,
    "liger_kernel_config": Option("map", null=True),
    "use_cache": Idle(False, "training reads each text once"),
    "neftune_noise_alpha": optional(number(above=0)),
    "torch_empty_cache_steps": optional(count(1)),
    "auto_find_batch_size": Idle(False, "the batch size is part of the recipe. Lower per_device_train_batch_size"),
    "logging_strategy": one_of("steps", "epoch", refused={"no": "the curve and the card are made from the logs"}),
    "logging_steps": number(above=0, whole_above=1),
    "logging_first_step": FLAG,
    "log_on_each_node": FLAG,
    "logging_nan_inf_filter": FLAG,
    "include_num_input_tokens_seen": Idle("no", "the log has num_tokens", also=(False,)),
    "log_level": one_of(*LEVELS),
    "log_level_replica": one_of(*LEVELS),
    "disable_tqdm": Fixed(True),
    "report_to": Option("texts", null=True),
    "run_name": Option("text", null=True),
    "project": Option("text"),
    "trackio_space_id": Option("text", null=True),
    "trackio_bucket_id": Option("text", null=True),
    "trackio_static_space_id": Option("any", null=True),
    "eval_strategy": Idle("no", NO_EVALUATION, also=(False,)),
    "eval_steps": Idle(None, NO_EVALUATION),
    "eval_delay": Idle(0, NO_EVALUATION),
    "per_device_eval_batch_size": Idle(8, NO_EVALUATION),
    "prediction_loss_only": Idle(False, NO_EVALUATION),
    "eval_on_start": Idle(False, NO_EVALUATION),
    "eval_do_concat_batches": Idle(True, NO_EVALUATION),
    "eval_use_gather_object": Idle(False, NO_EVALUATION),
    "eval_accumulation_steps": Idle(None, NO_EVALUATION),
    "include_for_metrics": Idle([], NO_EVALUATION),
    "batch_eval_metrics": Idle(False, NO_EVALUATION),
    "save_only_model": Idle(False, f"{SAME_WEIGHTS}, so a save needs the optimiser's state"),
    "save_strategy": one_of("no", "steps", "epoch", refused={"best": NO_EVALUATION}),
    "save_steps": number(above=0, whole_above=1),
    "save_on_each_node": FLAG,
    "save_total_limit": Fixed(1),
    "enable_jit_checkpoint": FLAG,
    "push_to_hub": Fixed(False),
    "hub_token": Idle(None, NO_PUSH),
    "hub_private_repo": Idle(None, NO_PUSH),
    "hub_model_id": Idle(None, NO_PUSH),
    "hub_strategy": Idle("every_save", NO_PUSH),
    "hub_always_push": Idle(False, NO_PUSH),
    "hub_revision": Idle(None, NO_PUSH),
    "load_best_model_at_end": Idle(False, LAST_STEP),
    "metric_for_best_model": Idle(None, LAST_STEP),
    "greater_is_better": Idle(None, LAST_STEP),
    "ignore_data_skip": Idle(False, SAME_WEIGHTS),
    "restore_callback_states_from_checkpoint": FLAG,
    "full_determinism": FLAG,
    "seed": Kept("the recipe's seed decides it"),
    "data_seed": optional(count(0)),
    "use_cpu": Kept("a GPU is used where there is one. Set CUDA_VISIBLE_DEVICES to an empty text to hide it"),
    "accelerator_config": Option("map", null=True),
    "parallelism_config": Idle(None, LAUNCHER),
    "dataloader_drop_last": FLAG,
    "dataloader_num_workers": count(0),
    "dataloader_pin_memory": FLAG,
    "dataloader_persistent_workers": FLAG,
    "dataloader_prefetch_factor": optional(count(1)),
    "dataloader_multiprocessing_context": optional(one_of("fork", "spawn", "forkserver")),
    "dataloader_in_order": FLAG,
    "remove_unused_columns": Fixed(False),
    "label_names": Idle(None, "the collator names what the loss reads"),
    "train_sampling_strategy": one_of(
        "random", "sequential", refused=dict.fromkeys(("group_by_length", "batch_rebalance"), NO_LENGTHS)
    ),
    "length_column_name": Idle("length", NO_LENGTHS),
    "ddp_find_unused_parameters": optional(FLAG),
    "ddp_bucket_cap_mb": optional(count(1)),
    "ddp_broadcast_buffers": optional(FLAG),
    "ddp_static_graph": optional(FLAG),
    "ddp_backend": Idle(None, JOINED),
    "ddp_timeout": Idle(1800, JOINED),
    "fsdp": Idle(None, LAUNCHER, also=("", False, [])),
    "fsdp_config": Idle(None, LAUNCHER),
    "deepspeed": Option("any", null=True),
    "debug": one_of("", "underflow_overflow", refused={"tpu_metrics_debug": "training runs on no TPU"}),
    "skip_memory_metrics": FLAG,
    "do_train": Idle(False, NOT_RUN),
    "do_eval": Idle(False, NO_EVALUATION),
    "do_predict": Idle(False, NO_EVALUATION),
    "resume_from_checkpoint": Idle(None, "a killed job goes on by itself. Run the same command again"),
    "local_rank": Idle(-1, LAUNCHER),
    # TRL's, of both trainers
    "model_init_kwargs": Idle(None, OWN_MODEL),
    "trust_remote_code": Idle(False, OWN_MODEL),
    "router_aux_loss_coef": optional(number(least=0)),
    "dataset_num_proc": Idle(None, "rows are prepared when they are read"),
    "max_length": Fixed(None),  # TRL's default of 1024 cuts image tokens
    "truncation_mode": Idle("keep_start", OWN_COLLATOR),
    "padding_free": Idle(False, OWN_COLLATOR),
    "pad_to_multiple_of": Idle("auto", OWN_COLLATOR, also=(None,)),
    "activation_offloading": FLAG,
    "pad_token": Idle(None, "the tokenizer's own is used"),
}
# The loss is clincot's, so TRL's choices of losses do not apply.
DPO: dict[str, Rule] = TRAINING | {
    "disable_dropout": FLAG,
    "beta": number(above=0),
    "label_smoothing_factor": Idle(0.0, OWN_LOSS),
    "precompute_ref_log_probs": Fixed(False),
    "precompute_ref_batch_size": Idle(None, "a reference is read from the rows or computed in each step"),
    "sync_ref_model": Fixed(False),
    "ref_model_mixup_alpha": Idle(0.6, "the reference is frozen"),
    "ref_model_sync_steps": Idle(512, "the reference is frozen"),
    "loss_type": Fixed(["sigmoid"]),
    "loss_weights": Fixed(None),
    "label_smoothing": Fixed(0.0),
    "f_divergence_type": Fixed("reverse_kl"),
    "f_alpha_divergence_coef": Idle(0.5, OWN_LOSS),
    "discopop_tau": Idle(0.05, OWN_LOSS),
    "use_weighting": Fixed(False),
    "ld_alpha": Fixed(None),
}
# The collator writes the labels: the answer's tokens alone, whole.
SFT: dict[str, Rule] = TRAINING | {
    "loss_type": Fixed("nll"),
    "packing": Fixed(False),
    "padding_free": Fixed(False),
    "assistant_only_loss": Fixed(False),
    "dataset_kwargs": Fixed({"skip_prepare_dataset": True}),
    "chat_template_path": Idle(None, "the base model's own chat template is used"),
    "dataset_text_field": Idle("text", "the rows are the benchmark's"),
    "eos_token": Idle(None, "the base model's own end token is used"),
    "shuffle_dataset": Idle(False, "the sampler draws the order of the rows"),
    "packing_strategy": Idle("bfd", OWN_COLLATOR),
    "eval_packing": Idle(None, NO_EVALUATION),
    "completion_only_loss": Idle(None, OWN_LABELS),
}
