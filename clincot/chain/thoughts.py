"""What a reasoning model wrote -> what it says outside its blocks of thought."""

from __future__ import annotations

import re

WORDS = "think|thinking|thoughts?|reason|reasoning|analysis|scratchpad|reflection"
# Tags of open models: DeepSeek and Qwen, Kimi, Magistral, Sky-T1, MedGemma, Gemma, gpt-oss.
TAG = re.compile(
    rf"(?P<opening><\|?(?:\w{{1,20}}:)?(?:{WORDS})(?:\s[^<>]{{0,100}})?\|?>|<\|begin_of_(?:{WORDS})\|>|◁think▷"
    r"|\[think\]|<unused94>(?:thought)?|<\|channel\|?>(?:analysis|thought))"
    rf"|(?P<closing><\|?/(?:\w{{1,20}}:)?(?:{WORDS})\s{{0,9}}\|?>|<\|end_of_(?:{WORDS})\|>|◁/think▷"
    r"|\[/think\]|<unused95>|<\|channel\|?>final(?:<\|message\|>)?|<channel\|>)",
    re.IGNORECASE,
)


def without_thoughts(text: str) -> str:
    """Return the text outside blocks of thought.

    A closing tag without an opening one ends a thought that the prompt began; one that never ends leaves no answer.
    """
    kept: list[str] = []
    start, inside = 0, False
    for tag in TAG.finditer(text):
        if tag["closing"]:
            if not inside:
                kept.clear()
            start, inside = tag.end(), False
        elif not inside:
            kept.append(text[start : tag.start()])
            inside = True
    if not inside:
        kept.append(text[start:])
    return text if start == 0 and not inside else "".join(kept).strip()
