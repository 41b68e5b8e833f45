"""Version 1's language model and version 2's tokenizer -> the policy that training begins from."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import LlavaForConditionalGeneration, LlavaProcessor, PreTrainedTokenizerFast

from clincot.phantom.policy.network import FOLDER, load_policy, new_policy

ANEW = ("model.vision_tower.", "model.multi_modal_projector.")
TABLES = ("model.language_model.embed_tokens.weight", "lm_head.weight")


def started_policy(
    tokenizer: PreTrainedTokenizerFast, folder: Path = FOLDER
) -> tuple[LlavaForConditionalGeneration, LlavaProcessor]:
    """Build a policy with the language model of the one in `folder`; entries that it lacks begin at random.

    It knows how to read a chain. Tower and projector begin anew: version 1's patches are smooth and do not see the
    lines of a distractor (AUC .50 after 300 steps).
    """
    known, its_processor = load_policy(folder)
    model, processor = new_policy(tokenizer)
    weights, own = known.state_dict(), model.state_dict()
    theirs, ours = its_processor.tokenizer.get_vocab(), tokenizer.get_vocab()
    shared = sorted(ours.keys() & theirs.keys())
    to, source = torch.tensor([ours[t] for t in shared]), torch.tensor([theirs[t] for t in shared])
    for name in own:
        if name.startswith(ANEW):
            weights[name] = own[name]
    for name in TABLES:
        table = own[name].clone()
        table[to] = weights[name][source]
        weights[name] = table
    model.load_state_dict(weights)
    return model, processor
