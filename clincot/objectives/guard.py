"""A trainer's log lines -> the end of training where chosen texts have become too unlikely, and a line that says so."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback

from clincot.progress import notice


class Guard(TrainerCallback):
    """Ends training after a line of the log whose mean `rewards/chosen` is below -`limit` nats; 0 never ends it.

    DPO can raise its loss's margin while both texts lose likelihood; the reward of a chosen text is beta * (log pi -
    log pi_ref). The adapter is that of the step where training ended; `facts` say which.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.facts: dict[str, Any] = {}

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        reward = (logs or {}).get("rewards/chosen")
        if not self.limit or reward is None or reward >= -self.limit or self.facts:
            return
        control.should_training_stop = True
        self.facts = {"stopped": {"step": state.global_step, "of": state.max_steps, "rewards_chosen": reward}}
        if state.is_world_process_zero:
            notice(
                f"training ended at step {state.global_step} of {state.max_steps}: the mean rewards/chosen is"
                f" {reward:.3f}, below -{self.limit:g} (train.guard_chosen). The adapter is that of this step. Lower"
                " the learning rate or add train.nll_weight, or set train.guard_chosen=0 to train on."
            )
