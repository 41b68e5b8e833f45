"""A report -> whether it refuses to read the image, and its text without the refusal."""

from __future__ import annotations

import re

ABLE = (
    r"\b(?:i|we)(?:'m| am| are)?(?: (?:sorry|afraid|really|currently|also|simply|"
    r"still))*,? ?(?:but )?(?:i )?(?:cannot|can ?not|can't|"
    r"could not|couldn't|do not|don't|unable to|not able to|won't|will not|must decline|decline to|not (?:a|an|"
    r"qualified|"
    r"trained|licensed|capable|equipped)|lack)\b"
)
PICTURE = r"(?:images?|pictures?|photos?|x ?-?rays?|radiographs?|scans?|films?|files?|attachments?)"
TASK = (
    rf"(?:(?:see|identify|find|detect)(?! (?:any|an?|evidence|signs|definite|obvious|"
    rf"clear)\b(?! (?:\w+ )?{PICTURE}))|"
    r"interpret|analy[sz]e|read|view|open|access|process|assist|help|provide|diagnos\w+|generate|evaluate|assess|"
    r"examine|comment|describe|review|write|determine|give|offer|display|have|comply|fulfil\w*|make|tell|produce|"
    r"qualified|trained|licensed|capable|doctor|physician|radiologist|medical professional|ability|able)"
)
THING = (
    rf"(?:{PICTURE}|medical|diagnos\w+|reports?|this request|"
    r"with (?:this|that)|interpretations?|doctor|physician|radiologist|professional|it\b)"
)
REFUSAL = re.compile(
    rf"{ABLE}(?: \w+){{0,4}}? {TASK}\b[^.!?\n]{{0,80}}?\b{THING}|"
    r"\bas an? (?:ai|artificial|large|language|text|virtual|assistant)\b[^.!?\n]{0,160}?\b(?:cannot|can't|"
    r"not able|unable|"
    r"not (?:qualified|trained|capable|a)|don't|do not|lack)|"
    r"\b(?:i'm|i am|we are|we're)? ?(?:sorry|afraid)\b[^.!?\n]{0,40}\b(?:can't|cannot|can not|unable|not able|"
    r"won't)\b|"
    r"\b(?:the |this |that |provided |submitted |uploaded |attached )*(?:image|picture|x-?ray|radiograph|scan|"
    r"film|photo)\b"
    r"(?: (?:provided|quality|resolution|is|was|appears|seems|looks|too|to|be|of|you|submitted|uploaded|"
    r"attached|here))*"
    r" (?:not (?:clear|good|sufficient|available|visible|provided|attached|diagnostic|interpretable|legible|"
    r"readable|of "
    r"(?:sufficient|adequate|diagnostic))|too (?:blurry|dark|small|poor|low|unclear|bright|noisy)|insufficient|"
    r"inadequate|"
    r"unclear|blurry|unreadable|uninterpretable|cannot be (?:interpreted|read|analy\w+|assessed|evaluated|"
    r"opened|seen|viewed)|"
    r"could not be (?:loaded|opened|read|processed|interpreted)|non ?-?diagnostic|illegible|missing)|"
    r"\bno (?:image|x-?ray|radiograph|picture|scan|film)(?: (?:was|is|has been|were))? (?:provided|attached|"
    r"available|uploaded|"
    r"included|visible|given|received|found)|"
    r"\b(?:unable|impossible|not possible) to (?:interpret|read|analy[sz]e|assess|evaluate|view|make a diagnosis|"
    r"determine|provide|comment)[^.!?\n]{0,60}\b(?:image|x-?ray|radiograph|picture|scan|film|report|"
    r"interpretation)|"
    rf"\bplease (?:upload|provide|attach|share|send)\b[^.!?\n]{{0,40}}\b{PICTURE}|"
    r"\b(?:is not|isn't|does not (?:appear|seem) to be|doesn't (?:appear|"
    r"seem) to be) an? (?:\w+ ){0,2}(?:x-?ray|radiograph)"
)
TURN = re.compile(r"\b(?:but|however|nevertheless|that said|still)\b,?")
ADVICE = re.compile(
    r"\b(?:consult|seek|please (?:provide|upload|share|attach|send|contact|see|speak|ask)|qualified|licensed|"
    r"professional|healthcare provider|your doctor|radiologist|general information|if you (?:have|can|would|are|"
    r"want))\b"
)
SENTENCE = re.compile(r"[^.!?\n]*[.!?\n]?")
STATED = re.compile(r"\b(?:clear|normal|unremarkable|no acute|within|intact|expanded|no focal|no evidence)\b")


def without_refusal(text: str) -> tuple[str, bool]:
    """Return the text without the sentences that refuse or that send the reader elsewhere, and whether one refused."""
    lowered = text.lower().replace("\u2019", "'")
    if not REFUSAL.search(lowered):
        return text, False
    kept = []
    for sentence in SENTENCE.findall(lowered):
        refusal = REFUSAL.search(sentence)
        turn = TURN.search(sentence, refusal.end()) if refusal else None
        if turn:
            kept.append(sentence[turn.end() :])
        elif not refusal and not ADVICE.search(sentence):
            kept.append(sentence)
    return "".join(kept), True
