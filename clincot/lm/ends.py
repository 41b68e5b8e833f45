"""What a model's folder says about the end of a text -> the token ids that end one, the same for writing and training.

Three places name an end and often differ (huggingface/open-r1#663, trl#7039): the generation config (else the model's
config), the tokenizer, and the chat template, which writes the token after an assistant's turn.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import AutoConfig, GenerationConfig


def end_ids(reader: Any, generation: Any, config: Any) -> tuple[int, ...]:
    """Return every token id that ends a text, the one first that a text without a marked end is trained to end with.

    `reader` is a processor or a tokenizer, `generation` a GenerationConfig (None: the folder has none), `config` the
    model's, which counts where `generation` names no end. Ids outside the vocabulary are left out.
    """
    tokenizer = getattr(reader, "tokenizer", reader)
    written = _listed(getattr(generation, "eos_token_id", None))
    stale = () if written else _of_config(config)
    ids = (*written, *_listed(tokenizer.eos_token_id), *_listed(_turn_end(reader, tokenizer)), *stale)
    return tuple(i for i in dict.fromkeys(ids) if 0 <= i < len(tokenizer))


def end_texts(base: Path, reader: Any) -> tuple[str, ...]:
    """Return the ends of the model in folder `base` as they read in a rendered conversation; loads no weights."""
    tokenizer = getattr(reader, "tokenizer", reader)
    stored = (base / "generation_config.json").is_file()
    generation = GenerationConfig.from_pretrained(base) if stored else None
    return tuple(_text(tokenizer, i) for i in end_ids(reader, generation, AutoConfig.from_pretrained(base)))


def special_ids(tokenizer: Any) -> frozenset[int]:
    """Return the ids of tokens that are no text."""
    marked = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    return frozenset(marked | set(tokenizer.all_special_ids))


def _listed(ids: Any) -> tuple[int, ...]:
    return tuple(ids) if isinstance(ids, (list, tuple)) else () if ids is None else (ids,)


def _of_config(config: Any) -> tuple[int, ...]:
    own = (getattr(part, "eos_token_id", None) for part in (config, config.get_text_config()))
    return next((ids for ids in map(_listed, own) if ids), ())


def _turn_end(reader: Any, tokenizer: Any) -> int | None:
    """Return the special token that the chat template writes after an assistant's text, None where it writes none."""
    if getattr(reader, "chat_template", None) is None:
        return None
    turns = [{"role": role, "content": _content(role, reader is not tokenizer)} for role in ("user", "assistant")]
    rest = reader.apply_chat_template(turns, tokenize=False).rpartition("assistant answer")[2].lstrip()
    behind = tokenizer(rest, add_special_tokens=False)["input_ids"] if rest else []
    return behind[0] if behind and behind[0] in special_ids(tokenizer) else None


def _content(role: str, blocks: bool) -> Any:
    text = f"{role} answer"
    return [{"type": "text", "text": text}] if blocks else text


def _text(tokenizer: Any, token: int) -> str:
    # An end that is a plain piece of the vocabulary (a line break) has another name there than it reads.
    named: str = tokenizer.convert_ids_to_tokens(token)
    return named if token in special_ids(tokenizer) else tokenizer.decode([token])
