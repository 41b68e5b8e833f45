"""Mistakes that somebody could make in the code, each with the tests that find it.

`old` stands once in `file`, below `clincot/`; a change of the code around it is followed here.
"""

from __future__ import annotations

from dataclasses import dataclass

TIES = "tests/methods/test_ties.py"
LOOKING = "tests/chain/test_looking.py"
MARGIN_DPO = "tests/objectives/test_margin_dpo.py"
PUBLISH = "tests/hub/test_publish.py"


@dataclass(frozen=True)
class Mutation:
    """One mistake: `old` in `file` becomes `new`, and one of `tests` fails."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


METHODS = (
    Mutation(
        "min_gap is ignored",
        "methods/pairing.py",
        "winner.score - loser.score >= config.min_gap",
        "winner.score > loser.score",
        (TIES,),
    ),
    Mutation(
        "a gap of exactly min_gap is too small",
        "methods/pairing.py",
        "winner.score - loser.score >= config.min_gap",
        "winner.score - loser.score > config.min_gap",
        (TIES,),
    ),
    Mutation(
        "the first judge alone extends the chain",
        "methods/scoring.py",
        "key=lambda candidate: candidate.score or 0.0",
        "key=lambda candidate: candidate.judge_scores[0].total or 0.0",
        (TIES,),
    ),
    Mutation(
        "the last of equal candidates extends the chain",
        "methods/scoring.py",
        "return max(rated, key",
        "return max(reversed(rated), key",
        (TIES,),
    ),
    Mutation(
        "the first k pairs are taken instead of random ones",
        "methods/pairing.py",
        'random.Random(draw.seed(group, "pairs")).sample(possible, min(config.pairs_per_step, len(possible)))',
        "possible[: config.pairs_per_step]",
        (TIES,),
    ),
    Mutation(
        "look-ahead texts of one finding share a seed",
        "methods/clincot.py",
        'tools.seed(c.id, "next", sample)',
        'tools.seed(c.id, "next")',
        (TIES,),
    ),
    Mutation(
        "the worst of equal texts is kept",
        "methods/pairing.py",
        "candidate.score > held.score",
        "candidate.score < held.score",
        (TIES,),
    ),
    Mutation(
        "a text that tokenises otherwise keeps its log-probability",
        "methods/candidates.py",
        'text.finish == "stop" and text.retokenises',
        'text.finish == "stop"',
        (TIES,),
    ),
)
CHAIN = (
    Mutation(
        "what the question names is not looked at first",
        "chain/looking.py",
        "(named.get(one.hypothesis, len(named)), -one.confidence)",
        "-one.confidence",
        (LOOKING,),
    ),
    Mutation(
        "every step looks at the best region",
        "chain/looking.py",
        "return ranked_regions[step - 1] if",
        "return ranked_regions[0] if",
        (LOOKING,),
    ),
)
JUDGES = (
    Mutation(
        "what is too long for a judge counts as a rating",
        "judges/panel.py",
        "strict=True) if not rating.too_long]",
        "strict=True)]",
        ("tests/judges/test_panel.py",),
    ),
)
STAGES = (
    Mutation(
        "seeds are the same in every round",
        "stages/pair/draw.py",
        "content_key(recipe.seed, round_, *parts)",
        "content_key(recipe.seed, *parts)",
        (TIES,),
    ),
    Mutation(
        "differences of two rows are not paired",
        "stages/evaluate/results.py",
        "_interval(mine.draws - theirs.draws)",
        "_interval(mine.draws - theirs.value)",
        ("tests/stages/evaluate/test_results.py",),
    ),
    Mutation(
        "intervals of 90 % are called 95 %",
        "stages/evaluate/results.py",
        "[2.5, 97.5]",
        "[5.0, 95.0]",
        ("tests/stages/evaluate/test_results.py",),
    ),
    Mutation(
        "a stored reference is read under another conditioning",
        "stages/train/dpo.py",
        ' or job.recipe.train.conditioning != "per_side"',
        "",
        ("tests/stages/train/test_train.py::test_another_conditioning_computes_its_reference",),
    ),
)
OBJECTIVES = (
    Mutation(
        "the likelihood term always weighs 1",
        "objectives/margin_dpo.py",
        "loss + self.nll_weight * logps.nll",
        "loss + logps.nll",
        (f"{MARGIN_DPO}::test_the_likelihood_term_counts_by_its_weight",),
    ),
    Mutation(
        "the margin is added instead of asked for",
        "objectives/margin.py",
        "-F.logsigmoid(beta * (gain - loss) - margin)",
        "-F.logsigmoid(beta * (gain - loss) + margin)",
        ("tests/objectives/test_margin.py",),
    ),
    Mutation(
        "a reference that lacks in some rows only is read everywhere",
        "objectives/margin_dpo.py",
        "not any(bool(value.isnan().any()) for value in stored)",
        "not all(bool(value.isnan().all()) for value in stored)",
        (f"{MARGIN_DPO}::test_a_stored_reference_gives_the_loss_of_the_computed_one",),
    ),
    Mutation(
        "winner conditioning shows the loser's crop",
        "objectives/sides.py",
        "rejected = chosen\n",
        "chosen = rejected\n",
        ("tests/objectives/test_collator.py::test_winner_conditioning_shows_the_chosen_crop_to_both",),
    ),
    Mutation(
        "a text sees the texts beside it in a shared row",
        "objectives/tree.py",
        "seen[number, list(above)] = True",
        "seen[number, :number] = True",
        ("tests/objectives/test_tree.py",),
    ),
)
HUB = (
    Mutation(
        "a commit lands on whatever another writer left",
        "hub/publish.py",
        "parent_commit=head.sha",
        "parent_commit=None",
        (f"{PUBLISH}::test_two_rounds_published_at_once_both_land_and_the_card_names_both",),
    ),
    Mutation(
        "a tag with files too many counts as the same content",
        "hub/publish.py",
        "return Change({path: c for path, c in wanted.files.items() if differs(path, c)}, wanted.stale(held))",
        "return Change({path: c for path, c in wanted.files.items() if differs(path, c)}, [])",
        (PUBLISH,),
    ),
    Mutation(
        "files of equal size count as the same content",
        "hub/contents.py",
        "return digest.hexdigest() == held.oid",
        "return True",
        (PUBLISH,),
    ),
    Mutation(
        "the wait that the Hub asks for is not kept",
        "hub/retry.py",
        "if ordered is None else ordered",
        "",
        ("tests/hub/test_retry.py::test_the_wait_is_the_one_the_hub_asks_for",),
    ),
    Mutation(
        "a snapshot follows the branch, not the pinned commit",
        "hub/pull.py",
        "snapshot_download,\n        pin.repo,\n        repo_type=pin.kind,\n        revision=pin.sha",
        "snapshot_download,\n        pin.repo,\n        repo_type=pin.kind,\n        revision=pin.revision",
        ("tests/hub/test_pull.py",),
    ),
)
DATA = (
    Mutation(
        "judges are said to have read what the recipe says, not what they were shown",
        "runs/build_facts.py",
        "if rated is not None:",
        "if rated == {}:",
        ("tests/runs/test_build_facts.py",),
    ),
    Mutation(
        "a card names the crops of a method that shows none",
        "runs/releases/cards/dataset.py",
        'if not any("crop" in seen',
        'if any("lesion" in seen',
        ("tests/runs/releases/test_true_cards.py",),
    ),
    Mutation(
        "a reason that counted nothing is shown on the card",
        "runs/releases/cards/dataset.py",
        'in made.facts.get("drops", {}).items() if count',
        'in made.facts.get("drops", {}).items()',
        ("tests/runs/releases/test_true_cards.py",),
    ),
    Mutation(
        "the noise of a lesion fills its box",
        "images/corruptions.py",
        "noisy.paste(inside, box, shape)",
        "noisy.paste(inside, box)",
        ("tests/images/test_corruptions.py",),
    ),
    Mutation(
        "an editor changes what a sentence denies",
        "editors/rules.py",
        " and not _denied(text, edit)",
        "",
        ("tests/editors/test_rules.py",),
    ),
)
MUTATIONS = (*METHODS, *CHAIN, *JUDGES, *STAGES, *OBJECTIVES, *HUB, *DATA)
