"""A processor of LLaVA -> findings about its prompts: image tokens, the start of a text, its end, and saving."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jinja2 import TemplateError
from transformers import AutoTokenizer, LlavaConfig

from clincot.convert.finding import Finding, fails, ok, warns
from clincot.lm.ends import end_texts
from clincot.lm.families import known_template
from clincot.lm.prompt_faults import after_answer, lacking_numbers, lacks_bos
from clincot.lm.templates import TYPOS

QUESTION = "Is there a pleural effusion?"
TURN = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": QUESTION}]}]
ELSEWHERE = "a server of this folder does not"  # what clincot repairs when it reads a model


def image_token(config: LlavaConfig, processor: Any, rows: int) -> Finding:
    """Compare the id of the image token in configuration, tokenizer and the table of embeddings (`rows`)."""
    found = processor.tokenizer.convert_tokens_to_ids(processor.image_token)
    if found != config.image_token_id:
        says = f"is {found} in the tokenizer, {config.image_token_id} in the configuration. Make them equal."
        return fails("image token", says)
    if not 0 <= found < rows:
        return fails("image token", f"{found} has no row: the embeddings have {rows}. Add rows.")
    return ok("image token", f"{processor.image_token} = {found} of {rows} rows")


def image_length(config: LlavaConfig, processor: Any, folder: Path) -> Finding:
    """Compare how many tokens the processor writes for an image with how many features the tower makes."""
    if lacking := lacking_numbers(processor, folder):
        numbers = ", ".join(f"{name} {'' if value is None else value}".strip() for name, value in lacking.items())
        if None in lacking.values():
            return fails("image length", f"the processor lacks {numbers}. Add what its tower needs.")
        return warns(
            "image length", f"the processor lacks {numbers}: clincot takes them from config.json, {ELSEWHERE}."
        )
    side = config.vision_config.image_size // config.vision_config.patch_size
    features = side**2 + (config.vision_feature_select_strategy == "full")
    if processor.vision_feature_select_strategy != config.vision_feature_select_strategy:
        return fails(
            "image length",
            f"vision_feature_select_strategy is {processor.vision_feature_select_strategy} in the processor,"
            f" {config.vision_feature_select_strategy} in the configuration. Make them equal.",
        )
    written = (config.vision_config.image_size // processor.patch_size) ** 2 + processor.num_additional_image_tokens
    written -= processor.vision_feature_select_strategy == "default"
    if written != features:
        says = f"{written} tokens for {features} features. Set num_additional_image_tokens and patch_size."
        return fails("image length", says)
    return ok("image length", f"{features} tokens")


def template(processor: Any, folder: Path) -> Finding:
    """Check that the chat template takes an image, starts the text as the tokenizer does, and does so once."""
    if processor.chat_template is None:
        known = known_template(processor, folder)
        if known is None:
            return fails("template", "is missing. Add chat_template.jinja, as its publisher asks the model.")
        return warns("template", f"is missing. clincot takes that of {known[0]}, {ELSEWHERE}.")
    try:
        text = processor.apply_chat_template(TURN, add_generation_prompt=True, tokenize=False)
    except (TemplateError, TypeError, KeyError, ValueError) as error:
        return fails("template", f"takes no image block ({error}). Replace chat_template.jinja.")
    if text.count(processor.image_token) != 1 or QUESTION not in text:
        return fails("template", f"writes {text!r} for an image and a question. Replace chat_template.jinja.")
    if lacks_bos(processor):
        says = "writes no start token. clincot adds it, as the model's own processor does;"
        return warns("template", f"{says} {ELSEWHERE}. Begin it with {{{{ bos_token }}}}.")
    bos = processor.tokenizer.bos_token_id
    starts = processor.tokenizer(text, add_special_tokens=False)["input_ids"].count(bos) if bos is not None else 0
    if starts > 1:
        return fails("template", f"writes {starts} start tokens. Keep one {{{{ bos_token }}}}.")
    return ok("template", repr(text))


def answer_end(processor: Any, folder: Path) -> Finding:
    """Check that the template writes nothing between an answer and the token that ends it."""
    ends = end_texts(folder, processor)
    try:
        between, end = after_answer(processor, ends)
    except (TemplateError, TypeError, KeyError, ValueError) as error:
        return fails("answer", f"the template takes no answer ({error}). Replace chat_template.jinja.")
    if between in TYPOS:
        return warns("answer", f"is followed by {between!r}, a misspelled end. clincot leaves it out, {ELSEWHERE}.")
    if between:
        return fails("answer", f"is followed by {between!r}. Let {processor.tokenizer.eos_token} follow it directly.")
    if not end:
        return warns("answer", f"the template ends it with nothing; {processor.tokenizer.eos_token} is added.")
    return ok("answer", f"ends with {end}")


def saving(processor: Any) -> Finding:
    """Save the tokenizer, load it again and compare the ids of a prompt."""
    text = f"[INST] {processor.image_token}\n{QUESTION} [/INST] Yes."
    with TemporaryDirectory() as folder:
        processor.tokenizer.save_pretrained(folder)
        again = AutoTokenizer.from_pretrained(folder)
    if again(text)["input_ids"] != processor.tokenizer(text)["input_ids"]:
        says = 'the tokenizer writes other ids after it is saved. Set tokenizer_class "TokenizersBackend".'
        return fails("saving", says)
    return ok("saving", "the tokenizer writes the same ids after it is saved")
