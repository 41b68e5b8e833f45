"""A weight of `MedKlipModel` -> its name in the authors' checkpoint (torchvision's ResNet, DETR's decoder)."""

from __future__ import annotations

import re

# The projection into the space of locations serves a training loss alone; no map or probability depends on it.
TRAINING_ONLY = frozenset({"cl_fc.weight", "cl_fc.bias"})
TABLE = "descriptions"  # made from the descriptions, never in the authors' file
BLOCK = re.compile(r"trunk\.encoder\.stages\.(\d+)\.layers\.(\d+)\.(.+)")
RULES = (
    (r"^trunk\.embedder\.embedder\.convolution\.", "res_features.0."),
    (r"^trunk\.embedder\.embedder\.normalization\.", "res_features.1."),
    (r"^visual_in\.", "res_l1."),
    (r"^visual_out\.", "res_l2."),
    (r"^query_in\.", "disease_embedding_layer."),
    (r"^decoder\.(\d+)\.self_attention\.", r"decoder.layers.\1.self_attn."),
    (r"^decoder\.(\d+)\.cross_attention\.", r"decoder.layers.\1.multihead_attn."),
    (r"^decoder\.(\d+)\.ffn_in\.", r"decoder.layers.\1.linear1."),
    (r"^decoder\.(\d+)\.ffn_out\.", r"decoder.layers.\1.linear2."),
    (r"^decoder\.(\d+)\.self_norm\.", r"decoder.layers.\1.norm1."),
    (r"^decoder\.(\d+)\.cross_norm\.", r"decoder.layers.\1.norm2."),
    (r"^decoder\.(\d+)\.ffn_norm\.", r"decoder.layers.\1.norm3."),
    (r"^final_norm\.", "decoder.norm."),
    (r"^head\.", "classifier."),
)


def authors_name(ours: str) -> str:
    """Return what the authors' checkpoint calls the weight `ours`; raises KeyError for a weight it has no name for."""
    if block := BLOCK.fullmatch(ours):
        stage, layer, rest = block.groups()
        # torchvision's children: 0 convolution, 1 norm, 2 relu, 3 pooling, 4 to 6 the stages.
        return f"res_features.{4 + int(stage)}.{layer}.{_in_block(rest)}"
    for pattern, replacement in RULES:
        theirs, hits = re.subn(pattern, replacement, ours)
        if hits:
            return theirs
    raise KeyError(ours)


def _in_block(rest: str) -> str:
    if rest.startswith("shortcut."):
        return rest.replace("shortcut.convolution", "downsample.0").replace("shortcut.normalization", "downsample.1")
    _, number, kind, value = rest.split(".")
    return f"{'conv' if kind == 'convolution' else 'bn'}{int(number) + 1}.{value}"
