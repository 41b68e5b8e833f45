"""How a role's model is loaded -> its dtype, attention, place and quantisation, and which of them change numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from clincot.recipe.served import kept

KINDS = ("int8", "nf4")  # of quantisation at load
SPREAD = ("auto", "balanced", "balanced_low_0", "sequential")  # Accelerate's ways to lay a model over several devices
PLACES = ("device_map",)  # where weights lie decides no number that a key answers for
MEMORY = ("resident", "shards_together")  # nor does which models are on the GPU at the same time
HOSTS = "trusted_hosts"  # nor who may see the data


@dataclass(frozen=True)
class Load:
    """How a model is loaded in process; the defaults are its weights' own dtype, on one device.

    `dtype` auto: that of the weights on disk. `attention` auto: what transformers takes for the class.
    `device_map`: "" for the first GPU, else the CPU; a device ("cpu", "cuda:1"); or one of `SPREAD`.
    `quantization`: weights of linear layers in 8 (`int8`) or 4 bits (`nf4`) by bitsandbytes; a policy trained so is
    trained as QLoRA.
    """

    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    attention: Literal["auto", "eager", "sdpa", "flash_attention_2"] = "auto"
    device_map: str = ""
    quantization: Literal["none", "int8", "nf4"] = "none"

    @property
    def numbers(self) -> dict[str, str]:
        """Return the values that are not the default and change what a model computes; they count in content keys."""
        return {name: value for name, value in self.given.items() if name not in PLACES}

    @property
    def given(self) -> dict[str, str]:
        """Return the values that are not the default."""
        usual = asdict(Load())
        return {name: value for name, value in asdict(self).items() if value != usual[name]}


DEFAULT = Load()


def key_of(*loads: Load) -> list[list[dict[str, str]]]:
    """Return what loads add to a content key: nothing where all are the default, so that older keys are the same."""
    numbers = [load.numbers for load in loads]
    return [numbers] if any(numbers) else []


def without_defaults(models: Mapping[str, Any], *, places: bool) -> dict[str, Any]:
    """Return a recipe's `models` as plain values, each with the given values of its `load` alone.

    A model that is loaded by default has no `load`, as in recipes of earlier versions. `places` keeps device maps and
    what is said of servers.
    Which models are on the GPU together is left out: a round has the same content in either way.
    """
    sources = {role: _source(value, places) for role, value in models.items() if role not in (*MEMORY, HOSTS)}
    hosts = list(models.get(HOSTS, ())) if places else []
    return sources | ({HOSTS: hosts} if hosts else {})


def turns(models: Mapping[str, Any]) -> dict[str, Any]:
    """Return which models of a recipe's `models` are on the GPU together, as other processes of a run must know it."""
    return {name: models[name] for name in MEMORY}


def _source(value: Any, places: bool) -> Any:
    if isinstance(value, (list, tuple)):
        return [_source(one, places) for one in value]
    load = Load(**value["load"])
    given = load.given if places else load.numbers
    own = kept(value, places)
    return {name: one for name, one in own.items() if name != "load"} | ({"load": given} if given else {})
