"""The authors' MedKLIP checkpoint, their descriptions and a text encoder -> a folder that `MedKlip` loads."""

from __future__ import annotations

import hashlib
from pathlib import Path

from clincot.errors import DataError
from clincot.regions._medklip_checkpoint import fitted, read_checkpoint
from clincot.regions._medklip_descriptions import embed, read_descriptions
from clincot.regions._medklip_model import MedKlipConfig, MedKlipModel
from clincot.regions._medklip_names import TABLE

README = """---
license: other
license_name: none-stated-by-the-authors
tags: [clincot, medklip]
---
# A private conversion of MedKLIP

Written by `clincot convert medklip` from a copy of the weights that the authors of MedKLIP (Wu et al., ICCV 2023,
github.com/MediaBrain-SJTU/MedKLIP) publish, and from their descriptions of 75 entities, encoded by
`{encoder}`. The authors state no licence for the weights. **This conversion is its maker's own copy:
keep it private, do not redistribute it.**

- converted from a file with sha256 `{digest}`
- load it: `clincot.regions.load("medklip", FOLDER)`
- chest radiographs only; not for clinical use
"""


def convert(checkpoint: Path, descriptions: Path, encoder: Path, out: Path, *, encoder_name: str = "") -> None:
    """Write `out`: weights with the 75 x 768 table as safetensors, configuration, and a README about the rights.

    `encoder` is a folder; `encoder_name` is what the configuration calls it. Raises DataError or ModelError for any
    input that is not MedKLIP's, before anything is written.
    """
    name = encoder_name or str(encoder)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"{out}: is not an empty folder. Name a new one.")
    texts = read_descriptions(descriptions)
    state = read_checkpoint(checkpoint)
    digest = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    model = MedKlipModel(MedKlipConfig(text_encoder=name, converted_sha256=digest))
    weights = fitted(state, model, checkpoint)
    weights[TABLE] = embed(texts, encoder, name, model.config.text_width)
    model.load_state_dict(weights)
    model.save_pretrained(out)
    (out / "README.md").write_text(README.format(encoder=name, digest=digest), encoding="utf-8")
