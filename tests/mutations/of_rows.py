"""Mistakes in what makes a round's rows: methods, chain, judges, pairs, images, cards."""

from __future__ import annotations

from mutation import Mutation

TIES = "tests/methods/test_ties.py"
LOOKING = "tests/chain/test_looking.py"
PAIR_ROUND = "tests/stages/pair/test_pair_round.py"
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
PAIRING = (
    Mutation(
        "a crop may be another than the one that the round was built from",
        "stages/pair/stored.py",
        'images.content_id(data) != row["crop_id"]',
        "not data",
        (PAIR_ROUND,),
    ),
    Mutation(
        "rows of a later shard are left out without a word",
        "stages/pair/stored.py",
        '    if row is not None:\n        raise DataError(f"{column}',
        '    if False:\n        raise DataError(f"{column}',
        (PAIR_ROUND,),
    ),
    Mutation(
        "what sampling left out is forgotten when pairs are drawn again",
        "stages/pair/round.py",
        'drops = Counter(sampled["drops"]) + counts.drops',
        "drops = counts.drops",
        (PAIR_ROUND,),
    ),
)
DATA = (
    Mutation(
        "judges are said to have read what the recipe says, not what they were shown",
        "runs/rounds/build_facts.py",
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
        "changed.paste(inside, box, shape)",
        "changed.paste(inside, box)",
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
