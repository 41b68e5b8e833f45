"""A recipe file, a setting file and `key=value` overrides -> one frozen `Recipe`; anything unknown is an error."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from clincot.errors import RecipeError, did_you_mean
from clincot.lineage import content_key
from clincot.recipe_values import build, deep_merge, parse_override

Conditioning = Literal["per_side", "winner", "global"]


@dataclass(frozen=True)
class ModelSource:
    """A model on a Hub: repository, revision and, where a folder of choices applies, which of its classes reads it.

    `repo` is empty for kinds that need no model. `endpoint` is the base URL of a server that answers for it (`openai`).
    """

    repo: str = ""
    revision: str = "main"
    kind: str = ""
    endpoint: str = ""


@dataclass(frozen=True)
class Models:
    """The models of a run: the policy's base, the proposer and the judges (the paper's two evaluators)."""

    policy: ModelSource
    proposer: ModelSource
    judges: tuple[ModelSource, ...]


@dataclass(frozen=True)
class Regions:
    """Heat map -> region (Eq. 1): threshold = mean + `threshold` * std, or the `quantile` of the map by that `rule`.

    Sizes are pixels of the original image.
    """

    rule: Literal["mean_std", "quantile"] = "mean_std"
    threshold: float = 1.0
    quantile: float = 0.9
    blur: int = 15
    smallest: float = 0.01
    padding: float = 0.1
    least_side: int = 168
    crop: Literal["masked", "box"] = "masked"


@dataclass(frozen=True)
class Lookahead:
    """Next-step term of the score (Eq. 3): `gamma` weighs the mean over `samples` next responses; 0 switches it off."""

    gamma: float = 0.5
    samples: int = 2


@dataclass(frozen=True)
class Judging:
    """What the judges see, how their reply is read and how two scores become one (Eq. 4).

    A build stops when more than `failure_limit` of the ratings so far are failures.
    """

    context: Literal["reference", "blind", "facts"] = "reference"
    readout: Literal["expected", "generated", "yesno"] = "expected"
    consensus: Literal["agreement", "exp", "mean_minus", "mean", "min", "debate"] = "agreement"
    debate_rounds: int = 5
    failure_limit: float = 0.5
    batch_size: int = 32


@dataclass(frozen=True)
class Build:
    """How a round's preference pairs are made (paper, Section 2.1)."""

    steps: int = 2
    candidates: int = 6
    samples_per_region: int = 1
    temperature: float = 0.7
    top_p: float = 1.0
    max_new_tokens: int = 128
    report_tokens: int = 256
    pairs_per_step: int = 2
    min_gap: float = 0.05
    pair_scope: Literal["any", "across_regions", "within_region"] = "any"
    lookahead: Lookahead = field(default_factory=Lookahead)
    regions: Regions = field(default_factory=Regions)
    judging: Judging = field(default_factory=Judging)
    max_images: int = 0
    max_questions: int = 0
    unit_images: int = 8
    batch_size: int = 16
    threads: int = 1


@dataclass(frozen=True)
class Margin:
    """The margin of Eq. 7: g(s_w) - g(s_l) for `linear` and `logit`; `none` is naive DPO."""

    kind: Literal["linear", "logit", "log", "none"] = "linear"
    scale: float = 1.0


@dataclass(frozen=True)
class Train:
    """How a round's adapter is trained (paper, 2.2); `dpo` goes to TRL's DPOConfig, `lora` to PEFT's LoraConfig."""

    objective: Literal["margin_dpo"] = "margin_dpo"
    margin: Margin = field(default_factory=Margin)
    conditioning: Conditioning = "per_side"
    nll_weight: float = 0.0
    threads: int = 1
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    dpo: dict[str, Any] = field(default_factory=dict)
    lora: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Evaluate:
    """What is answered and how it is scored; `inference` names ways to answer, `controls` the image-free rows."""

    protocol: str = "clincot-v1"
    split: str = "test"
    inference: tuple[Literal["region", "direct"], ...] = ("region", "direct")
    controls: tuple[Literal["black_image", "question_prior"], ...] = ("black_image", "question_prior")
    max_images: int = 0
    max_new_tokens: int = 128
    report_tokens: int = 256
    batch_size: int = 32
    resamples: int = 1000
    threads: int = 1


@dataclass(frozen=True)
class Recipe:
    """One run: a method and its numbers, in a setting.

    `views`: image and crop reach the policy as two images, or as one `canvas` for a policy that takes only one.
    """

    name: str
    method: str
    setting: str
    benchmark: str
    models: Models
    hub: str = ""
    namespace: str = ""
    rounds: int = 4
    seed: int = 0
    views: Literal["separate", "canvas"] = "separate"
    build: Build = field(default_factory=Build)
    train: Train = field(default_factory=Train)
    evaluate: Evaluate = field(default_factory=Evaluate)

    @property
    def hash(self) -> str:
        """Content key of everything that decides a result; where it is stored (hub, namespace) does not count."""
        tree = dataclasses.asdict(self)
        return content_key({k: v for k, v in tree.items() if k not in {"hub", "namespace"}})

    def to_yaml(self) -> str:
        """Return the resolved recipe, as every round's `recipe.yaml` carries it."""
        return yaml.safe_dump(_plain(dataclasses.asdict(self)), sort_keys=False, allow_unicode=True)


def load_recipe(
    recipe: str | Path = "clincot",
    setting: str | Path = "phantom",
    *,
    benchmark: str | None = None,
    overrides: Sequence[str] = (),
) -> Recipe:
    """Read recipe and setting (a shipped name or a path), lay the setting and then the overrides over the recipe.

    Raises RecipeError naming the file, the key and the nearest known key.
    """
    tree = _read(recipe, recipes_folder())
    over = _read(setting, recipes_folder() / "settings")
    if "extends" in over:
        raise RecipeError(f"setting {setting}: 'extends' belongs to recipes. Copy the values that differ.")
    tree = deep_merge(tree, over)
    tree.setdefault("setting", Path(str(setting)).stem)
    if benchmark:
        tree["benchmark"] = benchmark
    for text in overrides:
        tree = deep_merge(tree, parse_override(text))
    return build(Recipe, tree, f"recipe {recipe} in setting {setting}")


def recipe_from_yaml(text: str, where: str) -> Recipe:
    """Read a resolved recipe back (a round's `recipe.yaml`)."""
    return build(Recipe, yaml.safe_load(text), where)


def recipes_folder() -> Path:
    """Return the folder of shipped recipes, in the wheel or in a checkout."""
    inside = Path(__file__).parent / "_recipes"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "recipes"


def _read(name: str | Path, folder: Path) -> dict[str, Any]:
    path = _locate(name, folder)
    tree = _mapping(path)
    parent = tree.pop("extends", None)
    if parent is None:
        return tree
    base = _mapping(_locate(parent, path.parent if (path.parent / f"{parent}.yaml").exists() else folder))
    if "extends" in base:
        raise RecipeError(
            f"{path}: extends {parent!r}, which extends another. One level is allowed; extend its parent."
        )
    return deep_merge(base, tree)


def _locate(name: str | Path, folder: Path) -> Path:
    direct = Path(name)
    if direct.suffix in {".yaml", ".yml"}:
        if direct.is_file():
            return direct
        raise RecipeError(f"{name}: no such file. Give a path that exists or a shipped name.")
    shipped = folder / f"{name}.yaml"
    if not shipped.is_file():
        known = [p.stem for p in folder.glob("*.yaml")]
        raise RecipeError(
            f"{name!r}: no such {'setting' if folder.name == 'settings' else 'recipe'}.{did_you_mean(str(name), known)}"
        )
    return shipped


def _mapping(path: Path) -> dict[str, Any]:
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RecipeError(f"{path}: cannot be read as YAML ({error}). Mend the file.") from error
    if not isinstance(tree, Mapping):
        raise RecipeError(f"{path}: is a {type(tree).__name__}, not a mapping. Write `key: value` lines.")
    return dict(tree)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value
