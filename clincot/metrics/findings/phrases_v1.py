"""The 14 CheXpert labels -> the phrases and cues of the first rule labeler, frozen for `clincot-v1`.

Written for this project after the label definitions of Irvin et al. 2019 (CheXpert) and NegEx (Chapman et al. 2001);
every expression starts at a word and repeats at most a few words, so matching stays linear in the text.
"""

from __future__ import annotations

import re

NO_FINDING = "No Finding"
SUPPORT = "Support Devices"
BIGGER = r"(?:enlarg|prominen|widen|increased)\w{0,8}"
UP_TO = r"(?: (?!normal|within|clear)\w+){0,5}"
MENTIONS = {
    "Enlarged Cardiomediastinum": rf"{BIGGER}{UP_TO} (?:cardio)?mediastin\w+|"
    rf"(?:cardio)?mediastin\w+{UP_TO} {BIGGER}|widening of the mediastinum",
    "Cardiomegaly": r"cardiomegaly|(?:enlarg|prominen)\w{0,8}(?: (?!aort)\w+){0,3} (?:heart|cardiac)|"
    r"(?:heart|cardiac)(?: (?!normal|within|aort|mediast|pulmonary|no )\w+){0,6} (?:enlarg|prominen)\w{0,8}|"
    r"(?:heart|cardiac)(?: \w+){0,6} (?:upper|high|top)(?: limits? of)? normal",
    "Lung Lesion": r"nodul\w+|mass(?:es)?(?! effect)|tumou?rs?|neoplasms?|neoplastic|metasta\w+|carcinomas?|"
    r"malignan\w+|cavitary lesions?|lung lesions?",
    "Lung Opacity": r"(?:opaci|infiltrat)\w+|air ?space disease|haziness|reticula\w+|"
    r"interstitial (?:\w+ )?(?:markings?|prominence|thickening|disease|changes?|pattern)|"
    r"(?:parenchymal|pulmonary|lung|lower lobe|upper lobe) (?:fibrosis|scar\w*|densit\w+)|"
    r"(?:increased|patchy|hazy|focal|streaky|air ?space) (?:\w+ )?densit\w+|scar(?:s|ring)?|peribronchial \w+",
    "Edema": r"o?edema|(?:vascular|venous) (?:congestion|engorgement|redistribution|prominence)|"
    r"(?:congestive )?heart failure|chf|cephalization",
    "Consolidation": r"consolidat\w+",
    "Pneumonia": r"(?:broncho)?pneumoni(?:a|as|c|tis)|infection|infectious process",
    "Atelectasis": r"atelecta\w+|(?:lung|lobar|lobe|volume)(?: \w+){0,2} collapse|"
    r"collapsed?(?: \w+){0,3} (?:lung|lobe)|volume loss",
    "Pneumothorax": r"(?:hydro)?pneumothora\w+",
    "Pleural Effusion": r"effusions?|pleural (?:\w+ )?fluid|h(?:ydr|aem|em)othorax",
    "Pleural Other": r"pleural (?:\w+ )?(?:thickening|plaques?|calcifications?|scar\w*)|fibrothorax|"
    r"(?:pleuro ?parenchymal|apical) scar\w*|thickening of the pleura",
    "Fracture": r"fractur\w+|broken ribs?",
    SUPPORT: r"pacemakers?|pacers?|picc|catheters?|tubes?|"
    r"(?:pacer|pacing|ventricular|atrial|aicd|icd) (?:leads?|wires?)|wires|aicd|defibrillators?|"
    r"(?:central|venous|arterial|swan ganz) lines?|"
    r"(?:medi|chest )?ports?|port a cath\w*|stents?|(?:valve|valvular) (?:prosthes[ie]s|replacement)|prosthe\w+|"
    r"surgical (?:clips?|hardware)|clips|hardware|drains?|screws?|cannulas?|stimulators?|devices?|sutures?",
}
# Outside the 13 findings, yet no normal report: with these, No Finding is left out, as CheXbert leaves it out.
ELSEWHERE = re.compile(
    r"\b(?:degenerative|osteophyt\w+|spondyl\w+|scolio\w+|kyphos\w+|granuloma\w*|calcifi\w+|emphysema\w*|hyperinflat\w+|"
    r"hyperexpan\w+|hyperlucen\w+|copd|herni\w+|tortuo\w+|ecta\w+|atheroscl\w+|deformit\w+|eventration|bulla\w*|blunting|"
    r"bronchiectas\w+|osteopeni\w+|arthri\w+|curvature|elevat\w+|unfold\w+|hypoinflat\w+|low lung volumes|"
    r"(?:chronic|postsurgical|postoperative) changes?)\b"
)
# What a mention must not be: the same word for something outside the lungs and the pleura.
OTHER = re.compile(r"\bpericardial effusions?\b|\b(?:soft tissue|subcutaneous|peripheral) (?:o?edema|swelling)\b")
FINDINGS = {label: re.compile(rf"\b(?:{phrases})\b") for label, phrases in MENTIONS.items()}
LABELS = (NO_FINDING, *FINDINGS)

SIZES = (
    r"there|an? |small|tiny|trace|minimal|mild|moderate|severe|new|stable|persistent|unchanged|increas\w+|worsening|"
    r"likely|possibl[ey]|probabl[ey]|suspected"
)
# A cue before a mention reaches it unless one of these is between them: a new clause, or a finding stated with its size
# outside a list that goes on to "or".
BREAK = re.compile(
    r"\b(?:but|however|although|though|except|apart from|aside from|other than|yet|while|whereas|which|"
    r"there (?:is|are|has been|remains))\b|"
    rf"(?:,|\band|\bwith) (?=(?:{SIZES})\b)(?!.{{0,90}}\bor\b)"
)
BREAK_AFTER = re.compile(
    r",|\b(?:but|however|although|though|while|whereas|persists?|remains?|unchanged|stable|noted|which|with)\b"
)
# "No change in the effusion" asserts the effusion.
NO_CHANGE = re.compile(
    r"\b(?:no|without|not)(?: \w+){0,3}? (?:change[sd]?|increase[sd]?|decrease[sd]?|improved|improvement|worse\w*|"
    r"progress\w*)\b|\bnot only\b"
)
OPEN_QUESTION = re.compile(
    r"\b(?:cannot|can ?not|not|difficult to)(?: \w+){0,3}? (?:exclude|rule)\w*(?: out)?\b|"
    r"\b(?:rule out|r o|evaluat\w+ (?:for|of)|(?:signs|symptoms) of)\b"
)
DENIED_BEFORE = re.compile(
    r"\b(?:no|not|without|never|neither|nor|absen(?:t|ce of)|free (?:of|from)|negative for|clear of|lack of|lacks|"
    r"(?:resolution|clearing|removal) of|resolved(?! and)|excludes?|rather than|instead of|denies)\b"
)
DENIED_AFTER = re.compile(
    r"^(?: \w+){0,4} (?:not|no longer|resolved|cleared|absent|excluded|ruled out|unlikely|removed|disappeared)\b"
)
DOUBTED_BEFORE = re.compile(
    r"\b(?:possib\w+|probabl\w+|potential\w*|may|might|could|suspicio\w+|suspect\w*|concern\w*|question\w*|equivocal|"
    r"suggest\w*|worrisome|likely|borderline|versus|vs|differential|perhaps|presum\w+)\b"
)
DOUBTED_AFTER = re.compile(
    r"^(?: \w+){0,2} (?:possible|suspected|questioned|questionable|versus|vs|(?:is|are) likely|(?:not|cannot be|"
    r"can ?not be)(?: \w+)? (?:excluded|ruled out))\b"
)
BORDERLINE = re.compile(r"\b(?:upper|high|top)(?: limits? of)? normal\b")
