"""English and Chinese ways to say yes, no or neither, and what ends a sentence or a clause -> tables of patterns."""

from __future__ import annotations

import re

YES, NO = "yes", "no"
YES_WORDS = {"yes", "yeah", "yep", "yup"}
NO_WORDS = {"no", "nope", "nah"}
# Of SLAKE's Chinese golds and their synonyms. "Normal" and "healthy" are not among them: they may agree or deny.
YES_CHINESE = {
    *("是", "是的", "有", "有的", "对", "对的", "對", "包含", "包括", "存在", "可以", "能", "会", "會", "正确", "没错"),
    *("确实", "当然", "真"),
}
NO_CHINESE = {
    *(
        "不",
        "否",
        "不是",
        "不是的",
        "没有",
        "没",
        "沒有",
        "沒",
        "无",
        "無",
        "不对",
        "不對",
        "不包含",
        "不包括",
        "不存在",
    ),
    *("不可以", "不能", "不会", "不會", "错误", "不正确", "假", "并非", "未见", "没有的"),
}
# The whole answer, or a whole clause of it.
ALONE = dict.fromkeys(("true", "correct", "affirmative", "positive"), YES)
ALONE |= dict.fromkeys(("false", "incorrect", "negative", "none", "not at all", "of course not"), NO)
ALONE |= dict.fromkeys(YES_CHINESE, YES) | dict.fromkeys(NO_CHINESE, NO)
WHOLE = {"y": YES, "n": NO, "of course": YES, "absolutely": YES, "definitely": YES, "certainly": YES}
ELLIPTICAL = re.compile(
    r"(?:it|this|that|there|they|these|he|she|i) (?:is|are|was|were|does|do|did|has|have|can|could)( ?not|nt)?"
)
# What may come before an outright answer, and what shows that "no" is one and does not belong to a noun.
FILLERS = {
    *("so", "therefore", "thus", "hence", "well", "ok", "okay", "oh", "actually", "overall", "and", "but", "a", "the"),
    *("my", "answer", "is", "would", "be", "final", "option"),
}
FOLLOWERS = {
    *(
        "it",
        "there",
        "this",
        "that",
        "these",
        "those",
        "they",
        "we",
        "i",
        "he",
        "she",
        "not",
        "its",
        "theres",
        "definitely",
    ),
    *("because", "since", "as", "absolutely", "sir", "thanks"),
}
NEGATIONS = {
    *(
        "not",
        "cannot",
        "cant",
        "isnt",
        "never",
        "neither",
        "nor",
        "dont",
        "doesnt",
        "didnt",
        "wouldnt",
        "couldnt",
        "wasnt",
    ),
    *("arent", "wont", "unable", "impossible", "without", "if", "whether", "unless", "either"),
}
BETWEEN = {
    *(
        "a",
        "an",
        "the",
        "to",
        "be",
        "is",
        "say",
        "answer",
        "give",
        "with",
        "simply",
        "really",
        "just",
        "quite",
        "exactly",
    ),
    *("think", "it", "that", "possible", "sure"),
}
# "No doubt" and "no. 3" deny nothing.
IDIOM = re.compile(r"(?<![a-z])(?:no (?:doubt|question|idea)(?![a-z])|no\. ?(?=\d))")
LATIN, END = r"(?<![a-z])(?:yes|no)(?![a-z])", r"(?=[^\w]*(?:$|[\])}.\n;]))"
OFFERED = re.compile(
    rf"{LATIN}[^\w]{{0,4}}(?:[/|]|(?<![a-z])(?:or|and|nor|vs)(?![a-z])|还是|或者?)[^\w]{{0,4}}{LATIN}"
    rf"|{LATIN}[^\w.!?\n]{{0,3}},[^\w.!?\n]{{0,3}}{LATIN}{END}"
)
SIDES = (r"是的?|有|对|包含|包括|存在|可以|能|会", r"否|不是|没有|无|不对|不包含|不包括|不存在|不可以|不能|不会")
OFFERED_CHINESE = re.compile(
    rf"是否|有无|能否|可否|会否|(是|有|对|能|会|可|在|包|存)[不没]\1(?:含|括|在|以)?"
    rf"|(?:{SIDES[0]})\W{{0,3}}(?:还是|或者?|/|\||、)\W{{0,3}}(?:{SIDES[1]})"
    rf"|(?:{SIDES[1]})\W{{0,3}}(?:还是|或者?|/|\||、)\W{{0,3}}(?:{SIDES[0]})"
)
UNDECIDED = re.compile(
    r"(?<![a-z])(?:cannot|cant|can not|could not|couldnt|unable|impossible|not possible|dont|do not|difficult|hard)"
    r"(?: [a-z]+){0,3} (?:say|tell|determined?|answer(?:ed)?|know|decided?|judged?|assess(?:ed)?|confirm(?:ed)?"
    r"|concluded?|certain|sure)(?![a-z])"
    r"|(?<![a-z])(?:not sure|not certain|unsure|uncertain|no idea|indeterminate|inconclusive|undetermined)(?![a-z])"
    r"|无法|不能(?:确定|判断|回答|确认)|不确定|不清楚|不知道|难以(?:判断|确定)|看不清|说不清|不好说|不一定"
)
SENTENCE = re.compile(r"\.(?!\d)|[!?。؟।۔;:\n…]")
CLAUSE = re.compile(r"[,،、()\[\]{}/|~•·‐‑‒–—―=→]|--+|(?<![^\W_])-|-(?![^\W_])")
CHINESE = "\u3400-\u9fff"
ASKED = re.compile(r"(?:吗|么|嘛)$")
CHINESE_FILLER = re.compile(r"^(?:所以|因此|综上|那么|我认为|我觉得|应该|应|嗯|回答)+")
NO_HEAD = re.compile(
    r"不(?:是(?!很?确定|很?清楚)|包含|包括|存在|可以|能(?!确定|判断|回答|确认|排除|肯定)|会|對|对(?!称)|具有|属于|需要|在|含|行|正确)"
    r"|否|并(?:非|没有|不是|不存在|未)|[没沒](?!错)|[无無](?!法|从|关)|未(?:见|发现|显示|出现|看到)|错误"
)
YES_HEAD = re.compile(
    r"是的|是(?=[^否])|有的|有(?!可能|时|待)|对的|对(?=啊|呀)|對的|包含|包括|存在|可以|能(?:够|看|见)|会(?:的|有|出现)|會的"
    r"|正确|没错|确实|当然"
)
INSIDE = re.compile(
    r"(?P<no>不是|[没沒](?:有|看到|见)|不(?:包含|包括|存在|可以)|未(?:见|发现|显示|出现|看到)|[无無](?!法|从|关))"
    r"|(?P<yes>包含|包括|存在|可以|是的|(?<![所只具拥])有(?!可能|时|待|关))"
)
