"""What the stages hand to each other: examples, views, candidates and pairs, as frozen dataclasses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from clincot.records.stored_images import ImageFile, StoredImage

AnswerType = Literal["open", "closed", "report"]
TextSource = Literal["policy", "gold", "editor"]
Message = dict[str, Any]


class Box(NamedTuple):
    """Pixels of an image, half-open as PIL crops: `left <= x < right`, `upper <= y < lower`."""

    left: int
    upper: int
    right: int
    lower: int


@dataclass(frozen=True)
class TrueRegion:
    """A region whose content a benchmark knows, in pixels of the image as it is stored.

    `mask` is a grey PNG of the stored image's size, above 127 inside, or None.
    `clincot.images.true_regions.shown_regions` gives the region on the image that is shown.
    """

    finding: str
    box: Box
    mask: bytes | None = field(default=None, repr=False)


Encoded = bytes | StoredImage | ImageFile  # the encoded bytes of an image as published, or where they lie


@dataclass(frozen=True)
class FurtherImage:
    """An image of an example in addition to its primary one; `id` names it within its benchmark."""

    id: str
    image: Encoded = field(repr=False)


@dataclass(frozen=True)
class Example:
    """One question about an image, or about several, with its gold answer.

    `image` is the primary image: its encoded bytes, or where they lie, since a benchmark may have more images than
    memory has room for; `encoded()` returns them. `more` are the other images, in their order. Regions are looked for
    in the primary image alone, and `true_regions` lie on it. Examples of one image share the object. `image_id` names
    the primary image within its benchmark and is the unit of every split, partition and bootstrap. `kind` is the
    benchmark's own name for the kind of question (subgroup rows). `reference` is the text a judge may see: the answer,
    or more. `image_name` is the benchmark's own file name or id of the image, where `image_id` is not: what people are
    shown (`image_label`). `own_id` is the benchmark's own number of the question, where it has one.
    """

    id: str
    image_id: str
    image: Encoded = field(repr=False)
    question: str
    answer: str
    answer_type: AnswerType
    kind: str
    modality: str
    reference: str
    true_regions: tuple[TrueRegion, ...] = ()
    image_name: str = ""
    own_id: str = ""
    more: tuple[FurtherImage, ...] = ()

    @property
    def image_label(self) -> str:
        """Return what the image is called in messages."""
        return self.image_name or self.image_id

    @property
    def image_ids(self) -> tuple[str, ...]:
        """Return the ids of all images, the primary one first: what `View.image` counts."""
        return (self.image_id, *(one.id for one in self.more))

    @property
    def images_id(self) -> str:
        """Return what names all images together: `image_id` where there is one."""
        return "+".join(self.image_ids)

    def label_of(self, number: int) -> str:
        """Return what an image is called in messages; 0 is the primary one."""
        return f"{self.image_label}, image {number + 1}" if number else self.image_label

    def encoded(self, number: int = 0) -> bytes:
        """Return the encoded bytes of an image, read from disk when they lie there; 0 is the primary image."""
        image = self.more[number - 1].image if number else self.image
        return image if isinstance(image, bytes) else image.read()


def most_images(examples: Iterable[Example]) -> int:
    """Return how many images an example has at most; 1 without examples."""
    return max((len(example.image_ids) for example in examples), default=1)


def distinct_images(examples: Iterable[Example]) -> dict[str, tuple[Example, int]]:
    """Return image id -> the last example that shows it, and its number there."""
    return {image_id: (example, number) for example in examples for number, image_id in enumerate(example.image_ids)}


def read_images(examples: Sequence[Example]) -> tuple[Example, ...]:
    """Return the examples with their images in memory, each read once and shared: for one shard, and no longer."""
    read: dict[Encoded, bytes] = {}

    def once(image: Encoded) -> bytes:
        if image not in read:
            read[image] = image if isinstance(image, bytes) else image.read()
        return read[image]

    return tuple(
        replace(e, image=once(e.image), more=tuple(replace(one, image=once(one.image)) for one in e.more))
        for e in examples
    )


@dataclass(frozen=True)
class Region:
    """The part of an image that a proposer found for a hypothesis (Eq. 1).

    `mask` is a one-bit PNG of the box's size, set where its crop shows the image: outside, the crop is white. None: the
    crop is the whole box.
    """

    hypothesis: str
    box: Box
    confidence: float
    mask: bytes | None = field(default=None, repr=False)


ViewKind = Literal["image", "crop", "diffusion_noise", "lesion_noise", "lesion_replaced", "black", "low_pass"]
OF_REGION = ("crop", "lesion_noise", "lesion_replaced")


@dataclass(frozen=True)
class View:
    """What a model sees of an image, as a value: `clincot.images.views.render` draws it, always with the same pixels.

    `image` is the number of the image among those of its example: 0 is the primary one.
    Kinds: `image`: all of it. `crop`: its `region`. `diffusion_noise`: the image at step `strength` * 1000 of a
    diffusion. `lesion_noise`: the image with noise of that strength inside `region`. `lesion_replaced`: its pixels
    there are noise alone. `low_pass`: `strength` is the share of the image's sides that is kept. `black`: nothing.
    `seed` decides noise.
    """

    kind: ViewKind
    region: Region | None = None
    strength: float = 0.0
    seed: int = 0
    image: int = 0

    def __post_init__(self) -> None:
        if self.kind in OF_REGION and self.region is None:
            raise ValueError(f"View: {self.kind} needs a region. Give the region that it shows.")


WHOLE = View("image")  # of the primary image


def whole(example: Example) -> tuple[View, ...]:
    """Return the views of all images of an example, whole: what a method without regions shows; `(WHOLE,)` for one."""
    return tuple(View("image", image=number) for number in range(len(example.image_ids)))


@dataclass(frozen=True)
class Hypothesis:
    """A finding that was looked for in an image: `region` is where it shows, None where no component was found.

    `crop_id` is the content id of the region's crop. A finding with several regions has an entry for each.
    """

    image_id: str
    name: str
    confidence: float
    region: Region | None
    crop_id: str = ""


@dataclass(frozen=True)
class JudgeScore:
    """What one judge gave a candidate: `own` for its text, `next` for its look-ahead texts (mean), `total` by Eq. 3.

    Scores lie in [0, 1]; None is a recorded failure (unparsable reply), never a zero. `mass` is the probability that
    the judge put on digits at all.
    """

    judge: str
    own: float | None
    next: float | None
    total: float | None
    mass: float


@dataclass(frozen=True)
class Candidate:
    """One text offered at a step of an example (Eq. 2), with everything known about it.

    `source` is who wrote it: the round's policy, the benchmark (a gold answer) or an editor. `views` are what the
    policy saw when it wrote, in the order of its prompt; `findings` are the texts of the chain so far. `logp` is the
    sum of the raw token log-probabilities of `text` and its end token under the policy that wrote it (nats), `tokens`
    their number. `finish` is why the text ends: `stop` (by itself), `length` (cut at the limit), None where a row of an
    older version does not say. `score` is the consensus (Eq. 4). `token_scores` are those of each token of `text`, end
    token included, where a method scores tokens.
    """

    id: str
    example_id: str
    step: int
    text: str
    region: Region | None
    findings: tuple[str, ...]
    logp: float | None
    tokens: int | None
    lookahead: tuple[str, ...] = ()
    judge_scores: tuple[JudgeScore, ...] = ()
    score: float | None = None
    finish: str | None = None
    views: tuple[View, ...] = ()
    source: TextSource = "policy"
    token_scores: tuple[float, ...] | None = None

    @property
    def cut(self) -> bool:
        """Return whether the text is known to be cut: what follows is missing, so it does not end where it stops."""
        return is_cut(self.finish)


def is_cut(finish: str | None) -> bool:
    """Return whether a text that ends by `finish` is cut; a row that does not say is taken as whole."""
    return finish is not None and finish != "stop"
