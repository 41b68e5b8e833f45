"""`clincot convert`: published weights in another layout -> a folder of your own that clincot loads, and its check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clincot.cli.console import Json, next_step, print_json, say

app = typer.Typer(
    help="Convert your own copies of published weights; none are shipped.", no_args_is_help=True, rich_markup_mode=None
)
# Bio_ClinicalBERT also keeps TensorFlow and Flax copies of its weights.
PATTERNS = ("*.json", "*.txt", "*.safetensors", "pytorch_model.bin")
MODEL_PATTERNS = ("*.json", "*.jinja", "*.safetensors", "tokenizer.model")
PICKLE_PATTERNS = ("*.json", "*.jinja", "*.txt", "*.md", "tokenizer.model", "pytorch_model*.bin", "adapter_model.bin")
PUBLIC = "https://huggingface.co"
Hub = Annotated[str, typer.Option(help="Hub that has the repository: local:PATH or a URL.", envvar="HF_ENDPOINT")]


@app.command("medklip")
def medklip(
    checkpoint: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The authors' checkpoint (.pth).")],
    out: Annotated[Path, typer.Argument(help="Folder to write; it must be new or empty.")],
    descriptions: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="The authors' 'observation explanation.json'.")
    ],
    text_encoder: Annotated[str, typer.Option(help="Folder or repository of the text encoder (theirs: see docs).")],
    hub: Hub = PUBLIC,
) -> None:
    """Turn a MedKLIP checkpoint into safetensors with the embeddings of its 75 entities, for your own use."""
    encoder, name = _folder(text_encoder, hub, PATTERNS)
    from clincot.regions.medklip_convert import convert

    say(f"converting {checkpoint} with the text encoder {name}")
    convert(checkpoint, descriptions, encoder, out, encoder_name=name)
    say(f"wrote {out}: your own copy, the authors state no licence. Keep it private.")
    next_step(f"clincot hub import {out} --as NAMESPACE/medklip --kind model --hub local:./clincot-hub")


@app.command("llava-med")
def llava_med(
    source: Annotated[str, typer.Argument(metavar="SRC", help="Folder or repository in LLaVA-Med 1.5's own layout.")],
    out: Annotated[Path, typer.Argument(help="Folder to write; it must be new or empty.")],
    tower: Annotated[
        str | None,
        typer.Option(help="Folder or repository of a CLIP vision tower to take instead of the checkpoint's own."),
    ] = None,
    logits: Annotated[
        bool, typer.Option("--logits", help="Load both models at the end and compare their logits.")
    ] = False,
    hub: Hub = PUBLIC,
) -> None:
    """Turn a checkpoint of LLaVA-Med 1.5 into a LLaVA that transformers, vLLM and clincot load."""
    folder, name = _folder(source, hub, MODEL_PATTERNS)
    other, other_name = _folder(tower, hub, MODEL_PATTERNS) if tower else (None, "")
    from clincot.convert.llava_med import convert

    say(f"converting {name}")
    done = convert(folder, out, name=name, tower=other, tower_name=other_name, logits=logits)
    for finding in done.findings:
        say(str(finding))
    say(
        f"wrote {out}: {done.tensors} tensors ({done.dtype}) in {done.files} files, {done.bytes / 2**30:.2f} GiB;"
        f" vision tower: {done.tower}; {done.rows_added} rows added"
    )
    next_step(f"clincot hub import {out} --as NAMESPACE/llava-med --kind model --hub local:./clincot-hub")


@app.command("weights")
def weights(
    source: Annotated[str, typer.Argument(metavar="SRC", help="Folder or repository with pickled weights alone.")],
    out: Annotated[Path, typer.Argument(help="Folder to write; it must be new or empty.")],
    hub: Hub = PUBLIC,
) -> None:
    """Turn pickled weights (pytorch_model.bin) into safetensors; only tensors are unpickled."""
    folder, name = _folder(source, hub, PICKLE_PATTERNS)
    from clincot.convert.weights import convert

    say(f"converting {name}")
    done = convert(folder, out)
    for path in done.left:
        say(f"left behind, no weights that are converted: {path}")
    say(f"wrote {out}: {done.tensors} tensors in {done.files} files, {done.bytes / 2**30:.2f} GiB")
    next_step(f"clincot hub import {out} --as NAMESPACE/NAME --kind model --hub local:./clincot-hub")


@app.command("check")
def check(
    source: Annotated[str, typer.Argument(metavar="SRC", help="Folder or repository of a LLaVA.")],
    images: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Folder of images that the model will read.")
    ] = None,
    hub: Hub = PUBLIC,
    json_: Json = False,
) -> None:
    """Check a LLaVA before a round: weights, ids, chat template, ends of texts, pixels, what a crop removes."""
    folder, name = _folder(source, hub, MODEL_PATTERNS)
    from clincot.convert import check as checks
    from clincot.convert.finding import refuse_failures
    from clincot.convert.fit import image_sizes

    findings = checks.check(folder, image_sizes(images) if images else ())
    if json_:
        print_json([vars(finding) for finding in findings])
    else:
        for finding in findings:
            typer.echo(str(finding))
    refuse_failures(findings, name)


def _folder(source: str, hub: str, patterns: tuple[str, ...]) -> tuple[Path, str]:
    """Return the folder of a model and its name with the commit; a folder is named by itself."""
    folder = Path(source).expanduser()
    if folder.is_dir():
        return folder, folder.resolve().name
    from clincot.hub import connect

    target = connect(hub)  # before transformers is imported, see stages.py
    pin = target.resolve("model", source)
    say(f"reading {pin} from {target.label}")
    return target.snapshot(pin, patterns), f"{pin.repo}@{pin.sha}"
