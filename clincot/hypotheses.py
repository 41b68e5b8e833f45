"""A modality and a question -> the clinical hypotheses to look for, those named in the question first."""

from __future__ import annotations

import re
from collections.abc import Iterable

# The first three stand in the paper's Figure 1; the others are ours (methods.md 4.3).
CHEST = ("disease", "lesion", "normal", "pneumonia", "effusion", "cardiomegaly")
BY_MODALITY: dict[str, tuple[str, ...]] = {
    "chest x-ray": CHEST,
    "ct": ("lesion", "mass", "hemorrhage", "fluid", "infarct", "normal"),
    "mri": ("lesion", "tumor", "edema", "infarct", "hemorrhage", "normal"),
    "other": ("lesion", "mass", "disease", "fluid", "normal", "abnormality"),
    "phantom": ("nodule", "consolidation", "effusion", "pneumothorax", "cardiomegaly"),
}
# Words a question may use for an entity that a proposer knows by another name.
ENTITIES: dict[str, tuple[str, ...]] = {
    "nodule": ("nodule", "nodules", "nodular"),
    "consolidation": ("consolidation", "consolidations", "consolidated"),
    "effusion": ("effusion", "effusions", "pleural fluid"),
    "pneumothorax": ("pneumothorax", "pneumothoraces"),
    "cardiomegaly": ("cardiomegaly", "heart", "cardiac", "enlarged heart"),
    "pneumonia": ("pneumonia",),
    "atelectasis": ("atelectasis",),
    "mass": ("mass", "masses"),
    "edema": ("edema", "oedema"),
    "fracture": ("fracture", "fractures"),
    "opacity": ("opacity", "opacities", "opacification"),
    "hemorrhage": ("hemorrhage", "haemorrhage", "bleed"),
    "infarct": ("infarct", "infarction", "infarcted"),
    "tumor": ("tumor", "tumour"),
}


def named_entities(questions: Iterable[str]) -> tuple[str, ...]:
    """Return the entities that the questions name, in the order of `ENTITIES`, each once."""
    text = " ".join(questions).lower()
    found = (name for name, words in ENTITIES.items() if any(re.search(rf"\b{re.escape(w)}\b", text) for w in words))
    return tuple(found)


def hypotheses(modality: str, questions: Iterable[str], n: int, known: Iterable[str] | None = None) -> tuple[str, ...]:
    """Return at most `n` hypotheses of one image: entities its questions name, then the list of its modality.

    `questions` are all questions of the image, so that they share regions. `known` restricts the result to what the
    proposer can look for (None: anything); what else it knows fills the places that are left.
    """
    known = None if known is None else tuple(known)
    allowed = None if known is None else set(known)
    listed = BY_MODALITY.get(modality, BY_MODALITY["other"])
    ordered = dict.fromkeys([*named_entities(questions), *listed, *(known or ())])
    return tuple(name for name in ordered if allowed is None or name in allowed)[:n]
