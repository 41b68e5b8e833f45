"""Radiographs of 224 x 224 -> presence logits and 14 x 14 cross-attention maps of 75 entities: MedKLIP's architecture.

Wu et al., "MedKLIP", ICCV 2023; facts in docs/proposers.md#medklip. The modules are transformers' ResNet and torch's
own attention; `_medklip_names` says what each weight is called in the authors' files.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedConfig, PreTrainedModel, ResNetConfig, ResNetModel

# The order is the checkpoint's: a query is a row of the table of descriptions (docs/proposers.md#medklip).
NAMES = """
    normal clear sharp sharply unremarkable intact stable free effusion opacity pneumothorax edema atelectasis tube
    consolidation process abnormality enlarge tip low pneumonia line congestion catheter cardiomegaly fracture air
    tortuous lead disease calcification prominence device engorgement picc clip elevation expand nodule wire fluid
    degenerative pacemaker thicken marking scar hyperinflate blunt loss widen collapse density emphysema aerate mass
    crowd infiltrate obscure deformity hernia drainage distention shift stent pressure lesion finding borderline
    hardware dilation chf redistribution aspiration tail_abnorm_obs excluded_obs
"""
ENTITIES = tuple(NAMES.split())


class MedKlipConfig(PreTrainedConfig):
    """Sizes (the defaults are the authors'), and where the weights and the descriptions come from."""

    model_type = "clincot-medklip"

    entities: list[str] | tuple[str, ...] = ENTITIES
    image_size: int = 224
    image_mean: list[float] | tuple[float, ...] = (0.485, 0.456, 0.406)
    image_std: list[float] | tuple[float, ...] = (0.229, 0.224, 0.225)
    stem_width: int = 64
    stage_widths: list[int] | tuple[int, ...] = (256, 512, 1024)
    stage_depths: list[int] | tuple[int, ...] = (3, 4, 6)
    text_width: int = 768
    width: int = 256
    decoder_layers: int = 4
    heads: int = 4
    ffn_width: int = 1024
    dropout: float = 0.1
    converted_sha256: str = ""
    text_encoder: str = ""


@dataclass
class MedKlipOutput:
    """`logits` (images, entities, 2): absent, present; `maps` (images, entities, 14, 14): attention, each sums to 1."""

    logits: Tensor
    maps: Tensor


class DecoderLayer(nn.Module):
    """Pre-norm DETR layer: queries attend to each other, then to the image tokens, whose weights it returns."""

    def __init__(self, config: MedKlipConfig) -> None:
        super().__init__()
        width, heads, dropout = config.width, config.heads, config.dropout
        self.self_norm, self.cross_norm, self.ffn_norm = (nn.LayerNorm(width) for _ in range(3))
        self.self_attention = nn.MultiheadAttention(width, heads, dropout, batch_first=True)
        self.cross_attention = nn.MultiheadAttention(width, heads, dropout, batch_first=True)
        self.ffn_in, self.ffn_out = nn.Linear(width, config.ffn_width), nn.Linear(config.ffn_width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, queries: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, q, width), (batch, t, width) -> (batch, q, width), weights averaged over heads (batch, q, t)."""
        normed = self.self_norm(queries)
        queries = queries + self.dropout(self.self_attention(normed, normed, normed, need_weights=False)[0])
        found, weights = self.cross_attention(self.cross_norm(queries), tokens, tokens)
        queries = queries + self.dropout(found)
        hidden = self.dropout(functional.relu(self.ffn_in(self.ffn_norm(queries))))
        return queries + self.dropout(self.ffn_out(hidden)), weights


class MedKlipModel(PreTrainedModel):
    """RGB images (batch, 3, size, size), normalised -> `MedKlipOutput` on a grid of size / 16."""

    config_class = MedKlipConfig
    base_model_prefix = "medklip"
    main_input_name = "pixel_values"

    def __init__(self, config: MedKlipConfig) -> None:
        super().__init__(config)
        channels, width = config.stage_widths[-1], config.width
        # ResNet-50 without its last stage, hence 14 x 14 tokens.
        self.trunk = ResNetModel(
            ResNetConfig(
                embedding_size=config.stem_width,
                hidden_sizes=list(config.stage_widths),
                depths=list(config.stage_depths),
                layer_type="bottleneck",
            )
        )
        self.visual_in, self.visual_out = nn.Linear(channels, channels), nn.Linear(channels, width)
        self.query_in = nn.Linear(config.text_width, width)
        self.decoder = nn.ModuleList(DecoderLayer(config) for _ in range(config.decoder_layers))
        self.final_norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 2)
        # What the frozen text encoder says of each entity's description; a buffer, since nothing here trains it.
        self.register_buffer("descriptions", torch.zeros(len(config.entities), config.text_width))
        self.post_init()

    def forward(self, pixel_values: Tensor) -> MedKlipOutput:
        features = self.trunk(pixel_values).last_hidden_state.flatten(2).transpose(1, 2)
        tokens = self.visual_out(functional.relu(self.visual_in(features)))
        queries = self.query_in(self.descriptions).expand(len(tokens), -1, -1)
        weights = []
        for layer in self.decoder:
            queries, attention = layer(queries, tokens)
            weights.append(attention)
        grid = self.config.image_size // 16
        maps = torch.stack(weights).mean(0).unflatten(-1, (grid, grid))
        return MedKlipOutput(self.head(self.final_norm(queries)), maps)
