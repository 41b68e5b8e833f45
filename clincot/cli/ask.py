"""`clincot ask`: one question about one image, answered by the base and by adapters, with where they looked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clincot.cli.console import Json, print_json, say
from clincot.cli.options import Options, with_options
from clincot.executors.world import world_of

if TYPE_CHECKING:
    from clincot.runs.asking import Asked

ImageFile = Annotated[Path, typer.Argument(metavar="IMAGE", help="An image file: PNG, JPEG, TIFF, WebP or DICOM.")]
Question = Annotated[str, typer.Argument(help="The question, in quotes.")]
AdapterName = Annotated[
    str,
    typer.Option(
        "--adapter", help="base, round-2, RUN@round-2 or OWNER/NAME@round-2 (default: the newest of the run)."
    ),
]
Compare = Annotated[
    list[str] | None, typer.Option("--compare", help="Another policy to answer too: base (repeatable).")
]
Report = Annotated[bool, typer.Option("--report", help="The question asks for a whole report.")]
Modality = Annotated[str, typer.Option(help="Kind of image, which chooses the hypotheses (default: the benchmark's).")]
Drawn = Annotated[Path | None, typer.Option("--out", help="Write the image with the regions as a PNG file.")]


@with_options
def ask(
    options: Options,
    image: ImageFile,
    question: Question,
    adapter: AdapterName = "",
    compare: Compare = None,
    report: Report = False,
    modality: Modality = "",
    out: Drawn = None,
    json_: Json = False,
) -> None:
    """Answer one question about one image: hypotheses, regions, findings, answer. Not for clinical use."""
    from clincot.runs.checks.asked import check_asked

    world_of().refuse_company("clincot ask")
    _check_out(out)
    name, at, tag = adapter.partition("@")
    if at and "/" not in name:
        options, adapter = replace(options, name=name), tag
    policies = list(dict.fromkeys((*(compare or ()), adapter)))
    check_asked(image, question, policies)
    run = options.open()
    from clincot.runs import asking
    from clincot.runs.prepare import prepare

    example = asking.read_question(run.recipe, image, question, report=report, modality=modality)
    prepare(run, say)
    asked = asking.load_asking(run, policies).ask(example)
    if out is not None:
        asking.drawing(example, asked).save(out, "PNG")
    if json_:
        print_json([_values(one) for one in asked])
    else:
        typer.echo("\n\n".join("\n".join(_lines(one)) for one in asked))
    if out is not None:
        say(f"the image with the regions: {out}")
    say("Not for clinical use.")


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("ask")(ask)


def _check_out(out: Path | None) -> None:
    from clincot.errors import ClincotError

    if out is None:
        return
    if out.suffix.lower() != ".png":
        raise ClincotError(f"--out {out}: does not end in .png. Name a PNG file.")
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise ClincotError(f"--out {out}: cannot be written. Name a file in a folder that exists.")


def _lines(asked: Asked) -> list[str]:
    answer = asked.answer
    lines = [asked.policy]
    steps = zip(answer.findings, answer.regions, strict=False)
    for number, (finding, looked) in enumerate(steps, 1):
        lines.append(f"  step {number}: looked at {looked.hypothesis} {tuple(looked.box)}: {finding}")
    lines.append(f"  answer: {answer.text or answer.failure}")
    others = [f"{region.hypothesis} {region.confidence:.2f}" for region in asked.regions]
    return [*lines, f"  regions: {', '.join(others) if others else 'no region was found; the whole image was asked'}"]


def _values(asked: Asked) -> dict[str, Any]:
    answer = asked.answer
    return {
        "policy": asked.policy,
        "answer": answer.text,
        "failure": answer.failure,
        "findings": list(answer.findings),
        "looked": [{"hypothesis": looked.hypothesis, "box": list(looked.box)} for looked in answer.regions],
        "regions": [
            {"hypothesis": region.hypothesis, "box": list(region.box), "confidence": region.confidence}
            for region in asked.regions
        ],
    }
