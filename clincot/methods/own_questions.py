"""An example -> the same image with a question that the round's policy writes about it, for methods that ask their own.

A text about such a question keeps it as its finding, so that pairs are drawn without a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from clincot.chain.prompts import policy_messages
from clincot.chain.steps import blocks
from clincot.methods.base import Ask, Tools
from clincot.methods.candidates import missing
from clincot.records import Candidate, Example, whole

QUESTION_TOKENS = 64  # ours


async def with_own_question(
    example: Example, tools: Tools, instruction: str, *, temperature: float, top_p: float
) -> Example | None:
    """Return the example with a question of the policy; None, counted, where it writes none.

    The gold answer belongs to the old question and is left empty. A report's request is replaced as well.
    """
    seen = whole(example)
    turns = policy_messages(
        instruction, (), instruction="Question:", images=blocks(len(seen), tools.recipe.image_layout)
    )
    ask = Ask(turns, seen, temperature, top_p, QUESTION_TOKENS, tools.seed(example.id, "question"))
    (text,) = await tools.generate(example, [ask])
    question = text.text.strip().partition("\n")[0].removeprefix("Question:").strip()
    if text.finish != "stop" or not question:
        tools.drop(missing("own questions", text) if text.finish == "failed" or not question else "cut own questions")
        return None
    return replace(example, question=question, answer="", reference="", answer_type="open")


def keeping(asked: Example, example: Example, answers: Sequence[Candidate]) -> list[Candidate]:
    """Return the answers, with the question as their finding where it is not the example's own."""
    if asked.question == example.question:
        return list(answers)
    return [replace(answer, findings=(asked.question,)) for answer in answers]


def asked_in(example: Example, answer: Candidate) -> Example:
    """Return the example with the question that `answer` answers."""
    if not answer.findings:
        return example
    return replace(example, question=answer.findings[0], answer="", reference="", answer_type="open")
