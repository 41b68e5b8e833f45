"""The parts of a recipe as frozen dataclasses: models, build, train, evaluate, each value with range and default."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args

from clincot.recipe.load import Load
from clincot.recipe.losses import Anchor, InherentNoise, LaterRounds, Margin
from clincot.recipe.ranges import Range
from clincot.recipe.served import KEY_ENV, OneOrMore

Conditioning = Literal["per_side", "winner", "global"]
ImageLayout = Literal["separate", "canvas"]
ImageFit = Literal["as_is", "pad", "stretch", "crop"]
BatchLayout = Literal["pair", "shared", "group"]
Start = Literal["base", "sft"]
Look = Literal["one", "each"]
Scoring = Literal["expected", "generated", "yesno"]
SCORINGS: tuple[Scoring, ...] = get_args(Scoring)


@dataclass(frozen=True)
class ModelSource:
    """A model on a Hub, or on a server.

    `repo` is empty for kinds that need no model; of a served one it is the name on the server. `revision`: its commit,
    tag or branch. `kind`: where a folder of choices applies, which of its classes reads it. `endpoint` is the base URL
    of a server that answers for it (`openai`), or a list of servers that share the requests. `key_env` names the
    environment variable with their key. `at_once` requests are under way at a time (0: the batch size of the role);
    each may take `timeout` seconds and is sent `tries` times. `tokenizer` is the repository of the served model's
    tokenizer, for servers that do not tokenise. `adapter_root`: where the policy's servers see the folder of all runs,
    from which they load adapters; empty: under its path here. `load`: dtype, attention, place and quantisation of a
    model in process.
    """

    repo: str = ""
    revision: str = "main"
    kind: str = ""
    endpoint: Annotated[tuple[str, ...], OneOrMore("a URL or a list of URLs")] = ()
    key_env: str = KEY_ENV
    at_once: Annotated[int, Range(0, 10_000)] = 0
    timeout: Annotated[float, Range(1, 86_400)] = 600.0
    tries: Annotated[int, Range(1, 100)] = 7
    tokenizer: str = ""
    adapter_root: str = ""
    load: Load = Load()


@dataclass(frozen=True)
class Models:
    """The models of a run by role; only what the method needs is loaded, and a role that it needs must be filled.

    `policy`: the base that is trained. `proposer`: finds regions. `judges`: rate texts (the paper's two evaluators).
    `critic`: compares texts before the image, of kind `policy` for the round's policy itself. `editor`: writes a wrong
    version of a text. `similarity`: matches image and text, of kind `proposer` for the proposer's own score.
    `resident`: `all` models stay on the GPU, or `one` at a time while the others wait in CPU memory; rows are equal.
    With `one`, a build drives `shards_together` shards at once, so that a model that has its turn serves all of them.
    `trusted_hosts`: names or IP addresses of the hosts that may see a restricted benchmark, besides this machine.
    """

    policy: ModelSource
    proposer: ModelSource = ModelSource()
    judges: tuple[ModelSource, ...] = ()
    critic: ModelSource = ModelSource()
    editor: ModelSource = ModelSource()
    similarity: ModelSource = ModelSource()
    resident: Literal["all", "one"] = "all"
    shards_together: Annotated[int, Range(1, 1000)] = 4
    trusted_hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Regions:
    """Heat map -> region (Eq. 1): threshold = mean + `threshold` * std, or the `quantile` of the map by that `rule`.

    `blur`: width of the Gaussian kernel over the map, in pixels of the original image, odd (0: none). `smallest`: the
    share of the image that a component covers at least. `padding`: how much of its width and height a box grows by on
    each side. `least_side`: pixels of the original image that a box is wide and high at least. `crop`: white outside of
    the component (`masked`), or all of the `box`. `per_hypothesis`: how many components of a map become regions at
    most, the strongest first.
    """

    rule: Literal["mean_std", "quantile"] = "mean_std"
    threshold: Annotated[float, Range(-10, 10)] = 1.0
    quantile: Annotated[float, Range(0, 1)] = 0.9
    blur: Annotated[int, Range(0, 1001)] = 15
    smallest: Annotated[float, Range(0, 1, below=True)] = 0.01
    padding: Annotated[float, Range(0, 10)] = 0.1
    least_side: Annotated[int, Range(0, 100_000)] = 168
    crop: Literal["masked", "box"] = "masked"
    per_hypothesis: Annotated[int, Range(1, 1000)] = 1


@dataclass(frozen=True)
class Judging:
    """What the judges see, how their reply becomes a score and how two scores become one (Eq. 4).

    `context`: judges read the gold answer (`reference`), or they do not (`blind`), or they read hypothesis, place and
    confidence of the region (`facts`).
    `scoring`: the mean over the digits' probabilities (`expected`), the digit that is written (`generated`), or the
    probability of yes (`yesno`). `consensus`: how the scores of two judges become one (docs/methods.md).
    `debate_rounds`: rounds of a debate at most (`consensus: debate`). `batch_size`: ratings at a time.
    `prefill`: how a judge's reply begins, written for it, so that the rating comes next ("Rating: ").
    `judges`: how many of the setting's judges count, from the first on (0: all; -1: the last one alone); one judge is
    its own consensus.
    A build stops when more than `failure_limit` of the ratings so far are failures.
    """

    context: Literal["reference", "blind", "facts"] = "reference"
    scoring: Scoring = "expected"
    prefill: str = ""
    consensus: Literal["agreement", "exp", "mean_minus", "mean", "min", "debate"] = "agreement"
    judges: Annotated[int, Range(-100, 100)] = 0
    debate_rounds: Annotated[int, Range(1, 100)] = 5
    failure_limit: Annotated[float, Range(0, 1)] = 0.5
    batch_size: Annotated[int, Range(1, 100_000)] = 32


@dataclass(frozen=True)
class Build:
    """What the building of pairs shares among methods; a method's own numbers are in its `Config`.

    `max_new_tokens`, `report_tokens`: tokens of an answer and of a report at most. `max_images`, `max_questions`:
    images of a round and questions about each of them (0: all). `shard_images`: images that are built together.
    `batch_size`: texts that are written at a time. `threads`: CPU threads of a process.
    `cut_texts`: texts cut at the length limit never extend a chain; they are left out of the pairs (`drop`), or kept
    and trained without an end token (`train`).
    """

    max_new_tokens: Annotated[int, Range(1, 100_000)] = 128
    report_tokens: Annotated[int, Range(1, 100_000)] = 256
    cut_texts: Literal["drop", "train"] = "drop"
    regions: Regions = field(default_factory=Regions)
    judging: Judging = field(default_factory=Judging)
    max_images: Annotated[int, Range(0, 10**9)] = 0
    max_questions: Annotated[int, Range(0, 10**9)] = 0
    shard_images: Annotated[int, Range(1, 10**9)] = 8
    batch_size: Annotated[int, Range(1, 100_000)] = 16
    threads: Annotated[int, Range(1, 1024)] = 1


@dataclass(frozen=True)
class Train:
    """How a round's adapter is trained (paper, 2.2); `dpo` goes to TRL's DPOConfig, `lora` to PEFT's LoraConfig.

    `objective`: the loss of a pair, a name of `clincot plugins`. `margin`: what a pair's scores add to it.
    `anchor`: what `image_preference` adds, and `noise`: what `povid_noise` reads mistakes under (docs/training.md).
    `conditioning`: which images a side is scored with: its own crop (`per_side`), the chosen side's (`winner`), or no
    crop (`global`). `nll_weight`: the factor of the chosen text's negative log-likelihood, added to the loss.
    `threads`: CPU threads of a process. `dtype`: that of the base in training (auto: by the device).
    `projector_lr`: the learning rate of the projector, which is trained whole and kept in the adapter; 0 freezes it.
    `batch_layout` (docs/decisions/0008): with `group` the batch size counts (question, step) groups, not pairs.
    `feature_cache_gb` keeps the frozen tower's features of that many GB in memory; 0 encodes at every step.
    `start`: round 1 starts from the base, or from the adapter `sft` of gold answers; `sft` goes to TRL's SFTConfig.
    `reference`: the frozen policy of Eq. 7 is that of the round's start, or the initial one (`start`) in every round.
    `later_rounds`: what differs from the second round on. `guard_chosen`: training stops early where the mean reward of
    chosen texts in a line of the log is further below 0 than this, in nats; 0 never stops. `likelier_rejected`: pairs
    whose rejected text the reference finds likelier than the chosen one are trained, or left out (`drop`).
    `batch`: the batch size counts the pairs of each process, or of all processes together (`global`).
    `preferences`: pairs are trained as `judged`, or, for a control, with chosen and rejected side exchanged in half of
    them at random (`shuffled`).
    """

    objective: str = "margin_dpo"
    start: Start = "base"
    reference: Literal["round_start", "initial"] = "round_start"
    batch: Literal["per_process", "global"] = "per_process"
    batch_layout: BatchLayout = "shared"
    feature_cache_gb: Annotated[float, Range(0, 100_000)] = 0.0
    projector_lr: Annotated[float, Range(0, 1)] = 0.0
    margin: Margin = field(default_factory=Margin)
    anchor: Anchor = field(default_factory=Anchor)
    noise: InherentNoise = field(default_factory=InherentNoise)
    conditioning: Conditioning = "per_side"
    nll_weight: Annotated[float, Range(0, 1000)] = 0.0
    threads: Annotated[int, Range(1, 1024)] = 1
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    later_rounds: LaterRounds = field(default_factory=LaterRounds)
    guard_chosen: Annotated[float, Range(0, 1000)] = 0.0
    likelier_rejected: Literal["train", "drop"] = "train"
    preferences: Literal["judged", "shuffled"] = "judged"
    dpo: dict[str, Any] = field(default_factory=dict)
    lora: dict[str, Any] = field(default_factory=dict)
    sft: dict[str, Any] = field(default_factory=dict)


Control = Literal["black_image", "shuffled_images", "question_prior", "constant_template", "random_report"]
Probe = Literal["faithfulness", "findings", "image", "length", "templates", "judge"]
PROBES: tuple[Probe, ...] = get_args(Probe)


@dataclass(frozen=True)
class Evaluate:
    """What is answered; `inference` names ways to answer, `controls` the rows that see no or another image.

    `protocol` decides how questions are asked and which table comes first; answers are scored under all of them.
    Inference by region writes `steps` texts and looks for `hypotheses` of an image; 0 takes the method's numbers.
    `split`: the part of the benchmark that is answered. `max_images`: images that are answered about (0: all).
    `max_new_tokens`, `report_tokens`: tokens of an answer and of a report at most. `batch_size`: questions at a time.
    `resamples`: draws of the images behind each interval. `threads`: CPU threads of a process.
    `look`: all steps of a chain look at the best region (`one`), or each at the best not yet seen (`each`).
    `probes`: what is measured in addition to the scores, each with its control (docs/evaluation.md).
    """

    protocol: str = "clincot-v2"
    split: str = "test"
    inference: tuple[Literal["region", "direct"], ...] = ("region", "direct")
    look: Look = "one"
    controls: tuple[Control, ...] = ("black_image", "shuffled_images", "question_prior", "constant_template")
    steps: Annotated[int, Range(0, 100)] = 0
    hypotheses: Annotated[int, Range(0, 1000)] = 0
    max_images: Annotated[int, Range(0, 10**9)] = 0
    max_new_tokens: Annotated[int, Range(1, 100_000)] = 128
    report_tokens: Annotated[int, Range(1, 100_000)] = 256
    batch_size: Annotated[int, Range(1, 100_000)] = 32
    resamples: Annotated[int, Range(1, 100_000)] = 1000
    threads: Annotated[int, Range(1, 1024)] = 1
    probes: tuple[Probe, ...] = field(default=(), repr=False)  # keys of results without probes stay what they were
