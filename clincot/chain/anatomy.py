"""What an annotated region is called -> whether all of its words name a part of the body: it is no finding then.

Radiology has more parts than `ORGANS` lists for hypotheses; these are ours, and no policy is asked about them.
"""

from __future__ import annotations

import re

_PARTS = """
    airway airways angle angles arch bronchi bronchus cardiophrenic carina clavicle clavicles costophrenic hila
    hilum humeri humerus knob lobe lobes pleura rib ribs scapula scapulae shoulder shoulders silhouette spine
    sternum sulcus thorax vertebra vertebrae vertebral spinal zone zones apex apices atria atrium artery arteries
    cava vein veins vena vessel vessels valve callosum chiasm chiasma cochlea cord corpus cranium ear ears frontal
    globe hippocampus insula lens medulla midbrain nerve nerves node nodes lymph occipital optic orbit orbits
    parietal pituitary pons skull temporal thalamus canal cavity condyle gland glands glottis jaw joint joints
    maxilla mouth nasal nose pharynx sinus sinuses submandibular teeth temporomandibular thyroid tongue tooth
    tympanic abdomen adrenal adrenals anal anus bone bones breast breasts bulb cecum chest disc discs disk disks fat
    femoral femur femurs head heads hip hips ileum ilium intestine jejunum ligament ligaments meniscus muscle
    muscles neck nipple nipples ovaries ovary pelvis penis placenta prostate sacrum seminal sigmoid skin tendon
    tendons testes testis tissue ureter ureters urethra uterus vagina vesicle vesicles ankle elbow fibula finger
    fingers foot hand knee patella radius tibia toe toes ulna wrist
"""
_PLACES = """
    left right upper lower middle mid l r superior inferior anterior posterior lateral medial central peripheral
    outer inner proximal distal ascending descending transverse main whole soft of the and in
"""
PARTS, PLACES = frozenset(_PARTS.split()), frozenset(_PLACES.split())
WORD = re.compile(r"[^\W\d_]+")


def names_parts(name: str) -> bool:
    """Return whether all words of a region's name are parts of the body or their places, and one is a part."""
    words = set(WORD.findall(name.lower()))
    return bool(words & PARTS) and words <= PARTS | PLACES
