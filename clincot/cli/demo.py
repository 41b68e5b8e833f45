"""`clincot demo`: two rounds on the embedded benchmark, from nothing to a trained, pushed, evaluated adapter."""

from __future__ import annotations

from typing import Annotated

import typer

from clincot.cli.console import next_step, say
from clincot.cli.first_page import Full, Open, point_to_page
from clincot.cli.options import Options
from clincot.cli.stages import check_push

# The judge of the demo sees image and crop. Judges that read texts, as the paper's do, cannot know what a region shows.
JUDGE = ("models.judges=[{repo: clincot/phantom-v2-critic, kind: vlm}]", "build.judging.context=blind")
TRAIN = ("train.dpo.learning_rate=1.25e-3", "train.dpo.num_train_epochs=3")  # 64 images a round; the study has more
EVALUATE = ("evaluate.probes=[findings]", "evaluate.controls=[black_image, question_prior, constant_template]")


def demo(
    hub: Annotated[str, typer.Option(help="Where to push: local:PATH or a URL.")] = "local:./clincot-hub",
    name: Annotated[str, typer.Option(help="Name of the run.")] = "demo",
    full: Full = False,
    open: Open = False,
) -> None:
    """Run two rounds on drawn radiographs with tiny real models: build, train, build, train, evaluate, push.

    It pushes to its own Hub, a folder on this machine, unless --hub names another.
    """
    options = Options(setting="phantom-v2", set=[*JUDGE, *TRAIN, *EVALUATE], name=name, hub=hub)
    run = options.open()  # before the stages are imported, see stages.py
    where = f"its own Hub, the folder {hub.removeprefix('local:')}" if hub.startswith("local:") else hub
    say("Two rounds of ClinCoT on drawn radiographs; everything runs on this machine. Not for clinical use.")
    say(f"The results are pushed to {where}.")
    check_push(run, True)
    from clincot.runs.loop import run_rounds
    from clincot.runs.summary import print_summary

    releases, evaluation = run_rounds(run, push=True, say=say)
    print_summary(run, releases, evaluation, say, full=full)
    point_to_page(run, open_=open)
    next_step(f"clincot hub serve {hub.removeprefix('local:')}" if hub.startswith("local:") else "clincot evaluate")


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("demo")(demo)
