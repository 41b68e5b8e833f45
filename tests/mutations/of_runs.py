"""Mistakes in what trains, measures and publishes: stages, objectives, hub."""

from __future__ import annotations

from mutation import Mutation

TIES = "tests/methods/test_ties.py"
MARGIN_DPO = "tests/objectives/test_margin_dpo.py"
PUBLISH = "tests/hub/test_publish.py"
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
        ' or train.conditioning != "per_side"',
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
        "not bool(value.isnan().any())",
        "not bool(value.isnan().all())",
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
