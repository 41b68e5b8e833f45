"""A recipe -> the lengths, in tokens, that its stages are estimated with: no benchmark is read."""

from __future__ import annotations

from dataclasses import dataclass

from clincot.recipe import Recipe

# Those that docs/performance.md counts with (Generation, Judging): usual lengths, not the longest.
TEMPLATE, QUESTION, INSTRUCTION, RUBRIC, REFERENCE, QUESTIONS = 35, 60, 20, 200, 130, 10


@dataclass(frozen=True)
class Texts:
    """Tokens of a prompt's parts; `response` of a text at its limit, `questions` about an image.

    `question` holds the instruction; `rubric` is what all prompts of a judge begin with, `reference` question and
    reference after it. `canvas`: image and crop are one image.
    """

    response: int
    steps: int
    regions: int
    ahead: int
    canvas: bool = False
    template: int = TEMPLATE
    question: int = QUESTION
    instruction: int = INSTRUCTION
    rubric: int = RUBRIC
    reference: int = REFERENCE
    questions: int = QUESTIONS
    image: int = 0  # of an image; 0: as the model's config says

    def prompt(self, image: int) -> int:
        """Return the tokens of the longest prompt of a chain, with images of `image` tokens."""
        images = 1 if self.canvas else 2
        return self.template + images * image + self.question + (self.steps - 1) * self.response

    @property
    def judged(self) -> int:
        """Return the tokens of the longest prompt of a judge."""
        return self.rubric + self.reference + self.steps * self.response


def of_build(recipe: Recipe) -> Texts:
    """Return the lengths of a build: texts at the longer of their two limits."""
    build, config = recipe.build, recipe.method.config
    ahead = getattr(config, "lookahead", None)
    return Texts(
        response=max(build.max_new_tokens, build.report_tokens),
        steps=recipe.method.steps,
        regions=recipe.method.hypotheses,
        ahead=ahead.samples if ahead is not None and ahead.gamma else 0,
        canvas=recipe.image_layout == "canvas",
        questions=min(QUESTIONS, build.max_questions or QUESTIONS),
    )


def of_evaluation(recipe: Recipe) -> Texts:
    """Return the lengths of an evaluation."""
    asked = recipe.evaluate
    return Texts(
        response=max(asked.max_new_tokens, asked.report_tokens),
        steps=recipe.inference_steps,
        regions=1,
        ahead=0,
        canvas=recipe.image_layout == "canvas",
    )
