"""`clincot phantom draw | pretrain`: the embedded benchmark and its tiny models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from clincot.cli.console import next_step, say

app = typer.Typer(
    help="Draw the embedded benchmark and train its tiny models.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("draw")
def draw(
    folder: Annotated[Path, typer.Argument(help="Folder for the dataset's files.")] = Path("phantom"),
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

    files = phantom_files(folder, seed=seed, train=train, validation=validation, test=test)
    say(f"drew {train + validation + test} images into {folder}")
    if push:
        from clincot.hub import connect
        from clincot.phantom.publish import DATASET

        target = connect(hub)
        say(f"publishing dataset {DATASET} to {target.label}")
        target.publish("dataset", DATASET, files, tag=None, message="Draw the phantom benchmark", private=False)
    next_step("clincot demo")


@app.command("pretrain")
def pretrain(
    folder: Annotated[Path, typer.Argument(help="Folder for the models, one below it for each.")] = Path(
        "phantom-models"
    ),
    only: Annotated[Literal["all", "policy", "grounder", "judges"], typer.Option(help="Which models.")] = "all",
    seed: Annotated[int, typer.Option(min=0, help="Seed of data and weights.")] = 0,
) -> None:
    """Train the tiny policy, grounder and judges from scratch (about half an hour for all on two cores)."""
    _check_folder(folder)
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


def _check_folder(folder: Path) -> None:
    """Refuse a file where a folder is to be written, before anything is drawn or trained."""
    from clincot.errors import ClincotError

    if folder.exists() and not folder.is_dir():
        raise ClincotError(f"{folder}: a file is in the way. Give a folder.")
