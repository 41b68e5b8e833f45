"""Batches against TRL's own collator where sides agree, and against single sides where they differ."""

from __future__ import annotations

import copy

import pytest
import torch
from datasets import Dataset
from transformers import AutoProcessor
from trl.trainer.dpo_trainer import DataCollatorForVisionPreference

from clincot.chain.prompts import direct_messages
from clincot.errors import DataError, ModelError
from clincot.images import decode
from clincot.objectives.collator import PairCollator
from clincot.objectives.sides import Renderer
from clincot.recipe import Margin
from tests.objectives.rows import make_row, png, write_rows


def make(processor, conditioning="per_side", kind="linear", **options) -> PairCollator:
    return PairCollator(Renderer(processor, conditioning), Margin(kind), **options)


def image(seed: int) -> dict:
    return {"bytes": png(seed), "path": "x.png"}


def pixels(processor, seed: int) -> torch.Tensor:
    return processor.image_processor(images=[decode(png(seed))], return_tensors="pt")["pixel_values"][0]


def stock_row(row: dict) -> dict:
    shared = [*row["images"], row["side_images"][0]]
    return {
        "prompt": copy.deepcopy(row["prompt"]),
        "images": [decode(i["bytes"]) for i in shared],
        **{k: [{"role": "assistant", "content": row[k]}] for k in ("chosen", "rejected")},
    }


def test_equal_sides_give_the_tensors_of_the_stock_collator(processor):
    rows = [make_row(i, side_images=[image(i), image(i)]) for i in range(3)]
    ours, stock = make(processor)(rows), DataCollatorForVisionPreference(processor)([stock_row(r) for r in rows])
    assert {"input_ids", "attention_mask", "completion_mask", "pixel_values"} <= set(stock)
    shown = stock["attention_mask"].bool()
    for name, value in stock.items():
        if name == "input_ids":  # stock takes pad id 0 for unset and pads with the end token, unattended
            assert torch.equal(ours[name][shown], value[shown])
        else:
            assert torch.equal(ours[name], value), name


def test_each_side_has_its_own_crop_after_the_shared_image(processor):
    batch = make(processor)([make_row(0)])
    for at, seed in enumerate((0, 1, 0, 2)):
        assert torch.equal(batch["pixel_values"][at], pixels(processor, seed))


def test_winner_conditioning_shows_the_chosen_crop_to_both(processor):
    batch = make(processor, "winner")([make_row(0)])
    for at, seed in enumerate((0, 1, 0, 1)):
        assert torch.equal(batch["pixel_values"][at], pixels(processor, seed))


def test_global_conditioning_removes_the_crop_and_its_block(processor):
    full, batch = make(processor)([make_row(0)]), make(processor, "global")([make_row(0)])
    assert batch["pixel_values"].shape[0] == 2
    token = processor.tokenizer.convert_tokens_to_ids("<image>")
    assert (batch["input_ids"] == token).sum(1).tolist() == [16, 16]
    assert (full["input_ids"] == token).sum(1).tolist() == [32, 32]
    assert torch.equal(batch["pixel_values"][0], pixels(processor, 0))


def test_rows_without_crops_and_separate_columns_are_read(processor):
    plain = make(processor)([make_row(0, prompt=direct_messages("Is there a nodule?"), side_images=None)])
    assert plain["pixel_values"].shape[0] == 2
    row = make_row(0)
    split = row | {
        "chosen_images": row["side_images"][:1],
        "rejected_images": row["side_images"][1:],
        "side_images": None,
    }
    assert torch.equal(make(processor)([split])["pixel_values"], make(processor)([row])["pixel_values"])


@pytest.mark.parametrize(("first", "second"), [(1, 1), (2, 1), (1, 0), (0, 2)])
def test_each_side_has_as_many_images_of_its_own_as_its_row_says(processor, first, second):
    prompt = [{"role": "user", "content": "Is there a nodule?"}]
    own = [{"bytes": png(seed), "path": f"{seed}.png"} for seed in range(1, 1 + first + second)]
    counts = {"chosen_images_count": first, "rejected_images_count": second}
    row = make_row(0, prompt=prompt, side_images=own, **counts)
    chosen, rejected = Renderer(processor).pair(row)
    shown = [[image.tobytes() for image in side.images] for side in (chosen, rejected)]
    of = [decode(png(seed)).tobytes() for seed in range(1 + first + second)]
    assert shown == [[of[0], *of[1 : 1 + first]], [of[0], *of[1 + first :]]]
    alone = Renderer(processor).pair(row | {"images": []})  # nothing is shared
    assert [len(side.images) for side in alone] == [first, second]
    with pytest.raises(DataError, match=rf"side_images holds {len(own) + 1} images, not {len(own)}"):
        Renderer(processor).pair(row | {"side_images": [*own, own[0]]})


def test_the_completion_is_the_generated_tokens_and_the_end_token(processor):
    row = make_row(0, chosen="Yes", rejected="The left lung is clear.")
    batch = make(processor)([row])
    for side, name in enumerate(("chosen", "rejected")):
        written = batch["input_ids"][side][batch["completion_mask"][side].bool()].tolist()
        text = processor.tokenizer(row[name], add_special_tokens=False)["input_ids"]
        assert written == [*text, processor.tokenizer.eos_token_id]


@pytest.mark.parametrize("tail", ["</s>\n", "", " "])
def test_what_a_template_writes_behind_the_end_token_is_not_trained(base, tail):
    processor = AutoProcessor.from_pretrained(base)
    old = "{{ '</s>' }}"
    assert old in processor.chat_template
    processor.chat_template = processor.chat_template.replace(old, "{{ " + repr(tail) + " }}")
    batch = make(processor)([make_row(0, chosen="Yes")])
    written = batch["input_ids"][0][batch["completion_mask"][0].bool()]
    assert processor.tokenizer.decode(written) == "Yes</s>"


def test_a_template_that_rewrites_the_prompt_is_refused(base):
    processor = AutoProcessor.from_pretrained(base)
    processor.chat_template += "{% if add_generation_prompt %}{{ 'think' }}{% endif %}"
    with pytest.raises(ModelError, match="chat template"):
        make(processor)([make_row(0)])


def test_a_literal_image_token_in_a_text_asks_for_no_image(processor):
    batch = make(processor)([make_row(0, chosen="see <image> here")])
    token = processor.tokenizer.convert_tokens_to_ids("<image>")
    assert (batch["input_ids"] == token).sum(1).tolist() == [32, 32]


def test_pair_columns_are_float32_and_rows_stay_as_they_were(processor):
    rows = [make_row(0, weight=None, ref_chosen_logp=-3.5, ref_rejected_logp=-4.5), make_row(1, weight=0.25)]
    rows[1] |= {"ref_chosen_logp": -1.0, "ref_rejected_logp": -2.0}
    before = copy.deepcopy(rows)
    batch = make(processor, stored_reference=True)(rows)
    assert rows == before
    gaps = [r["chosen_score"] - r["rejected_score"] for r in rows]
    assert batch["margin"].tolist() == pytest.approx(gaps, abs=1e-6) and batch["weight"].tolist() == [1.0, 0.25]
    assert batch["ref_chosen_logp"].tolist() == [-3.5, -1.0] and batch["ref_rejected_logp"].tolist() == [-4.5, -2.0]
    assert {batch[k].dtype for k in ("margin", "weight", "ref_chosen_logp")} == {torch.float32}
    assert batch["row_ids"] == ["row-0", "row-1"]


def test_too_long_a_row_is_an_error_and_never_cut(processor):
    length = make(processor)([make_row(0)])["attention_mask"].sum(1).max().item()
    make(processor, budget=length)([make_row(0)])
    with pytest.raises(DataError, match=f"row row-0: has {length} tokens"):
        make(processor, budget=length - 1)([make_row(0)])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"chosen_score": None}, "row-0: has no chosen_score"),
        ({"weight": float("nan")}, "row row-0: weight is nan, not a number"),
        ({"rejected_score": float("inf")}, "row row-0: rejected_score is inf"),
        ({"side_images": None}, "row-0: Number of images"),
        ({"side_images": [image(1)]}, "holds 1 images"),
        ({"images": [{"bytes": None, "path": "a.png"}]}, "an image has no bytes"),
        ({"images": [{"bytes": b"no picture", "path": "a.png"}]}, "cannot be read as an image"),
    ],
)
def test_unusable_rows_are_named(processor, changes, message):
    with pytest.raises(DataError, match=message):
        make(processor)([make_row(0, **changes)])


def test_without_a_margin_no_score_is_needed(processor):
    batch = make(processor, kind="none")([make_row(0, chosen_score=None, rejected_score=None)])
    assert batch["margin"].tolist() == [0.0]


def test_trls_own_collator_takes_stored_rows_and_sees_what_ours_sees_under_global(processor, tmp_path):
    path = write_rows(tmp_path / "part.parquet", [make_row(i) for i in range(3)])
    rows = Dataset.from_parquet(str(path), cache_dir=str(tmp_path / "cache"))
    told = [
        {"prompt": row["prompt"], "images": row["images"]}
        | {k: [{"role": "assistant", "content": row[k]}] for k in ("chosen", "rejected")}
        for row in rows
    ]
    stock = DataCollatorForVisionPreference(processor)(told)
    ours = PairCollator(Renderer(processor, "global"), Margin("linear"))(list(rows))
    shown = stock["attention_mask"].bool()
    assert torch.equal(ours["input_ids"][shown], stock["input_ids"][shown])
    assert torch.equal(ours["pixel_values"], stock["pixel_values"])
    assert torch.equal(ours["completion_mask"], stock["completion_mask"])
