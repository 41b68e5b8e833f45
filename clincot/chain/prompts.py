"""A question and the findings so far -> the messages a policy or a judge reads, the same in build, train and evaluate.

Layout: `[system][global image][region crop][question][findings so far]`. The crop follows the global image directly so
that the key/value trunk of an (image, region) serves every question and step; earlier steps enter as text only.
The wording is ours, after the paper's Figure 1 (it prints the substance, not the text).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clincot.errors import RecipeError
from clincot.records import Message, Region

SHOW_FINDING = "State in one sentence what the local image shows that bears on the question."
ANSWER_WITH_REGION = "Answer the question based on the original image and the local image."
ANSWER_DIRECTLY = "Answer the question based on the image."
ANSWER_FROM_SEVERAL = "Answer the question based on the images."
SHOW_FINDING_OF_REPORT = "State in one sentence what the local image shows."
REPORT_WITH_REGION = "Write the report based on the original image and the local image."
REPORT_DIRECTLY = "Write the report based on the image."
REPORT_FROM_SEVERAL = "Write the report based on the images."

JUDGE_SYSTEM = "You are a radiology reviewer who rates statements about an image."
JUDGE_CRITERIA = (
    "Rate factual agreement, location and clinical soundness; unsupported findings count against the statement."
)
JUDGE_REPORT_CRITERIA = (
    "Rate how well the statement reports the image: findings that are wrong, unsupported or left out count against it."
)
JUDGE_DIGIT = "Reply with one digit from 0 (wrong) to 9 (right)."
JUDGE_RUBRIC = f"{JUDGE_CRITERIA} {JUDGE_DIGIT}"
JUDGE_REPORT_RUBRIC = f"{JUDGE_REPORT_CRITERIA} {JUDGE_DIGIT}"
JUDGE_YES_OR_NO = "Is the statement right? Reply yes or no."
JUDGE_EARLIER = "Another reviewer rated it {digit}. Repeat that digit if you agree, or reply with your own."
COMPARE = "Which answer does the image support better? Reply A or B."
COMPARE_REPORTS = "Which report describes the image better? Reply A or B."
SIDES = ("on the left side", "in the centre", "on the right side")
THIRDS = ("upper third", "middle third", "lower third")


@dataclass(frozen=True)
class Rubric:
    """What a method has a text rated by, in place of `JUDGE_RUBRIC`.

    `criteria`: what the text is. `digit` asks for one digit (9 is the best), `yes_or_no` for that (yes is the best).
    """

    criteria: str
    digit: str
    yes_or_no: str


def policy_messages(question: str, findings: Sequence[str], *, instruction: str, images: int) -> list[Message]:
    """Return one user turn: `images` image blocks (global first, then the crop), then the text."""
    lines = [question.strip()]
    if findings:
        lines.append("Findings so far: " + " ".join(findings))
    lines.append(instruction)
    blocks: list[Message] = [{"type": "image"} for _ in range(images)]
    return [{"role": "user", "content": [*blocks, {"type": "text", "text": "\n".join(lines)}]}]


def finding_messages(question: str, findings: Sequence[str], *, report: bool = False, images: int = 2) -> list[Message]:
    """Steps 1..T-1 of the chain: what does this region show?"""
    instruction = SHOW_FINDING_OF_REPORT if report else SHOW_FINDING
    return policy_messages(question, findings, instruction=instruction, images=images)


def answer_messages(question: str, findings: Sequence[str], *, report: bool = False, images: int = 2) -> list[Message]:
    """The last step: the answer or the report, from the global image, the region and the findings."""
    instruction = REPORT_WITH_REGION if report else ANSWER_WITH_REGION
    return policy_messages(question, findings, instruction=instruction, images=images)


def direct_messages(question: str, *, report: bool = False, seen: int = 1, blocks: int | None = None) -> list[Message]:
    """The answer or the report from whole images alone, `seen` of them: the paper's 'w/o ClinCoT'.

    `blocks` is 1 where several images share one canvas; without it, there is a block for each image.
    """
    one, several = (REPORT_DIRECTLY, REPORT_FROM_SEVERAL) if report else (ANSWER_DIRECTLY, ANSWER_FROM_SEVERAL)
    instruction = one if seen == 1 else several
    return policy_messages(question, (), instruction=instruction, images=seen if blocks is None else blocks)


def step_messages(
    question: str, findings: Sequence[str], *, step: int, steps: int, report: bool = False, images: int = 2
) -> list[Message]:
    """Messages of step `step` (from 1) of `steps`: findings first, the answer (or `report`) last.

    `images` is 1 where image and crop share one canvas.
    """
    write = answer_messages if step == steps else finding_messages
    return write(question, findings, report=report, images=images)


def judge_messages(
    question: str,
    reference: str | None,
    findings: Sequence[str],
    statement: str,
    *,
    report: bool = False,
    facts: str | None = None,
    earlier: int | None = None,
    yes_or_no: bool = False,
    own: str | Rubric | None = None,
) -> list[Message]:
    """Text-only turns for a judge; `reference=None` is the blind context.

    `facts` describe the candidate's region (`region_facts`), `earlier` is the digit of another reviewer (a debate),
    `yes_or_no` asks for that instead of a digit, `own` is a rubric in place of this file's; a text asks for a digit.
    Ordered so that the candidates of a question share the longest prefix: rubric, question, reference, findings, facts,
    statement. Raises RecipeError for a rubric that is asked for yes or no and has no such question.
    """
    rubric = _rubric(own, report=report, yes_or_no=yes_or_no)
    first = rubric.criteria if yes_or_no else f"{rubric.criteria} {rubric.digit}".strip()
    lines = [first, f"Question: {question.strip()}"]
    if reference is not None:
        lines.append(f"Reference: {reference.strip()}")
    lines.append("Findings so far: " + (" ".join(findings) if findings else "none"))
    if facts is not None:
        lines.append(facts)
    lines.append(f"Statement: {statement.strip()}")
    if earlier is not None:
        lines.append(JUDGE_EARLIER.format(digit=earlier))
    if yes_or_no:
        lines.append(rubric.yes_or_no)
    return [{"role": "system", "content": JUDGE_SYSTEM}, {"role": "user", "content": "\n".join(lines)}]


def _rubric(own: str | Rubric | None, *, report: bool, yes_or_no: bool) -> Rubric:
    if isinstance(own, Rubric):
        return own
    if own is None:
        return Rubric(JUDGE_REPORT_CRITERIA if report else JUDGE_CRITERIA, JUDGE_DIGIT, JUDGE_YES_OR_NO)
    if yes_or_no:
        raise RecipeError(
            f"build.judging.scoring: 'yesno' asks for yes or no, and the method's rubric for a digit ({own[:60]!r}...)."
            " Set build.judging.scoring=expected, or give the method a Rubric with both (clincot.chain.prompts)."
        )
    return Rubric(own, "", "")


def compare_text(
    question: str,
    first: str,
    second: str,
    findings: Sequence[str] = (),
    reference: str | None = None,
    report: bool = False,
) -> str:
    """Return the text after the image that asks a critic which of two texts is better; what varies comes last."""
    lines = [COMPARE_REPORTS if report else COMPARE, f"Question: {question.strip()}"]
    if reference is not None:
        lines.append(f"Reference: {reference.strip()}")
    if findings:
        lines.append("Findings so far: " + " ".join(findings))
    return "\n".join([*lines, f"A: {first.strip()}", f"B: {second.strip()}"])


def region_facts(region: Region, size: tuple[int, int]) -> str:
    """Return what is known of a region without an image: hypothesis, place and the tool's confidence.

    `size` (width, height) is that of the original image. Sides are those of the image, as a reader sees it: on a
    radiograph the patient's right lies on the left side.
    """
    box, (width, height) = region.box, size
    across = SIDES[min(2, int(1.5 * (box.left + box.right) / width))]
    down = THIRDS[min(2, int(1.5 * (box.upper + box.lower) / height))]
    return (
        f"Local image: found for {region.hypothesis} by a tool with {region.confidence:.0%} confidence,"
        f" {across} of the image, {down}."
    )
