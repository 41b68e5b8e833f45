"""A processor of LLaVA -> findings about its prompts: image tokens, the start of a text, its end, and saving."""

from __future__ import annotations

from tempfile import TemporaryDirectory
from typing import Any

from jinja2 import TemplateError
from transformers import AutoTokenizer, LlavaConfig

from clincot.convert.finding import Finding

QUESTION = "Is there a pleural effusion?"
TURN = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": QUESTION}]}]
ANSWER = {"role": "assistant", "content": [{"type": "text", "text": "Yes."}]}


def image_token(config: LlavaConfig, processor: Any, rows: int) -> Finding:
    """Compare the id of the image token in configuration, tokenizer and the table of embeddings (`rows`)."""
    found = processor.tokenizer.convert_tokens_to_ids(processor.image_token)
    if found != config.image_token_id:
        return Finding(
            "image token",
            "fails",
            f"is {found} in the tokenizer, {config.image_token_id} in the configuration. Make them equal.",
        )
    if not 0 <= found < rows:
        return Finding("image token", "fails", f"{found} has no row: the embeddings have {rows}. Add rows.")
    return Finding("image token", "ok", f"{processor.image_token} = {found} of {rows} rows")


def image_length(config: LlavaConfig, processor: Any) -> Finding:
    """Compare how many tokens the processor writes for an image with how many features the tower makes."""
    side = config.vision_config.image_size // config.vision_config.patch_size
    features = side**2 + (config.vision_feature_select_strategy == "full")
    if not processor.patch_size:
        return Finding(
            "image length", "fails", f"patch_size is missing. Set {config.vision_config.patch_size} in the processor."
        )
    if processor.vision_feature_select_strategy != config.vision_feature_select_strategy:
        return Finding(
            "image length",
            "fails",
            f"vision_feature_select_strategy is {processor.vision_feature_select_strategy} in the processor,"
            f" {config.vision_feature_select_strategy} in the configuration. Make them equal.",
        )
    written = (config.vision_config.image_size // processor.patch_size) ** 2 + processor.num_additional_image_tokens
    written -= processor.vision_feature_select_strategy == "default"
    if written != features:
        return Finding(
            "image length",
            "fails",
            f"{written} tokens for {features} features. Set num_additional_image_tokens and patch_size.",
        )
    return Finding("image length", "ok", f"{features} tokens")


def template(processor: Any) -> Finding:
    """Check that the chat template takes an image, starts the text as the tokenizer does, and does so once."""
    if processor.chat_template is None:
        return Finding("template", "fails", "there is none. Add chat_template.jinja.")
    try:
        text = processor.apply_chat_template(TURN, add_generation_prompt=True, tokenize=False)
    except (TemplateError, TypeError, KeyError, ValueError) as error:
        return Finding("template", "fails", f"takes no image block ({error}). Replace chat_template.jinja.")
    if text.count(processor.image_token) != 1 or QUESTION not in text:
        return Finding(
            "template", "fails", f"writes {text!r} for an image and a question. Replace chat_template.jinja."
        )
    tokenizer = processor.tokenizer
    bos = tokenizer.bos_token_id
    own = tokenizer(QUESTION)["input_ids"][0] == bos
    starts = sum(token == bos for token in tokenizer(text, add_special_tokens=False)["input_ids"]) if bos else 0
    if own and starts == 0:
        return Finding("template", "fails", "writes no start token. Begin it with {{ bos_token }}.")
    if starts > 1:
        return Finding("template", "fails", f"writes {starts} start tokens. Keep one {{{{ bos_token }}}}.")
    return Finding("template", "ok", repr(text))


def answer_end(processor: Any) -> Finding:
    """Check that the template writes nothing between an answer and the token that ends it."""
    try:
        rest = processor.apply_chat_template([*TURN, ANSWER], tokenize=False).rpartition("Yes.")[2]
    except (TemplateError, TypeError, KeyError, ValueError) as error:
        return Finding("answer", "fails", f"the template takes no answer ({error}). Replace chat_template.jinja.")
    tokenizer = processor.tokenizer
    ends = set(tokenizer.all_special_tokens) | {token.content for token in tokenizer.added_tokens_decoder.values()}
    if not rest.strip():
        return Finding("answer", "warns", f"the template ends it with nothing; {tokenizer.eos_token} is added.")
    if not any(rest.startswith(end) for end in ends):
        return Finding("answer", "fails", f"is followed by {rest!r}. Let {tokenizer.eos_token} follow it directly.")
    return Finding("answer", "ok", f"ends with {rest.strip()}")


def saving(processor: Any) -> Finding:
    """Save the tokenizer, load it again and compare the ids of a prompt."""
    text = f"[INST] {processor.image_token}\n{QUESTION} [/INST] Yes."
    with TemporaryDirectory() as folder:
        processor.tokenizer.save_pretrained(folder)
        again = AutoTokenizer.from_pretrained(folder)
    if again(text)["input_ids"] != processor.tokenizer(text)["input_ids"]:
        return Finding(
            "saving",
            "fails",
            'the tokenizer writes other ids after it is saved. Set tokenizer_class "TokenizersBackend".',
        )
    return Finding("saving", "ok", "the tokenizer writes the same ids after it is saved")
