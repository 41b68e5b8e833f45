"""A run and a round -> the round's adapter merged into its base, in a folder and, when asked, on the target Hub."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from clincot.errors import RoundError
from clincot.hub import Hub
from clincot.recipe.load import DEFAULT, KINDS, Load
from clincot.records.lineage import Lineage, Pin
from clincot.runs import releases
from clincot.runs.models import adapters
from clincot.runs.models.adapters import Adapter
from clincot.runs.redistribution import licences
from clincot.runs.run import Run
from clincot.stages.train.export import Merged, export_merged, refuse_full

CARD = """---
library_name: transformers
pipeline_tag: image-text-to-text
base_model: {base.repo}
base_model_relation: finetune
tags: [medical, clincot]
---

# {title}

`{base.repo}` (commit `{base.sha}`) with the adapter `{adapter.repo}` (`{tag}`, commit `{adapter.sha}`, weights sha256
`{sha256}`) merged into its weights, for serving. The licences of both apply; the adapter's card says how it was made.

**Not for clinical use.** Research material only: no part of it was checked by a physician, and nothing here may inform
the care of a patient.

```python
from transformers import AutoModelForImageTextToText, AutoProcessor

model = AutoModelForImageTextToText.from_pretrained("{title}")
processor = AutoProcessor.from_pretrained("{title}")
```

Weights are {merged.dtype}. Loaded again after writing, the largest difference of its logits from those of base +
adapter in float32 was {merged.difference:.2g} of the largest logit on one probe (allowed: {merged.allowed:g}). Its
tensors have the names that transformers and vLLM read; this folder was loaded with transformers alone.
{fit}{quantised}"""
QUANTISED = """
The adapter was trained on the base with its weights in {} (QLoRA), and is merged into the weights that are not
quantised: close to the policy that was evaluated, and not the same. {}
"""
APART = "On the probe their logits differ by {:.2g} of the largest logit."
UNKNOWN = "How far they are apart was not measured: bitsandbytes was not installed."
FIT = "Its processor fits images as in training (`image_fit: {}`), unlike the base's.\n"


def export_round(
    run: Run, round_: int, out: Path, *, dtype: str = "auto", push: bool = False
) -> tuple[Adapter, Merged]:
    """Write the merged model of `round_` (0: the newest) to `out`, with its card.

    With `push` the card has the names that the repositories have on the target.

    Raises RoundError when the run has no adapter, and what `export_merged` raises.
    """
    refuse_full(out)
    adapter = _newest(run) if round_ == 0 else adapters.of_round(run, round_)
    if adapter is None:
        raise RoundError(
            f"{run.adapter_repo}: no round has an adapter yet. Run `clincot train --name {run.name}` first."
        )
    made = _made(run, adapter)
    base, fit = made.pins["policy"], made.facts.get("image_fit", "as_is")
    trained = trained_load(made)
    merged = export_merged(run.target.snapshot(base), adapter.folder, out, dtype, fit, trained)
    pin = replace(adapter.pin, repo=run.on_target(adapter.pin.repo)) if push else adapter.pin
    title = run.on_target(merged_repo(run)) if push else merged_repo(run)
    names = {"base": base, "adapter": pin, "tag": pin.revision, "sha256": adapter.sha256}
    said = {"fit": "" if fit == "as_is" else FIT.format(fit), "quantised": quantised_note(trained, merged)}
    card = CARD.format(title=title, merged=merged, **said, **names)
    (out / "README.md").write_text(card, encoding="utf-8")
    return adapter, merged


def push_merged(run: Run, adapter: Adapter, folder: Path, repo: str = "") -> Pin:
    """Publish an exported folder as RUN-merged, or as `repo`, under the adapter's tag."""
    licences.check_release(run, _made(run, adapter))
    card = (folder / "README.md").read_text(encoding="utf-8")
    files = {path.name: path for path in sorted(folder.iterdir()) if path.name != "README.md"}
    tag, repo = adapter.pin.revision, run.on_target(repo or merged_repo(run))
    return run.target.publish(
        "model", repo, files, tag=tag, message=f"merged {tag}", private=run.private, card=lambda _: card
    )


def trained_load(made: Lineage) -> Load:
    """Return how the base was loaded when the adapter was trained; one quantised on disk is refused by the export."""
    facts = made.facts
    return (
        Load(dtype=facts["dtype"], quantization=facts["quantization"])
        if facts.get("quantization") in KINDS
        else DEFAULT
    )


def quantised_note(trained: Load, merged: Merged) -> str:
    """Return what the card says of an adapter that was trained on quantised weights; "" for others."""
    if trained == DEFAULT:
        return ""
    apart = merged.from_quantised
    return QUANTISED.format(trained.quantization, UNKNOWN if apart is None else APART.format(apart))


def merged_repo(run: Run) -> str:
    """Return the repository of the run's merged models."""
    return f"{run.adapter_repo}-merged"


def _newest(run: Run) -> Adapter | None:
    existing = adapters.all_of(run)
    return existing[-1] if existing else None


def _made(run: Run, adapter: Adapter) -> Lineage:
    found = releases.find(run, "model", run.adapter_repo, adapter.round)
    hub: Hub = found[0] if found else run.target
    return releases.read_lineage(hub, adapter.pin, adapter.round, run.start)
