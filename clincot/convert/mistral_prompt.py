"""A Mistral tokenizer's file -> one with `<image>` and `<pad>` that writes LLaVA-Med's ids, also after it is saved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from clincot.errors import ModelError
from clincot.lm.loading import first_line
from clincot.lm.tokenizer_files import refuse_without_library

IMAGE, PAD = "<image>", "<pad>"
ADDED = (IMAGE, PAD)  # in the order of their ids


def original_tokenizer(folder: Path) -> Tokenizer:
    """Return the fast tokenizer of `folder`: tokenizer.json as it is, else one made of tokenizer.model."""
    if (folder / "tokenizer.json").is_file():
        try:
            return Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # tokenizers raises plain Exception
            raise ModelError(
                f"{folder}: tokenizer.json cannot be read ({first_line(error)}). Download it again."
            ) from error
    if not (folder / "tokenizer.model").is_file():
        raise ModelError(f"{folder}: has neither tokenizer.json nor tokenizer.model. Download one into the folder.")
    refuse_without_library(folder, "model")
    from sentencepiece import SentencePieceProcessor
    from transformers import LlamaTokenizer

    try:
        pieces = SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
        made: Any = LlamaTokenizer.from_pretrained(folder, legacy=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"{folder}: tokenizer.model cannot be read ({first_line(error)}). Download it again."
        ) from error
    return _by_score(made.backend_tokenizer, pieces)


def with_images(original: Tokenizer) -> PreTrainedTokenizerFast:
    """Return `original` with `<image>` and `<pad>` as tokens; each stretch between images begins like a separate text.

    LLaVA-Med tokenises the stretches one by one, so each begins with a space piece (`always`): the class
    PreTrainedTokenizerFast keeps that in tokenizer.json, LlamaTokenizer forgets it whenever it is saved.
    """
    tokenizer = Tokenizer.from_str(original.to_str())
    if _marks_spaces(tokenizer):
        tokenizer.normalizer = None
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in ADDED])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        pad_token=PAD,
        extra_special_tokens={"image_token": IMAGE},
        clean_up_tokenization_spaces=False,
        padding_side="left",
    )


def chunked(original: Tokenizer, prompt: str, image: int) -> list[int]:
    """Return the ids of `prompt` as LLaVA-Med writes them: `<s>`, then each stretch between images on its own."""
    ids: list[int] = original.encode("<s>", add_special_tokens=False).ids
    for number, chunk in enumerate(prompt.split(IMAGE)):
        ids += [image] * (number > 0) + original.encode(chunk, add_special_tokens=False).ids
    return ids


def _by_score(tokenizer: Tokenizer, pieces: Any) -> Tokenizer:
    """Order the merges by the scores of their pieces, as SentencePiece joins them.

    transformers orders them by id: runs of spaces (`▁▁` is piece 259 of Mistral) are joined first, not last.
    """
    content = json.loads(tokenizer.to_str())
    merges = content["model"]["merges"]
    merges.sort(key=lambda merge: -pieces.get_score(pieces.piece_to_id("".join(merge))))
    return Tokenizer.from_str(json.dumps(content))


def _marks_spaces(tokenizer: Tokenizer) -> bool:
    """Return whether a tokenizer writes spaces as SentencePiece does, in either of the two forms of tokenizer.json."""
    return "▁" in f"{tokenizer.normalizer}{tokenizer.pre_tokenizer}"
