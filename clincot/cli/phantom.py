"""`clincot phantom draw | pretrain`: the embedded benchmark and its tiny models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from clincot.cli.console import next_step, say

app = typer.Typer(
    help="Draw the embedded benchmark and train its tiny models.", no_args_is_help=True, rich_markup_mode=None
)
SECOND = 2  # added to the seed of what ends in -b: with 1 more, a policy did not pass its gates
# By version; --only similarity needs a policy.
MODELS = {1: ("policy", "grounder", "judges"), 2: ("policy", "grounder", "critic", "judges", "similarity")}


@app.command("draw")
def draw(
    folder: Annotated[Path, typer.Argument(help="Folder for the dataset's files.")] = Path("phantom"),
    version: Annotated[int, typer.Option(min=1, max=2, help="Version of the world: 2 has distractors.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the drawings.")] = 0,
    train: Annotated[int, typer.Option(min=1, help="Images of the train split.")] = 400,
    validation: Annotated[int, typer.Option(min=1, help="Images of the validation split.")] = 100,
    test: Annotated[int, typer.Option(min=1, help="Images of the test split.")] = 200,
    push: Annotated[bool, typer.Option("--push/--no-push", help="Publish it to a Hub.")] = False,
    hub: Annotated[str, typer.Option(help="Hub to push to: local:PATH or a URL.")] = "local:./clincot-hub",
) -> None:
    """Draw radiograph phantoms with questions, answers, reports and lesion boxes, as a Hub dataset."""
    from clincot.hub.connect import check_target

    if push:
        check_target(hub)
    _check_folder(folder)
    from clincot.phantom.dataset import phantom_files

    files = phantom_files(folder, seed=seed, train=train, validation=validation, test=test, version=version)
    say(f"drew {train + validation + test} images into {folder}")
    if push:
        from clincot.hub import connect
        from clincot.phantom.publish import DATASETS

        target = connect(hub)
        repo = next(name for name, world in DATASETS.items() if world == version)
        say(f"publishing dataset {repo} to {target.label}")
        target.publish("dataset", repo, files, tag=None, message="Draw the phantom benchmark", private=False)
    next_step("clincot demo")


@app.command("pretrain")
def pretrain(
    folder: Annotated[Path, typer.Argument(help="Folder for the models, one below it for each.")] = Path(
        "phantom-models"
    ),
    version: Annotated[int, typer.Option(min=1, max=2, help="Version of the world.")] = 1,
    only: Annotated[
        Literal["all", "policy", "grounder", "judges", "critic", "similarity"], typer.Option(help="Which models.")
    ] = "all",
    seed: Annotated[int, typer.Option(min=0, help="Seed of data and weights.")] = 0,
) -> None:
    """Train the tiny policy, grounder and judges from scratch (about half an hour for all on two cores).

    The similarity of version 2 has the image tower of the policy in FOLDER, or of the shipped one.
    """
    _check_models(version, only)
    _check_folder(folder)
    if version == 2:
        _pretrain_second(folder, only, seed)
    else:
        _pretrain_first(folder, only, seed)


def _pretrain_first(folder: Path, only: str, seed: int) -> None:
    """Train the models of version 1."""
    if only in ("all", "policy"):
        from clincot.phantom.policy.pretrain import pretrain_policy

        pretrain_policy(folder / "policy", seed=seed, report=say)
    if only in ("all", "grounder"):
        from clincot.phantom.grounder.pretrain import pretrain_grounder

        pretrain_grounder(folder / "grounder", seed=seed, report=say)
    if only in ("all", "judges"):
        from clincot.phantom.judges.pretrain import pretrain_judges

        pretrain_judges(folder / "judge-a", folder / "judge-b", seed=seed, report=say)
    next_step("clincot demo")


def _pretrain_second(folder: Path, only: str, seed: int) -> None:
    """Train version 2: two policies, a grounder and a worse one, a critic that sees, judges, and similarities."""
    if only in ("all", "policy"):
        from clincot.phantom.v2.gates.policy import write_policy_card
        from clincot.phantom.v2.policy.pretrain import pretrain_policy

        for name, its_seed in (("policy", seed), ("policy-b", seed + SECOND)):
            minutes = pretrain_policy(folder / name, seed=its_seed, report=say)
            write_policy_card(folder / name, its_seed, minutes)
    if only in ("all", "grounder"):
        from clincot.phantom.v2.grounder.plan import WORSE
        from clincot.phantom.v2.grounder.pretrain import pretrain_grounder

        pretrain_grounder(folder / "grounder", seed=seed, report=say)
        pretrain_grounder(folder / "grounder-worse", seed=seed, report=say, plan=WORSE)
    if only in ("all", "critic"):
        from clincot.phantom.v2.critic.pretrain import pretrain_critic

        pretrain_critic(folder / "critic", seed=seed, report=say)
    if only in ("all", "judges"):
        from clincot.phantom.v2.judges.pretrain import pretrain_judges

        pretrain_judges(folder / "judge-a", folder / "judge-b", seed=seed, report=say)
    if only in ("all", "similarity"):
        from clincot.phantom.v2.similarity.pretrain import pretrain_similarity

        for name, its_seed in (("", seed), ("-b", seed + SECOND)):
            pretrain_similarity(folder / f"similarity{name}", policy_of(folder, f"policy{name}"), its_seed, say)
    next_step("python perf/phantom_gates.py")


def policy_of(folder: Path, name: str) -> Path:
    """Return the folder of the policy that was trained there, or of the shipped one; refuse where neither exists."""
    from clincot.errors import ClincotError
    from clincot.phantom.publish import MODELS as SHIPPED
    from clincot.phantom.publish import folder_of

    if (folder / name).is_dir():
        return folder / name
    shipped = f"clincot/phantom-v2-{name}"
    if shipped not in SHIPPED:
        raise ClincotError(
            f"phantom pretrain: no policy in {folder / name}, whose image tower the similarity shares, and none is"
            " shipped. Run it with --only policy first."
        )
    return folder_of(shipped)


def _check_models(version: int, only: str) -> None:
    """Refuse a model that the version does not have."""
    from clincot.errors import ClincotError

    if only != "all" and only not in MODELS[version]:
        raise ClincotError(
            f"phantom pretrain: version {version} has no {only}. Use --only {' or '.join(MODELS[version])}."
        )


def _check_folder(folder: Path) -> None:
    """Refuse a file where a folder is to be written, before anything is drawn or trained."""
    from clincot.errors import ClincotError

    if folder.exists() and not folder.is_dir():
        raise ClincotError(f"{folder}: a file is in the way. Give a folder.")
