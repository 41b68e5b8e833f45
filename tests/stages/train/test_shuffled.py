"""Pairs whose sides are exchanged at random: whole sides with their images; scores stay; the seed alone decides."""

from __future__ import annotations

from datasets import Dataset

from clincot.stages.train.shuffled import is_exchanged, shuffled

ROWS = Dataset.from_list(
    [
        {
            "id": f"q{i}",
            "chosen": f"right {i}",
            "rejected": f"wrong {i}",
            "chosen_score": 0.9,
            "rejected_score": 0.1,
            "side_images": ["a", "b", "c"],
            "chosen_finish": "stop",
            "rejected_finish": "length",
            "chosen_token_weights": [1.0, 2.0],
            "rejected_token_weights": [3.0],
            "chosen_images_count": 1,
            "rejected_images_count": 2,
        }
        for i in range(40)
    ]
)


def test_half_of_the_pairs_have_their_sides_exchanged_with_their_images() -> None:
    found = shuffled(ROWS, 3)
    exchanged = [row for row in found if row["chosen"].startswith("wrong")]
    assert 10 < len(exchanged) < 30
    for row in found:
        turned = is_exchanged(row["id"], 3)
        assert (row["chosen"].startswith("wrong"), row["rejected"].startswith("right")) == (turned, turned)
        assert row["side_images"] == (["b", "c", "a"] if turned else ["a", "b", "c"])
        assert (row["chosen_images_count"], row["rejected_images_count"]) == ((2, 1) if turned else (1, 2))
        assert (row["chosen_finish"], row["rejected_finish"]) == (("length", "stop") if turned else ("stop", "length"))
        weights = row["chosen_token_weights"], row["rejected_token_weights"]
        assert weights == (([3.0], [1.0, 2.0]) if turned else ([1.0, 2.0], [3.0]))
        assert (row["chosen_score"], row["rejected_score"]) == (0.9, 0.1)
    assert found.features == ROWS.features


def test_the_seed_decides_which() -> None:
    assert shuffled(ROWS, 3)["chosen"] == shuffled(ROWS, 3)["chosen"] != shuffled(ROWS, 4)["chosen"]
