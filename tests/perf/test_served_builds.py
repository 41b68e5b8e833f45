"""What `perf/serving.py` compares runs by: whole texts, and prompts in the tokens that the engine counts."""

from __future__ import annotations

from clincot.engines.transformers import TransformersEngine
from perf.block_cache import tokens_read
from perf.served_builds import MODELS, Questions, Recorder


def test_prompts_have_the_tokens_that_the_engine_counts_and_a_build_repeats() -> None:
    questions = Questions.draw(images=2, questions=1, shard_images=1)
    recorder = Recorder(TransformersEngine.from_pretrained(MODELS / "policy", batch_size=64, threads=1))
    first, again = questions.build(recorder), questions.build(recorder)
    prompts = recorder.prompts()
    assert sum(map(len, prompts)) == first.prompts + again.prompts
    assert first.texts == again.texts and len({texts for texts in first.texts.values()}) > 1
    read = [tokens_read(prompts[: len(prompts) // 2], block) for block in (1, 16, 32)]
    assert sorted(read) == read and read[-1] < first.prompts
