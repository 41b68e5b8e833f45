"""The names in a model's folder -> the chat template of the family that it belongs to, for repositories without one."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clincot.records.lineage import shown

BLOCKS = """\
{%- macro blocks(content) -%}
{%- if content is string -%}{{- content -}}
{%- else -%}{%- for block in content -%}
{%- if block['type'] == 'image' -%}{{- '<image>\\n' -}}{%- else -%}{{- block['text'] -}}{%- endif -%}
{%- endfor -%}{%- endif -%}
{%- endmacro -%}
{{- bos_token -}}
"""
# `mistral_instruct` of LLaVA-Med: the system text opens the first turn; a line break follows each image. An answer ends
# with </s> alone: the space that LLaVA-Med writes before it would become a token that no engine generates.
MISTRAL_INSTRUCT = (
    BLOCKS
    + """\
{%- set turn = namespace(system='') -%}
{%- for message in messages -%}
{%- if message['role'] == 'system' -%}
{%- set turn.system = '<<SYS>>\\n' + blocks(message['content']) + '\\n<</SYS>>\\n\\n' -%}
{%- elif message['role'] == 'user' -%}
{{- '[INST] ' + turn.system + blocks(message['content']) + ' [/INST]' -}}{%- set turn.system = '' -%}
{%- else -%}
{{- ' ' + blocks(message['content']) + eos_token -}}
{%- endif -%}
{%- endfor -%}
"""
)
# `vicuna_v1` of LLaVA 1.5, without its system text, as llava-hf publishes it.
VICUNA = (
    BLOCKS
    + """\
{%- for message in messages -%}
{%- if message['role'] == 'system' -%}{{- blocks(message['content']) + ' ' -}}
{%- elif message['role'] == 'user' -%}{{- 'USER: ' + blocks(message['content']) + ' ' -}}
{%- else -%}{{- 'ASSISTANT: ' + blocks(message['content']) + eos_token -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- 'ASSISTANT:' -}}{%- endif -%}
"""
)


@dataclass(frozen=True)
class Family:
    """Models that are asked by one template; `names` is a pattern of what their repositories or bases are called."""

    name: str
    names: str
    template: str


# The first that fits counts: bakLlava is a Mistral that is asked as Vicuna is.
FAMILIES = (
    Family("bakllava", r"bakllava", VICUNA),
    Family("llava-med", r"llava-?med", MISTRAL_INSTRUCT),
    Family("llava-1.6-mistral", r"llava-(v)?1\.6-mistral|mistral-7b-instruct", MISTRAL_INSTRUCT),
    Family("llava-1.5", r"llava-(v)?1\.5|vicuna", VICUNA),
)
KINDS = ("llava", "llava_next")
TOKENIZER = "the tokenizer"


def known_template(processor: Any, base: Path) -> tuple[str, str] | None:
    """Return a chat template for a processor without one, and whose it is: its tokenizer's, else its family's."""
    own = getattr(processor.tokenizer, "chat_template", None)
    # BLIP-2's is an AddedToken.
    if isinstance(own, str) and str(getattr(processor, "image_token", "<image>")) in own:
        return TOKENIZER, own
    family = family_of(base)
    return (family.name, family.template) if family else None


def family_of(base: Path) -> Family | None:
    """Return the family of a LLaVA, by its repository's name and the names of models in its config."""
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    if config.get("model_type") not in KINDS:
        return None
    text = config.get("text_config") or {}
    names = (shown(base).rpartition("@")[0] or base.name, config.get("_name_or_path"), text.get("_name_or_path"))
    for name in filter(None, names):
        for family in FAMILIES:
            if re.search(family.names, str(name), re.IGNORECASE):
                return family
    return None
