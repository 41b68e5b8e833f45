"""Rows exported to TRL in plain `DPOTrainer`, and imported weights: the losses of this package's trainer."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
import torch.nn.functional as F
from datasets import Dataset, load_dataset
from peft import PeftModel
from trl import DPOTrainer

from clincot.images import decode
from clincot.rows import formats
from clincot.stages.exchange.exporting import ExportJob, export_rows
from clincot.stages.exchange.importing import ImportJob, import_rows
from tests.objectives.rows import TEXTS, make_row, png, write_rows
from tests.objectives.test_margin_dpo import arguments, load, lora, ours, randomise, trained

WEIGHTS = (0.2, 0.8, 1.0)
ALONE = {"side_images": [], "chosen_images_count": 0, "rejected_images_count": 0}
ASKED = [{"role": "user", "content": "Is there a nodule in the left lung?"}]


def test_exported_rows_train_in_plain_trl_with_our_losses_and_weights(base, processor, tmp_path: Path) -> None:
    """Sides with a crop each, exported with the winner's: TRL then has the images of `conditioning: winner`."""
    rows = [make_row(n) for n in range(3)] + [make_row(n, prompt=ASKED, **ALONE) for n in range(3, 6)]
    path = write_rows(tmp_path / "rows.parquet", rows)
    form = formats.load("trl")
    (tmp_path / "out").mkdir()
    export_rows(ExportJob((path,), form, tmp_path / "out", "winner"))
    exported = load_dataset(
        "parquet", data_files=str(tmp_path / "out/train.parquet"), split="train", cache_dir=tmp_path
    )
    stock = DPOTrainer(
        model=load(base),
        args=arguments(tmp_path / "stock"),
        train_dataset=exported,
        processing_class=processor,
        peft_config=lora(),
    )
    import_rows(ImportJob((tmp_path / "out/train.parquet",), form, tmp_path, tmp_path / "back.parquet"))
    back = Dataset.from_parquet(str(tmp_path / "back.parquet"), cache_dir=str(tmp_path))
    mine = ours(base, processor, back.to_list(), tmp_path / "mine", kind="none")
    (losses, weights), (stock_losses, stock_weights) = trained(mine), trained(stock)
    assert losses[0] == pytest.approx(torch.log(torch.tensor(2.0)).item(), abs=1e-6) and len(set(losses)) > 1
    assert losses == stock_losses
    assert all(torch.equal(weights[name], stock_weights[name]) for name in stock_weights)
    logs = [trainer.state.log_history[0] for trainer in (mine, stock)]
    for side in ("logps/chosen", "logps/rejected"):
        assert logs[0][side] == pytest.approx(logs[1][side], rel=1e-5)


def logp(model, processor, row: dict, text: str) -> torch.Tensor:
    """The log-probability of a text alone, without TRL and without our collator (nats)."""
    prompt = f"<s><|user|><image>{row['prompt'][0]['content']}<|assistant|>"
    ids = processor.tokenizer(text + "</s>", add_special_tokens=False)["input_ids"]
    image = [decode(row["images"][0]["bytes"])]
    inputs = processor(images=image, text=prompt, add_special_tokens=False, return_tensors="pt")
    whole = torch.cat((inputs["input_ids"], torch.tensor([ids])), dim=1)
    logits = model(input_ids=whole, pixel_values=inputs["pixel_values"].to(model.dtype)).logits[0]
    return F.log_softmax(logits, -1)[-len(ids) - 1 : -1].gather(1, torch.tensor(ids)[:, None]).sum()


def test_imported_weights_give_the_loss_and_gradient_of_weight_times_dpo_in_float64(
    base, processor, tmp_path: Path
) -> None:
    rows = []
    for number, weight in enumerate(WEIGHTS):
        (tmp_path / f"{number}.png").write_bytes(png(number))
        asked = {"from": "human", "value": "<image>\nIs there a nodule?"}
        sides = [[asked, {"from": "gpt", "value": f" {TEXTS[number + side]}"}] for side in (0, 1)]
        row = {"image": f"{number}.png", "conversations": sides[0], "rejected_conversations": sides[1]}
        rows.append(row | {"weighted_score": weight})
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    import_rows(ImportJob((tmp_path / "rows.json",), formats.load("mmedpo"), tmp_path, tmp_path / "in.parquet"))
    imported = pq.read_table(tmp_path / "in.parquet").to_pylist()

    trainer = ours(base, processor, imported, tmp_path / "t", kind="none", changes={"beta": 0.3})
    first = trainer.compute_loss(trainer.model, trainer.data_collator(imported))
    assert first.item() == pytest.approx(sum(WEIGHTS) / 3 * 0.6931472, abs=1e-6)
    randomise(trainer.model)
    trainer.model.save_pretrained(tmp_path / "adapter", selected_adapters=["default"])
    loss = trainer.compute_loss(trainer.model, trainer.data_collator(imported))
    loss.backward()

    reference = load(base, torch.float64)
    policy = PeftModel.from_pretrained(load(base, torch.float64), tmp_path / "adapter", is_trainable=True).double()
    by_hand = torch.zeros((), dtype=torch.float64)
    for row, weight in zip(imported, WEIGHTS, strict=True):
        with torch.no_grad():
            before = [logp(reference, processor, row, row[side]) for side in ("chosen", "rejected")]
        now = [logp(policy, processor, row, row[side]) for side in ("chosen", "rejected")]
        dpo = -F.logsigmoid(0.3 * ((now[0] - before[0]) - (now[1] - before[1])))
        by_hand = by_hand + weight * dpo / len(imported)
    by_hand.backward()
    assert loss.item() == pytest.approx(by_hand.item(), abs=1e-5) and abs(loss.item() - first.item()) > 1e-3
    exact = {name: p.grad for name, p in policy.named_parameters() if p.grad is not None}
    found = {name: p.grad for name, p in trainer.model.named_parameters() if p.grad is not None}
    assert exact.keys() == found.keys() and max(g.abs().max().item() for g in exact.values()) > 1e-3
    assert max((exact[name] - found[name].double()).abs().max().item() for name in exact) < 1e-5
