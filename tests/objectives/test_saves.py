"""A trainer whose save finds no room ends with our message and goes on from the save before."""

from __future__ import annotations

import errno
import multiprocessing
import resource
from pathlib import Path

import pytest
from datasets.exceptions import DatasetGenerationError

from clincot.errors import DiskFull, ModelError
from clincot.stages.train import dpo as train
from clincot.stages.train.dpo import train_adapter
from clincot.stages.train.saves import is_full, last_save, saving
from tests.stages.train.test_train import base, make_job, make_recipe, rows  # noqa: F401

LIMIT = 64 * 1024


def test_words_of_a_full_disk_are_told_from_other_failures():
    assert is_full(OSError(errno.ENOSPC, "No space left on device")) and is_full(OSError(errno.EDQUOT, "quota"))
    assert is_full(RuntimeError("[enforce fail] . PytorchStreamWriter failed writing file data/0: file write failed"))
    assert not is_full(OSError(errno.EACCES, "Permission denied")) and not is_full(RuntimeError("shape mismatch"))
    behind = DatasetGenerationError("An error occurred")
    behind.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(DiskFull, match="No space left on device"), saving(Path("folder")):
        raise behind
    with pytest.raises(RuntimeError, match="shape mismatch"), saving(Path("folder")):
        raise RuntimeError("shape mismatch")


def limited(job, messages) -> None:
    """Train two steps, then let no file grow beyond LIMIT: the save of step 3 is larger."""

    class Fill(train.Live):
        def on_step_begin(self, args, state, control, **kwargs):
            if state.global_step == 2:
                resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))

    train.Live = Fill
    try:
        train_adapter(job)
    except DiskFull as error:
        messages.put(str(error))


def test_a_disk_that_fills_during_a_save_keeps_the_last_complete_one(make_job, tmp_path):  # noqa: F811
    recipe = make_recipe(dpo={"save_steps": 1, "max_steps": 4}, lora={"r": 16})
    job = make_job(tmp_path, recipe=recipe)
    context = multiprocessing.get_context("fork")
    messages = context.Queue()
    child = context.Process(target=limited, args=(job, messages))
    child.start()
    message = messages.get(timeout=60)
    child.join()
    assert "no room left for the trainer's files" in message and "The last complete save stays" in message
    save = last_save(tmp_path / "trainer")
    assert save is not None and save.endswith("checkpoint-2")
    outcome = train_adapter(job)
    assert outcome.facts["steps"] == 4
    assert [e["step"] for e in outcome.history if "loss" in e] == [1, 2, 3, 4]


def test_a_loss_that_becomes_no_number_stops_and_the_last_save_stays(make_job, tmp_path, monkeypatch):  # noqa: F811
    class Break(train.Live):
        def on_step_begin(self, args, state, control, model=None, **kwargs):
            if state.global_step == 2:
                next(p for n, p in model.named_parameters() if "lora_B" in n).data.fill_(float("nan"))

    recipe = make_recipe(dpo={"save_steps": 1, "max_steps": 4})
    job = make_job(tmp_path, recipe=recipe)
    with monkeypatch.context() as patch:
        patch.setattr(train, "Live", Break)
        with pytest.raises(ModelError, match=r"step 3: the loss is nan on rows row-\d, row-\d\. .*the last save stays"):
            train_adapter(job)
    save = last_save(tmp_path / "trainer")
    assert save is not None and save.endswith("checkpoint-2")
    assert train_adapter(job).facts["steps"] == 4


def test_a_gradient_that_is_no_number_stops_before_it_reaches_the_weights(make_job, tmp_path, monkeypatch):  # noqa: F811
    class Break(train.Live):
        def on_step_begin(self, args, state, control, model=None, **kwargs):
            if state.global_step == 2:
                weight = next(p for n, p in model.named_parameters() if "lora_B" in n)
                weight.register_hook(lambda gradient: gradient * float("inf"))

    monkeypatch.setattr(train, "Live", Break)
    job = make_job(tmp_path, recipe=make_recipe(dpo={"save_steps": 1, "max_steps": 4}))
    with pytest.raises(ModelError, match=r"step 3: the loss is finite and its gradient is not on rows row-\d, row"):
        train_adapter(job)
    save = last_save(tmp_path / "trainer")
    assert save is not None and save.endswith("checkpoint-2")


def test_weights_that_the_last_step_spoilt_are_no_adapter(make_job, tmp_path, monkeypatch):  # noqa: F811
    class Break(train.Live):
        def on_step_end(self, args, state, control, model=None, **kwargs):
            if state.global_step == 2:
                next(p for n, p in model.named_parameters() if "lora_A" in n).data.fill_(float("inf"))

    monkeypatch.setattr(train, "Live", Break)
    job = make_job(tmp_path, recipe=make_recipe(dpo={"max_steps": 2}))
    with pytest.raises(ModelError, match=r"the last step left .*lora_A.* no numbers, so there is no adapter"):
        train_adapter(job)
    assert not (tmp_path / "adapter").exists()
