"""A sentence and one mention in it -> the words before and after it that may hold a cue."""

from __future__ import annotations

import re

from clincot.metrics.findings import cues

BEFORE, AFTER = 240, 120  # letters that may hold a cue; longer lists than 240 letters occur in no report at hand
PLURAL = re.compile(
    r"^[^,]{0,60}(?:,[^,]{0,60}){0,5}\b(?:and|or)\b(?: (?!is\b)\w+){1,5}?(?P<rest> (?:are|were|have)\b.*)"
)


def before(sentence: str, mention: re.Match[str], floor: int = 0) -> str:
    """Return the clause up to the end of the mention: `heart is not enlarged` denies from inside."""
    start = max(floor, mention.start() - BEFORE)
    if start > floor:
        start = sentence.find(" ", start, mention.start()) + 1 or mention.start()
    window = sentence[start : mention.end() + AFTER]
    limit = mention.start() - start
    breaks = [
        found.end() for found in cues.HARD.finditer(window, 0, limit + len(mention.group())) if found.end() <= limit
    ]
    since = breaks[-1] if breaks else 0
    for joint in re.finditer(r",|\band\b|\bwith\b", window[:limit]):
        if joint.start() >= since and _ends(window, since, joint, limit):
            since = joint.end()
    return window[since : mention.end() - start]


def _ends(window: str, since: int, joint: re.Match[str], limit: int) -> bool:
    """Whether a new statement begins after this comma, `and` or `with`."""
    if joint.group() == "," and cues.BARE.search(window[max(since, joint.start() - 60) : joint.start()]):
        return False
    said, rest = window[since : joint.start()], window[joint.end() :].lstrip()
    hard = cues.HARD.search(rest)
    rest = rest[: hard.start()] if hard else rest
    if joint.group() == "with":
        return bool(cues.SIZED.match(rest)) and not cues.OR.search(rest[:90])
    segment = rest.split(",", 1)[0]
    goes_on = bool(cues.OR.search(rest[:120]))
    finite = bool(cues.FINITE.search(segment))
    if cues.NEW_SUBJECT.match(segment) and (finite or cues.SIZED.match(segment)):
        return not goes_on or (finite and not cues.SIZED.match(segment)) or segment.startswith("and ")
    if joint.group() == "and":
        return finite and bool(cues.FINITE.search(said))
    closed = bool(cues.OR.search(said)) and not goes_on
    return closed or (finite and not goes_on and not segment.startswith(("or ", "nor ", "and ")))


def doubt_before(clause: str, sentence_after: str) -> str:
    """The part of a clause in which doubt reaches its end: not over `with`, nor over a comma that ends no list."""
    parts = re.split(r"\bwith\b", cues.JOINED.sub(" as ", clause))
    clause = parts[-1]
    if "," in clause and not re.search(r"\b(?:or|and|versus|vs)\b", clause.split(",", 1)[1] + sentence_after):
        return clause.rsplit(",", 1)[1]
    return clause


def after(sentence: str, mention: re.Match[str]) -> tuple[str, str]:
    """Return the rest of the mention's clause, and the comma's remark after it."""
    whole = cues.ASIDE.sub(" ", sentence[mention.end() : mention.end() + AFTER])
    plural = PLURAL.match(whole)
    if plural and not cues.FINITE.search(whole[: plural.start("rest")]):
        whole = plural["rest"]
    rest = cues.SOFT_END.split(whole, maxsplit=1)[0]
    clause, _, remark = rest.partition(",")
    joint = re.search(r"\band\b", clause)
    if joint and cues.FINITE.search(clause[: joint.start()]) and cues.FINITE.search(clause[joint.end() :]):
        clause = clause[: joint.start()]
    return clause.rstrip(), remark.split(",", 1)[0]
