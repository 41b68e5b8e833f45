"""A question and the findings so far -> the messages a policy or a judge reads, the same in build, train and evaluate.

Layout: `[system][global image][region crop][question][findings so far]`. The crop follows the global image directly so
that the key/value trunk of an (image, region) serves every question and step; earlier steps enter as text only.
The wording is ours, after the paper's Figure 1 (it prints the substance, not the text).
"""

from __future__ import annotations

from collections.abc import Sequence

from clincot.records import Message

SHOW_FINDING = "State in one sentence what the local image shows that bears on the question."
ANSWER_WITH_REGION = "Answer the question based on the original image and the local image."
ANSWER_DIRECTLY = "Answer the question based on the image."

JUDGE_SYSTEM = "You are a radiology reviewer who rates statements about an image."
JUDGE_RUBRIC = (
    "Rate factual agreement, location and clinical soundness; unsupported findings count against the statement."
    " Reply with one digit from 0 (wrong) to 9 (right)."
)


def policy_messages(question: str, findings: Sequence[str], *, instruction: str, images: int) -> list[Message]:
    """Return one user turn: `images` image blocks (global first, then the crop), then the text."""
    lines = [question.strip()]
    if findings:
        lines.append("Findings so far: " + " ".join(findings))
    lines.append(instruction)
    blocks: list[Message] = [{"type": "image"} for _ in range(images)]
    return [{"role": "user", "content": [*blocks, {"type": "text", "text": "\n".join(lines)}]}]


def finding_messages(question: str, findings: Sequence[str]) -> list[Message]:
    """Steps 1..T-1 of the chain: what does this region show?"""
    return policy_messages(question, findings, instruction=SHOW_FINDING, images=2)


def answer_messages(question: str, findings: Sequence[str]) -> list[Message]:
    """The last step: the answer, from the global image, the region and the findings."""
    return policy_messages(question, findings, instruction=ANSWER_WITH_REGION, images=2)


def direct_messages(question: str) -> list[Message]:
    """The answer from the global image alone: the paper's 'w/o ClinCoT'."""
    return policy_messages(question, (), instruction=ANSWER_DIRECTLY, images=1)


def step_messages(question: str, findings: Sequence[str], *, step: int, steps: int) -> list[Message]:
    """Messages of step `step` (from 1) of `steps`: findings first, the answer last."""
    return answer_messages(question, findings) if step == steps else finding_messages(question, findings)


def judge_messages(question: str, reference: str | None, findings: Sequence[str], statement: str) -> list[Message]:
    """Text-only turns for a judge; `reference=None` is the blind context.

    Ordered so that the candidates of a question share the longest prefix: rubric, question, reference, findings,
    statement.
    """
    lines = [JUDGE_RUBRIC, f"Question: {question.strip()}"]
    if reference is not None:
        lines.append(f"Reference: {reference.strip()}")
    lines.append("Findings so far: " + (" ".join(findings) if findings else "none"))
    lines.append(f"Statement: {statement.strip()}")
    return [{"role": "system", "content": JUDGE_SYSTEM}, {"role": "user", "content": "\n".join(lines)}]
