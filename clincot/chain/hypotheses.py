"""A modality and a question -> the clinical hypotheses to look for, those named in the question first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from clincot.chain.anatomy import names_parts
from clincot.chain.hypotheses_zh import entities_in_chinese

# The first three are from the paper's Figure 1; the others are ours (docs/methods.md#hypotheses).
CHEST = ("disease", "lesion", "normal", "pneumonia", "effusion", "cardiomegaly")
BY_MODALITY: dict[str, tuple[str, ...]] = {
    "chest x-ray": CHEST,
    "ct": ("lesion", "mass", "hemorrhage", "fluid", "infarct", "normal"),
    "mri": ("lesion", "tumor", "edema", "infarct", "hemorrhage", "normal"),
    "other": ("lesion", "mass", "disease", "fluid", "normal", "abnormality"),
    "phantom": ("nodule", "consolidation", "effusion", "pneumothorax", "cardiomegaly"),
}
# Entities and the words that name them, in text and in a benchmark's annotations. The order is that of preference: what
# the phantom draws, then findings of SLAKE's and VQA-RAD's questions (specific before general), then organs. Where
# MedKLIP's 75 entities have the finding, the name is theirs (infiltrate, dilation, chf), so that it can look for it.
FINDINGS: dict[str, tuple[str, ...]] = {
    "nodule": ("nodule", "nodules", "nodular", "noudle"),
    "consolidation": ("consolidation", "consolidations", "consolidated"),
    "effusion": ("effusion", "effusions", "pleural fluid"),
    "pneumothorax": ("pneumothorax", "pneumothoraces", "hydropneumothorax"),
    "cardiomegaly": ("cardiomegaly", "enlarged heart", "cardiac enlargement"),
    "pneumonia": ("pneumonia",),
    "atelectasis": ("atelectasis", "atelectases"),
    "mass": ("mass", "masses"),
    "edema": ("edema", "oedema", "edematous"),
    "fracture": ("fracture", "fractures", "fractured"),
    "opacity": ("opacity", "opacities", "opacification"),
    "hemorrhage": ("hemorrhage", "haemorrhage", "hemorrhagic", "bleed", "bleeding", "hematoma"),
    "infarct": ("infarct", "infarcts", "infarction", "infarcted", "ischemia", "ischemic", "stroke"),
    "tumor": ("tumor", "tumors", "tumour", "tumours", "cancer", "carcinoma", "neoplasm", "metastasis", "metastases"),
    "infiltrate": ("infiltrate", "infiltrates", "infiltration", "infiltrations"),
    "tuberculosis": ("tuberculosis",),
    "emphysema": ("emphysema",),
    "hyperinflate": ("hyperinflated", "hyperinflation"),
    "calcification": ("calcification", "calcifications", "calcified"),
    "thicken": ("thickening", "thickened"),
    "blunt": ("blunting", "blunted"),
    "hernia": ("hernia", "herniation"),
    "abscess": ("abscess", "abscesses", "abcess"),
    "cyst": ("cyst", "cysts", "cystic"),
    "hydrocephalus": ("hydrocephalus",),
    "encephalomalacia": ("encephalomalacia",),
    "atrophy": ("atrophy", "atrophied"),
    "aneurysm": ("aneurysm", "aneurysms"),
    "lymphadenopathy": ("lymphadenopathy", "adenopathy"),
    "gallstones": ("gallstone", "gallstones"),
    "appendicitis": ("appendicitis",),
    "diverticulitis": ("diverticulitis",),
    "hydronephrosis": ("hydronephrosis",),
    "pneumoperitoneum": ("pneumoperitoneum", "free air"),
    "ascites": ("ascites", "free fluid"),
    "dilation": ("dilation", "dilated", "distended"),
    "catheter": ("catheter", "catheters"),
    "fluid": ("fluid",),
    "lesion": ("lesion", "lesions"),
    "disease": ("disease", "diseases"),
}
ORGANS: dict[str, tuple[str, ...]] = {
    "heart": ("heart", "hearts", "cardiac"),
    "lung": ("lung", "lungs", "pulmonary"),
    "liver": ("liver", "hepatic"),
    "kidney": ("kidney", "kidneys", "renal"),
    "spleen": ("spleen",),
    "brain stem": ("brain stem", "brainstem"),
    "brain": ("brain", "brian", "cerebral", "cerebrum"),
    "cerebellum": ("cerebellum",),
    "ventricles": ("ventricle", "ventricles"),
    "stomach": ("stomach", "gastric"),
    "duodenum": ("duodenum",),
    "small bowel": ("small bowel", "small intestine"),
    "colon": ("colon", "large bowel"),
    "rectum": ("rectum",),
    "bladder": ("bladder",),
    "gallbladder": ("gallbladder", "gall bladder"),
    "pancreas": ("pancreas", "pancreatic"),
    "appendix": ("appendix",),
    "esophagus": ("esophagus", "oesophagus"),
    "trachea": ("trachea", "tracheal"),
    "aorta": ("aorta", "aortic"),
    "mediastinum": ("mediastinum", "mediastinal"),
    "diaphragm": ("diaphragm", "hemidiaphragm", "hemidiaphragms"),
    "spinal cord": ("spinal cord",),
    "eye": ("eye", "eyes"),
    "mandible": ("mandible", "mandibles"),
    "parotid": ("parotid", "parotids"),
    "larynx": ("larynx",),
    "femoral head": ("femoral head", "femoral heads"),
}
# The heart comes first, before its state: a proposer that knows no heart (MedKLIP) is asked for cardiomegaly instead.
ENTITIES = {"heart": ORGANS["heart"]} | FINDINGS | ORGANS
# A finding that is the state of an organ: who is asked about the organ alone may be looking for it.
STATE_OF = {"cardiomegaly": "heart"}
# Names of any finding: they annotate nothing themselves (`clincot.regions.annotated`).
GENERAL = ("lesion", "disease", "abnormality", "finding")


def entities_in(text: str) -> tuple[str, ...]:
    """Return the entities whose English or Chinese words `text` holds, in the order of `ENTITIES`."""
    lowered = text.lower()
    chinese = entities_in_chinese(text)
    return tuple(name for name, pattern in _patterns().items() if name in chinese or pattern.search(lowered))


def is_organ(name: str) -> bool:
    """Return whether what a region is called names organs or other parts of the body, and nothing else."""
    entities = entities_in(name)
    if entities:
        return all(entity in ORGANS for entity in entities)
    return names_parts(name)


def entity_spans(text: str) -> tuple[tuple[str, int, int], ...]:
    """Return entity, start and end of each English word of `text` that names one, in the order of the text.

    A text whose length changes in lower case has none: its places would be others.
    """
    lowered = text.lower()
    if len(lowered) != len(text):
        return ()
    found = [(name, *m.span()) for name, pattern in _patterns().items() for m in pattern.finditer(lowered)]
    return tuple(sorted(found, key=lambda one: one[1:]))


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    # ASCII boundaries: an English word may be next to Chinese ones.
    return {
        name: re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b", re.ASCII) for name, words in ENTITIES.items()
    }


def named_entities(questions: Iterable[str]) -> tuple[str, ...]:
    """Return what the questions ask to look at: each once, in the order of `ENTITIES`.

    In a question that names a finding an organ is only its place ("which lung is affected by the effusion?").
    """
    named = {name for question in questions for name in _asked_for(question)}
    return tuple(name for name in ENTITIES if name in named)


def _asked_for(question: str) -> tuple[str, ...]:
    said = entities_in(question)
    findings = tuple(name for name in said if name in FINDINGS)
    return findings or said + tuple(state for state, organ in STATE_OF.items() if organ in said)


def hypotheses(modality: str, questions: Iterable[str], n: int, known: Iterable[str] | None = None) -> tuple[str, ...]:
    """Return at most `n` hypotheses of one image: entities its questions name, then the list of its modality.

    `questions` are all questions of the image, so that they share regions. `known` restricts the result to what the
    proposer can look for (None: anything); the findings among it fill the places that are left. MedKLIP also lists
    words that are not findings (clear, sharp, tip): they come only where fewer than two names are found, the least that
    pairs.
    """
    wanted = dict.fromkeys([*named_entities(questions), *BY_MODALITY.get(modality, BY_MODALITY["other"])])
    if known is None:
        return tuple(wanted)[:n]
    known = tuple(known)
    found = dict.fromkeys(name for name in (*wanted, *filter(FINDINGS.get, known)) if name in known)
    return tuple(found if len(found) > 1 else dict.fromkeys((*found, *known)))[:n]
