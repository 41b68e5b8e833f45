"""A question -> its template: the words that ask, with a blank in place of every run of words that name something."""

from __future__ import annotations

import re

BLANK = "_"
# Function words, verbs that every question of the kind has ("does the image show") and nothing that names a thing.
ASKING = re.compile(
    r"a|an|the|this|that|these|those|it|its|there|here|is|are|was|were|be|been|being|do|does|did|has|have|had|"
    r"can|could|will|would|should|may|might|must|what|which|who|whom|whose|where|when|why|how|many|much|any|"
    r"some|all|each|both|either|neither|no|not|or|and|if|in|on|of|at|to|from|by|with|within|for|as|than|into|"
    r"out|up|down|between|among|show|shows|shown|see|seen|look|looks|looking|like|contain|contains|appear|"
    r"appears|belong|belongs|exist|exists|i|you|we|they|he|she|his|her|their|me|us|please"
)
CHINESE = (
    "是不是|有没有|还是|是否|有无|能否|可以|什么|哪个|哪些|哪里|哪种|哪|几个|几|多少|怎么|如何|为什么|存在|包含|包括|属于"
    "|显示|出现|看到|看见|这张|这个|这|那|中|里|上|下|在|的|吗|呢|是|有|没|和|与|或|被|把|最|更|个|对|为|了|从|能|会|不"
)
LETTERS = r"(?:(?![\u3400-\u9fff])[^\W_])+"
WORD = re.compile(rf"(?P<chinese>{CHINESE})|(?P<run>(?:(?!{CHINESE})[\u3400-\u9fff])+)|{LETTERS}(?:['’-]{LETTERS})*")


def template_of(question: str) -> str:
    """Return the template of a question, in English or Chinese; case, spaces and marks do not count.

    "Is there a nodule in the left lung?" and "Is there an effusion in the liver?" differ in "a" and "an" alone, so
    articles are left out: both are "is there _ in _".
    """
    found: list[str] = []
    for match in WORD.finditer(question.lower()):
        asks = match["chinese"] or (not match["run"] and ASKING.fullmatch(match[0]))
        word = match[0] if asks else BLANK
        if word not in ("a", "an", "the") and not (word == BLANK and found[-1:] == [BLANK]):
            found.append(word)
    return " ".join(found)
