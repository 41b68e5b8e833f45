"""The 14 CheXpert labels -> the phrases that mention them, and the phrases that only look so (regular expressions).

Written for this project after the label definitions of Irvin et al. 2019 (CheXpert); every expression starts at a word
and repeats at most a few words, so matching stays linear in the text.
"""

from __future__ import annotations

import re

NO_FINDING = "No Finding"
SUPPORT = "Support Devices"
BIGGER = r"(?:enlarg|prominen|widen|broaden|increased)\w{0,8}"
UP_TO = r"(?: (?!normal|within|clear)\w+){0,5}"
HEART = r"(?:heart|cardiac(?: silhouette| shadow| contours?)?|cardiothoracic ratio|ctr)(?: size)?"
BE = (
    r"(?: (?:is|are|appears?|remains?|has|have|been|be|not|now|again|also|at|in|the|mildly|slightly|moderately|"
    r"severely|markedly|significantly|grossly|massively|mild|somewhat|to|and|borderline|stable|unchanged|definitely|too)){0,6}"
)
LOBE = r"(?:lung|lobar|lobe|lobes|volume|rul|rml|rll|lul|lll|segmental|subsegmental|bibasilar|basilar)"
SITE = r"(?:lungs?|lobes?|apex|apices|base|bases|lingula|hilum|rul|rml|rll|lul|lll)"
MENTIONS = {
    "Enlarged Cardiomediastinum": rf"{BIGGER}{UP_TO} (?:cardio)?mediastin\w+|"
    rf"(?:cardio)?mediastin\w+{UP_TO} (?:{BIGGER}|wide)|widening of the (?:\w+ )?mediastinum|"
    rf"wide (?:\w+ )?mediastinum",
    "Cardiomegaly": r"cardiomegaly|(?:enlarg|prominen)\w{0,8}(?: (?!aort)\w+){0,3} (?:heart|cardiac)|"
    r"(?:heart|cardiac)(?: (?!normal|within|aort|mediast|pulmonary|no )\w+){0,6} (?:enlarg|prominen)\w{0,8}|"
    r"(?:heart|cardiac)(?: \w+){0,6} (?:upper|high|top)(?: limits? of)? normal|"
    rf"{HEART}{BE} (?:increased|large|larger than normal|big|greater than normal|above normal|borderline)|"
    r"(?:increased?(?: in)?|large|big|borderline)(?: the| \w+ly)? (?:heart|cardiac|cardiothoracic)"
    r"(?: size| silhouette| shadow| ratio)?",
    "Lung Lesion": r"nodul\w+|mass(?:es)?(?! effect| index)|tumou?rs?|neoplasms?|neoplastic|metasta\w+|carcinomas?|"
    r"malignan\w+|cancers?|cavitary lesions?|cavitations?|(?:lung|pulmonary|parenchymal|coin|spiculated) lesions?|"
    rf"lesions? (?:in|of|within) (?:the )?(?:\w+ ){{0,2}}{SITE}",
    "Lung Opacity": r"(?:opaci|infiltrat)\w+|air ?space (?:disease|process)|haziness|reticula\w+|reticulonodular|"
    r"ground ?glass|ground glass|ggos?|(?:air ?space|alveolar|patchy|hazy) shadowing|white ?out|"
    r"interstitial (?:\w+ )?(?:markings?|prominence|thickening|disease|changes?|pattern)|"
    r"(?:parenchymal|pulmonary|lung|lower lobe|upper lobe) (?:fibrosis|scar\w*|densit\w+)|"
    r"(?:increased|patchy|hazy|focal|streaky|air ?space|retrocardiac|bibasilar|basilar) (?:(?!bone|"
    r"bony)\w+ )?densit\w+|"
    r"scar(?:s|ring)?|peribronchial \w+",
    "Edema": r"o?edema|(?:vascular|venous|pulmonary) (?:\w+ )?(?:congestion|engorgement|redistribution)|"
    r"(?:vascular|venous) prominence|"
    r"(?:congestive )?heart failure|chf|cephalization|kerley|(?:fluid|volume) overload|congestive (?:changes?|"
    r"failure)|"
    r"cardiac decompensation|engorge\w* (?:\w+ )?vessels|upper lobe (?:venous )?diversion",
    "Consolidation": r"consolidat\w+",
    "Pneumonia": r"(?:broncho)?pneumoni(?:a|as|c|tis)|infections?|infect(?:ious|ive) (?:process|etiology|"
    r"disease|cause)|"
    r"infectious infiltrates?",
    "Atelectasis": rf"atelecta\w+|{LOBE}(?: \w+){{0,2}} collapse[ds]?|"
    r"collapsed?(?: \w+){0,4} (?:lung|lobe|rul|rml|rll|lul|lll)|volume loss|loss of volume",
    "Pneumothorax": r"(?:hydro)?pneumothora\w+|ptx|(?:air in the pleural|pleural air)(?: space)?",
    "Pleural Effusion": r"effusions?|pleural (?:\w+ )?fluid|h(?:ydr|aem|em|ydropneum)othorax|empyema|chylothorax|"
    r"fluid (?:in|within|along) (?:the )?(?:\w+ ){0,2}(?:pleural|fissures?)|fissural fluid",
    "Pleural Other": r"pleural (?:\w+ )?(?:thickening|plaques?|calcifications?|scar\w*)|fibrothorax|"
    r"(?:pleuro ?parenchymal|apical) scar\w*|thickening of the (?:\w+ )?pleura",
    "Fracture": r"fractur\w+|fxs?|broken (?:\w+ )?(?:ribs?|clavicles?|bones?|sternum|humerus)|"
    r"(?:ribs?|clavicles?|bones?|sternum|humerus|scapula)(?: (?!no|not|intact)\w+){0,6} broken",
    SUPPORT: r"pacemakers?|pacers?|ppm|picc|catheters?|tubes?|ett|ngt|ogt|dht|dobb?hoff|"
    r"(?:pacer|pacing|ventricular|atrial|aicd|icd|ekg|ecg|lead) (?:leads?|wires?)|wires|aicd|icd|leads|"
    r"defibrillators?|"
    r"(?:central|venous|arterial|swan ganz|picc|ij|jugular|subclavian|femoral|dialysis|support|monitoring|pa|"
    r"iv) lines?|"
    r"^lines|lines (?:and|or) (?:tubes|drains|catheters|devices)|"
    r"(?:left|right) ij|swan ganz|iabp|balloon pump|lvad|rvad|vad|ecmo|impella|cvc|cvl|"
    r"tracheostomy|trach|"
    r"peg|pigtail|permacath|portacath|intubated|intubation|pacing device|loop recorder|"
    r"(?:medi|chest )?ports?|port a cath\w*|stents?|(?:valve|valvular) (?:prosthes[ie]s|replacement)|prosthe\w+|"
    r"surgical (?:clips?|hardware)|clips|hardware|drains?|screws?|cannulas?|stimulators?|devices?|sutures?|staples|"
    r"(?:vp|ventriculoperitoneal) shunt|(?:ivc|caval) filter|tavr|arthroplasty",
}
ANY = re.compile("|".join(f"(?P<_{n}>{phrases})" for n, phrases in enumerate(MENTIONS.values())))
# Outside the 13 findings, yet no normal report: with these, No Finding is left out, as CheXbert leaves it out.
ELSEWHERE = re.compile(
    r"\b(?:degenerative|osteophyt\w+|spondyl\w+|scolio\w+|kyphos\w+|granuloma\w*|calcifi\w+|emphysema\w*|"
    r"hyperinflat\w+|"
    r"hyperexpan\w+|hyperlucen\w+|copd|herni\w+|tortuo\w+|ecta\w+|atheroscl\w+|deformit\w+|eventration|bulla\w*|"
    r"blunting|"
    r"bronchiectas\w+|osteopeni\w+|arthri\w+|curvature|elevat\w+|unfold\w+|hypoinflat\w+|low lung volumes|"
    r"(?:chronic|postsurgical|postoperative) changes?|"
    r"(?:axillary|breast|thyroid|chest wall|mediastinal|hepatic|liver|adrenal|renal|neck|soft tissue|"
    r"subcutaneous|lytic|"
    r"sclerotic|bone|bony|osseous) (?:mass(?:es)?|nodules?|lesions?|tumou?rs?|metasta\w+))\b"
)
ORGAN = (
    r"(?:axillar?y?|axilla|breasts?|thyroid|mediastinal|chest wall|abdominal|abdomen|hepatic|liver|adrenal|"
    r"renal|kidney|neck|"
    r"soft tissues?|paraspinal|pericardial|skin|subcutaneous|osseous|bony?|bones?|vertebra\w*|spine|spinal|"
    r"sternal|sternum|"
    r"humer\w+|clavic\w+|scapula\w*|lytic|sclerotic|cutaneous|dermal|tonsil\w*|prostate|colon|ovarian|"
    r"esophageal|gastric|"
    r"mediastinum|splenic|spleen|rib|supraclavicular|cardiac|atrial|nipple|lymph node)"
)
GROWTH = r"(?:mass(?:es)?|nodul\w+|lesions?|tumou?rs?|metasta\w+|neoplasms?|malignan\w+|cancers?|carcinomas?|lymphoma)"
# What a mention must not be: the same word for something outside the lungs and the pleura.
OTHER = re.compile(
    r"\b(?:(?:pericardial|joint|knee|shoulder|elbow|hip|ankle|subdural|middle ear) (?:effusions?|fluid)|"
    r"(?:soft tissue|subcutaneous|peripheral|chest wall|leg|pedal|ankle|facial|scrotal|bone marrow|skin|limb|"
    r"lower extremity|cerebral) (?:o?edema|swelling)|"
    rf"{ORGAN} (?:(?!and|or|no|with|is|are|in)\w+ ){{0,2}}?(?:{GROWTH}|densit\w+|opaci\w+)|"
    rf"{GROWTH} (?:(?!lung)\w+ )?(?:in|of|within|involving) (?:the )?(?:(?:left|right|upper|lower|proximal|"
    rf"distal|lateral) )*"
    rf"{ORGAN}\b|"
    r"(?:fractur\w+|broken) (?=(?:\w+ )?(?:pacemaker|pacer|catheter|leads?|wires?|sternotomy|tube|screw|hardware))|"
    r"(?<=wire) fractur\w+|(?<=lead) fractur\w+|(?<=catheter) fractur\w+|fracture lines? of the tooth|"
    r"(?:urinary(?: tract)?|wound|line|skin|sinus|soft tissue|bladder|viral|granulomatous|fungal nail) infections?|"
    r"(?:wires?|leads?|catheters?|hardware)(?: (?:is|are|appears?|has|have|been))* (?P<broken>fractured|broken))\b"
)
FINDINGS = {label: re.compile(rf"\b(?:{phrases})\b") for label, phrases in MENTIONS.items()}
LABELS = (NO_FINDING, *FINDINGS)
# The labels of a shadow: what looks like one may be explained by something harmless.
SHADOWS = ("Lung Lesion", "Lung Opacity", "Pneumothorax", "Consolidation", "Atelectasis")
