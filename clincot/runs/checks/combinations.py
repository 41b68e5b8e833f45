"""A recipe whose values are each in range -> RecipeError for values that cannot work together, naming both."""

from __future__ import annotations

from collections.abc import Callable

from clincot import methods
from clincot.engines import SERVED
from clincot.errors import RecipeError
from clincot.judges import JUDGES, is_model_free
from clincot.judges import SERVED as SERVED_JUDGES
from clincot.judges.consensus import DEBATE
from clincot.objectives import OBJECTIVES
from clincot.recipe import Anchor, InherentNoise, Recipe
from clincot.runs.roles import OF_POLICY


def check_combinations(recipe: Recipe) -> None:
    """Raise RecipeError for the first combination that no build, training or evaluation could use."""
    for check in CHECKS:
        check(recipe)


def _regions(recipe: Recipe) -> None:
    blur = recipe.build.regions.blur
    if blur > 1 and blur % 2 == 0:
        raise RecipeError(
            f"build.regions.blur: {blur} is even, a kernel has a middle pixel. Use {blur + 1}, or 0 for none."
        )


def _method(recipe: Recipe) -> None:
    """Let the method look at its own numbers, where its Config can."""
    check = getattr(recipe.method.config, "check", None)
    if check is not None:
        check()


def _rounds(recipe: Recipe) -> None:
    if recipe.rounds and not getattr(methods.load(recipe.method.name), "pairs", True):
        raise RecipeError(
            f"rounds: {recipe.rounds} with method {recipe.method.name}, which builds no pairs. Set rounds to 0, or name"
            " another method."
        )


def _image_fit(recipe: Recipe) -> None:
    kind = recipe.models.policy.kind
    if recipe.image_fit != "as_is" and kind not in ("", "transformers"):
        raise RecipeError(
            f"image_fit: policies of kind {kind!r} prepare images themselves, so {recipe.image_fit!r} would change"
            " nothing. Set it to as_is, and the processor of the served model as you need it."
        )


def _judging(recipe: Recipe) -> None:
    judging = recipe.build.judging
    if judging.consensus == DEBATE and judging.scoring == "yesno":
        raise RecipeError(
            "build.judging.consensus: a debate is about digits, which scoring 'yesno' has none of."
            " Set build.judging.scoring to expected or generated."
        )
    served = recipe.models.policy.kind in SERVED
    odd = [s.kind for s in recipe.models.judges if s.kind and (s.kind not in JUDGES or _is_served(s.kind, served))]
    if judging.prefill and odd:
        where = "on a server" if odd[0] in JUDGES else "of your own"
        raise RecipeError(
            f"build.judging.prefill: judges of kind {odd[0]!r} {where} take none. Set it to an empty text, or name"
            " other judges."
        )


def _critic(recipe: Recipe) -> None:
    critic, judging = recipe.models.critic.kind, recipe.build.judging
    served = critic in SERVED or (critic == OF_POLICY and recipe.models.policy.kind in SERVED)
    if judging.prefill and served and "critic" in methods.load(recipe.method.name).needs:
        raise RecipeError(
            "build.judging.prefill: a critic on a server takes none. Set it to an empty text, or have the critic in"
            " process."
        )


def _is_served(judge: str, policy: bool) -> bool:
    """Return whether a kind of judge is on a server; `policy` says it of the policy."""
    return judge in SERVED_JUDGES or (policy and is_model_free(judge))


def _margin(recipe: Recipe) -> None:
    if recipe.train.margin.kind == "log" and getattr(recipe.method.config, "min_gap", None) == 0:
        raise RecipeError(
            "train.margin.kind: 'log' is the logarithm of the gap of two scores, and method.min_gap = 0 lets pairs"
            " without a gap in. Set method.min_gap above 0, or train.margin.kind to linear."
        )


def _objective(recipe: Recipe) -> None:
    """Refuse what the objective does not read; one of the user's own may read everything."""
    train = recipe.train
    used = {train.objective, train.later_rounds.objective or train.objective}
    ours = used <= OBJECTIVES.keys()
    read_by = {
        "image_preference": ("anchor", train.anchor != Anchor()),
        "povid_noise": ("noise", train.noise != InherentNoise()),
    }
    for name, (option, given) in read_by.items():
        if ours and given and name not in used:
            raise RecipeError(
                f"train.{option}: is read by the objective {name}, and train.objective is {train.objective}. Set"
                f" train.objective={name}, or remove it."
            )
    if "image_preference" in used and train.conditioning != "per_side":
        raise RecipeError(
            f"train.conditioning: {train.conditioning} shows both sides the same images, and image_preference learns"
            " from their difference. Set train.conditioning=per_side."
        )
    if "povid_noise" in used and train.reference != "round_start":
        raise RecipeError(
            "train.reference: the reference of povid_noise is the policy that its stage starts from. Set it to"
            " round_start."
        )


def _servable(recipe: Recipe) -> None:
    """Refuse to train what servers do not load: the next round could not be sampled from it."""
    train = recipe.train
    parts = {
        "train.projector_lr": (bool(train.projector_lr), "0"),
        "train.lora.modules_to_save": (bool(train.lora.get("modules_to_save")), "null"),
        "train.lora.use_dora": (bool(train.lora.get("use_dora")), "false"),
    }
    odd = next((name for name, (set_, _) in parts.items() if set_), "")
    if odd and recipe.models.policy.kind in SERVED:
        raise RecipeError(
            f"{odd}: servers load the LoRA weights of an adapter and no projector or other layer, so a served policy"
            f" would not be the one that was trained. Set it to {parts[odd][1]}, or run the policy in process"
            " (models.policy.kind: transformers)."
        )


def _evaluation(recipe: Recipe) -> None:
    if not recipe.evaluate.inference:
        raise RecipeError("evaluate.inference: names no way to answer. Give region, direct or both: [region, direct].")


CHECKS: tuple[Callable[[Recipe], None], ...] = (
    _regions,
    _method,
    _rounds,
    _image_fit,
    _judging,
    _critic,
    _margin,
    _objective,
    _servable,
    _evaluation,
)
