"""`clincot convert medklip`: published weights that may not be shipped -> your own folder, which clincot loads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clincot.cli.console import next_step, say

app = typer.Typer(
    help="Convert your own copies of published weights; none are shipped.", no_args_is_help=True, rich_markup_mode=None
)
# Bio_ClinicalBERT also keeps TensorFlow and Flax copies of its weights.
PATTERNS = ("*.json", "*.txt", "*.safetensors", "pytorch_model.bin")


@app.command("medklip")
def medklip(
    checkpoint: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The authors' checkpoint (.pth).")],
    out: Annotated[Path, typer.Argument(help="Folder to write; it must be new or empty.")],
    descriptions: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="The authors' 'observation explanation.json'.")
    ],
    text_encoder: Annotated[str, typer.Option(help="Folder or repository of the text encoder (theirs: see docs).")],
    hub: Annotated[
        str, typer.Option(help="Hub that has the text encoder: local:PATH or a URL.", envvar="HF_ENDPOINT")
    ] = "https://huggingface.co",
) -> None:
    """Turn a MedKLIP checkpoint into safetensors with the embeddings of its 75 entities, for your own use."""
    encoder, name = _encoder(text_encoder, hub)
    from clincot.regions.medklip_convert import convert

    say(f"converting {checkpoint} with the text encoder {name}")
    convert(checkpoint, descriptions, encoder, out, encoder_name=name)
    say(f"wrote {out}: your own copy, the authors state no licence. Keep it private.")
    next_step(f"clincot hub import {out} --as NAMESPACE/medklip --kind model --hub local:./clincot-hub")


def _encoder(text_encoder: str, hub: str) -> tuple[Path, str]:
    """Return the folder of the text encoder and its name with the commit; a folder is named by itself."""
    folder = Path(text_encoder).expanduser()
    if folder.is_dir():
        return folder, folder.resolve().name
    from clincot.hub import connect

    target = connect(hub)  # before transformers is imported, see stages.py
    pin = target.resolve("model", text_encoder)
    say(f"reading {pin} from {target.label}")
    return target.snapshot(pin, PATTERNS), f"{pin.repo}@{pin.sha}"
