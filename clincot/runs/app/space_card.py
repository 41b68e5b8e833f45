"""The name of a run and the models of its page -> the README.md of a Space: front matter and Markdown."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from clincot.runs.app.space_pins import gradio_version, python_version
from clincot.runs.releases.cards.rendering import TAGS

SHORT = 60  # characters that a Hub shows of a description


def space_card(name: str, models: Sequence[str], *, private: bool) -> str:
    """Return the card; `models` are the repositories that the page loads."""
    metadata = {
        "title": name,
        "sdk": "gradio",
        "sdk_version": gradio_version(),
        "python_version": python_version(),
        "app_file": "app.py",
        "colorFrom": "blue",
        "colorTo": "gray",
        "pinned": False,
        "license": "apache-2.0",
        "short_description": "Ask a medical image a question. Not for clinical use."[:SHORT],
        "models": list(models),
        "tags": list(TAGS),
    }
    front = yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True, width=1000)
    listed = "\n".join(f"- `{repo}`" for repo in models)
    keep = "Keep this Space private: it was not checked whether its models may be passed on.\n\n" if private else ""
    return f"""---
{front}---

# {name}

**Not for clinical use.** Research software: nothing that it says may inform the care of a patient.

Drop an image (PNG, JPEG, TIFF, WebP or DICOM) and ask one question. The page shows where the proposer finds each
hypothesis, where base and adapter looked, what they found there and what they answer. Images stay in memory for 15
minutes at most and are not stored.

{keep}It loads these models, at the commits that `recipe.yaml` and `app.py` name:

{listed}

For models that are private, add the secret `HF_TOKEN` with read access in the Space's settings; this folder holds none.
The licence above is that of the code; each model has its own.
"""
