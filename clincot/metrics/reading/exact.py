"""A short answer -> the normal form that two other toolkits compare for equality."""

from __future__ import annotations

import re
import string

BRACKETS = {"(": ")", "（": "）"}
OPENING = re.compile("[(（]")
CJK_PUNCTUATION = "！？｡。＂＃＄％＆＇（）＊＋，－／：；＜＝＞＠［＼］＾＿｀｛｜｝～、《》【】"
TO_SPACE = str.maketrans(dict.fromkeys(string.punctuation + CJK_PUNCTUATION, " "))
YES = {"yes", "yeah", "yep", "true", "是", "是的", "有", "包含", "可以", "能", "会", "正常"}
NO = {"no", "nope", "false", "否", "不是", "没有", "无", "不包含", "不能", "不会", "不可以", "不正常", "异常"}
SAME = {"x ray": "xray"} | dict.fromkeys(YES, "yes") | dict.fromkeys(NO, "no")


def without_brackets(text: str) -> str:
    """Put a space for each opening bracket up to its next closing one; an unclosed one stays.

    The same as re.sub(r"\\([^)]*\\)|（[^）]*）", " ", text), which is quadratic on unclosed brackets.
    """
    kept, start, dead = [], 0, set()
    for opening in OPENING.finditer(text):
        closing = BRACKETS[opening.group()]
        if opening.start() < start or closing in dead:
            continue
        end = text.find(closing, opening.end())
        if end < 0:
            dead.add(closing)
        else:
            kept.append(text[start : opening.start()])
            start = end + 1
    return " ".join([*kept, text[start:]])


def lmms_eval(text: str) -> str:
    """EvolvingLMMs-Lab/lmms-eval, tasks/slake: no brackets or punctuation, whole-text synonyms of yes and no."""
    bare = " ".join(without_brackets(text.strip().lower()).translate(TO_SPACE).split())
    return SAME.get(bare, bare)


def clincot_strict(text: str) -> str:
    """Xiwei-web/ClinCoT, evaluation/vqa_metrics.py: lower case, single spaces."""
    return " ".join(text.lower().split())
