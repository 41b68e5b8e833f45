"""Prompts that begin alike are cut where their groups part, and nothing of them is lost."""

from __future__ import annotations

from clincot.lm.trunks import common, with_trunks


def test_trunks_are_cut_where_groups_part_and_reassemble_to_the_prompt():
    rubric = tuple(range(20))
    ids = [rubric + (50,) * 9 + tail for tail in ((1, 2), (1, 3), (1,))] + [rubric + (60,) * 9 + (4,)]
    prompts = with_trunks(ids, [[None] * 4, ["a", "a", "a", "b"]])
    assert [p.ids for p in prompts] == ids
    assert [[len(s.ids) for s in p.trunk] for p in prompts] == [[20, 9], [20, 9], [20, 9], [20]]
    assert common([(1, 2), (1, 2)]) == 1
    assert with_trunks([(1, 2, 3)], [[None]])[0].trunk == ()
