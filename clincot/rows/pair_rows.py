"""A preference pair and the bytes of its views -> the columns of its row (`PAIR_FEATURES`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from clincot.records import View
from clincot.records.pairs import Pair, Side
from clincot.rows.schema import image_struct
from clincot.rows.stored_messages import stored_messages
from clincot.rows.stored_views import region_struct, view_structs

Encode = Callable[[str, View], bytes]  # an example's id and a view of its image


def pair_row(pair: Pair, round_: int, encode: Encode) -> dict[str, Any]:
    """Return the columns of one pair; image structs carry bytes and a name made of their content.

    `encode` draws a view of an example's image (`clincot.images.views.Gallery.encode`).
    """
    chosen, rejected = pair.chosen, pair.rejected

    def structs(views: Sequence[View]) -> list[dict[str, Any]]:
        return [image_struct(encode(pair.example_id, view)) for view in views]

    return {
        "id": pair.id,
        "example_id": pair.example_id,
        "round": round_,
        "step": pair.step,
        "method": pair.method,
        "prompt": stored_messages(pair.prompt),
        "images": structs(pair.views),
        "side_images": structs((*chosen.views, *rejected.views)),
        "chosen": chosen.text,
        "rejected": rejected.text,
        "chosen_score": chosen.score,
        "rejected_score": rejected.score,
        "weight": pair.weight,
        "ref_chosen_logp": chosen.logp,
        "ref_rejected_logp": rejected.logp,
        "ref_chosen_tokens": None if chosen.logp is None else chosen.tokens,
        "ref_rejected_tokens": None if rejected.logp is None else rejected.tokens,
        "chosen_region": region_struct(chosen.region),
        "rejected_region": region_struct(rejected.region),
        "group": pair.group,
        "chosen_candidate": chosen.candidate,
        "rejected_candidate": rejected.candidate,
        "chosen_finish": chosen.finish,
        "rejected_finish": rejected.finish,
        "chosen_images_count": len(chosen.views),
        "rejected_images_count": len(rejected.views),
        "chosen_token_weights": _weights(chosen),
        "rejected_token_weights": _weights(rejected),
        "views": view_structs(pair.views),
        "side_views": view_structs((*chosen.views, *rejected.views)),
    }


def _weights(side: Side) -> list[float] | None:
    return None if side.token_weights is None else list(side.token_weights)
