"""An example asked about its whole images -> its gold answer, texts of the policy, a wrong version, and their pair.

What the methods without regions share; each method's own file says which of these it takes, and how.
"""

from __future__ import annotations

from clincot.chain.steps import direct_question
from clincot.editors.base import RewriteRequest
from clincot.methods.base import Ask, Draw, Tools
from clincot.methods.candidates import written
from clincot.recipe import Recipe
from clincot.records import Candidate, Example, View, whole
from clincot.records.pairs import Pair, Side


def direct_ask(
    example: Example,
    recipe: Recipe,
    seed: int,
    *,
    temperature: float,
    top_p: float = 1.0,
    views: tuple[View, ...] | None = None,
) -> Ask:
    """Return the request for an answer, or a report; `views` in place of the whole images of the example."""
    report = example.answer_type == "report"
    length = recipe.build.report_tokens if report else recipe.build.max_new_tokens
    seen = whole(example) if views is None else views
    return Ask(direct_question(example, recipe.image_layout), seen, temperature, top_p, length, seed)


def gold_of(example: Example) -> Candidate:
    """Return the gold answer as a candidate."""
    return Candidate(f"{example.id}/1/gold", example.id, 1, example.answer, None, (), None, None, source="gold")


async def answers_of(
    example: Example, tools: Tools, count: int, *, temperature: float, top_p: float = 1.0
) -> list[Candidate]:
    """Return up to `count` answers that the round's policy samples; those without a text are counted."""
    asks = [
        direct_ask(example, tools.recipe, tools.seed(example.id, i), temperature=temperature, top_p=top_p)
        for i in range(count)
    ]
    return written(example, asks, await tools.generate(example, asks), tools)


async def wrong_version(example: Example, tools: Tools, changes: int) -> Candidate | None:
    """Return the editor's wrong version of the gold answer; None where it gives none, counted by reason.

    `changes`: places of the text that are made wrong, at most. A text that says the same again is a failure
    (stages/sample/rewriting.py).
    """
    request = RewriteRequest(
        example.answer, example.question, tools.seed(example.id, "edit"), example.modality, changes=changes
    )
    (wrong,) = await tools.rewrite([request])
    if wrong.text is None:
        tools.drop(f"answers without a wrong version ({wrong.failure})")
        return None
    return Candidate(f"{example.id}/1/edited", example.id, 1, wrong.text, None, (), None, None, source="editor")


def usable(candidate: Candidate, draw: Draw) -> bool:
    """Return whether a text may be a side of a pair: it is whole, or the recipe trains texts that are cut."""
    return draw.recipe.build.cut_texts == "train" or not candidate.cut


def direct_pair(
    method: str,
    example: Example,
    recipe: Recipe,
    chosen: Candidate,
    rejected: Candidate,
    *,
    place: int = 0,
    weight: float = 1.0,
    own: tuple[tuple[View, ...], tuple[View, ...]] | None = None,
) -> Pair:
    """Return the pair of two texts about the whole images of an example.

    `own`: the images of each side, in place of those that both would share.
    """
    group = f"{example.id}/1"
    shared, views = (whole(example), ((), ())) if own is None else ((), own)
    sides = Side.of(chosen, shared, views[0]), Side.of(rejected, shared, views[1])
    prompt = direct_question(example, recipe.image_layout)
    return Pair(f"{group}/{place}", example.id, 1, method, prompt, shared, *sides, group, weight)
