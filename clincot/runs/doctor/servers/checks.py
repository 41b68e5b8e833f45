"""A server and what is asked of it -> one check: how it went, and what to do where it did not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from clincot import engines
from clincot.engines.base import NoLogProbs
from clincot.engines.lora import started_for
from clincot.engines.openai import OpenAIEngine
from clincot.engines.server_look import Prompt, ServerLook, Written, differing
from clincot.errors import ClincotError, did_you_mean
from clincot.judges.scoring import mode_of
from clincot.lm.requests import ChoiceRequest, GenerateRequest
from clincot.recipe import Recipe
from clincot.runs.doctor.models import folder_here
from clincot.runs.doctor.reach import Reach
from clincot.runs.doctor.servers.files import Reads
from clincot.runs.doctor.servers.questions import Pairs
from clincot.runs.doctor.servers.report import Check

RANK = 16  # of adapters, where a recipe names none
TOKENS = 16  # of a text
# Nats a token. Float32 on both sides gives 1e-6, another resize of the images 4e-4 to 1e-2, bfloat16 up to 3e-2.
CLOSE, CLOSE_16 = 1e-4, 5e-2
PIXELS = 'Other pixels or another dtype. vLLM: --mm-processor-kwargs \'{"backend": "pil"}\'.'


def reachable(look: ServerLook, setting: str, key_env: str) -> tuple[Check, tuple[str, ...]]:
    """Return whether the server answers, and the names that it lists."""
    answer, names = look.listed()
    if answer.status in (401, 403):
        return Check("reachable", "fails", f"refuses the key: {answer.said}", f"Set {key_env} to its own."), ()
    if answer.status in (404, 405):
        return Check("reachable", "ok", "answers; it keeps no list of models"), ()
    if not answer.good:
        said = answer.said or f"status {answer.status}"
        return Check("reachable", "fails", said, f"Start it, or correct {setting}."), ()
    version = look.version()
    software = f"vLLM {version}, " if version else ""
    return Check("reachable", "ok", f"{software}{1000 * answer.seconds:.0f} ms"), names


def model(look: ServerLook, names: Sequence[str]) -> Check:
    """Return whether the model is listed."""
    if not names or look.model in names:
        return Check("model", "ok", f"one of {len(names)} that it lists" if len(names) > 1 else "it is served")
    known = did_you_mean(look.model, names)
    return Check("model", "fails", f"not among what it lists.{known}", "vLLM: --served-model-name NAME.")


def adapters(look: ServerLook, rank: int) -> Check:
    """Return how the adapters of later rounds reach the server."""
    start = f"--enable-lora --max-lora-rank {started_for(rank)}"
    state = look.adapters()
    if state == "at run time":
        return Check("adapters", "ok", "are loaded at run time")
    if state == "at start":
        todo = f"Start it with VLLM_ALLOW_RUNTIME_LORA_UPDATING=True and {start}, or restart it for each round."
        return Check("adapters", "note", "not loaded at run time", todo)
    if state == "none":
        return Check("adapters", "fails", "it was started without them", f"vLLM: {start}.")
    return Check("adapters", "unknown", "another software than vLLM, or an answer that is not known")


def texts(look: ServerLook, pairs: Pairs, is_policy: bool) -> Iterator[Check]:
    """Yield what the server makes of both prompts of each pair: images, log-probabilities, what it has cached."""
    wrote = [look.write(prompt, TOKENS) for pair in pairs for prompt in pair]
    refused = next((one.refused for one in wrote if one.refused), "")
    images = len(pairs[0][0].images)
    name = "images" if images else "texts"
    if refused:
        yield Check(name, "fails", refused, _advice(refused, images))
        return
    longest = max(one.read or 0 for one in wrote)
    size = f", up to {longest} tokens" if longest else ""
    shown = f" with {images} image{'s' * (images > 1)}" if images else ""
    yield Check(name, "ok", f"{len(wrote)} prompts{shown} read{size}")
    if is_policy:
        yield _logps(wrote)
    yield _cached(wrote)


def digits(engine: OpenAIEngine, prompt: Prompt, scoring: str) -> Check:
    """Return how the replies of a judge are weighed."""
    replies = tuple(spelling for reply in mode_of(scoring).replies for spelling in reply)
    try:
        engine.score_choices([ChoiceRequest(prompt.messages, prompt.images, replies)])
    except NoLogProbs as error:  # the digits of `expected` are written out then
        return Check("digits", "note" if scoring == "expected" else "fails", str(error))
    except ClincotError as error:
        return Check("digits", "fails", str(error))
    way = engine.abilities.digits
    if way == "exact":
        return Check("digits", "ok", "exact: the log-probabilities of the tokens that are asked for")
    return Check("digits", "note", f"by the {way} tokens; a reply that is not among them counts as impossible")


def prompt_tokens(look: ServerLook, pairs: Pairs, read: Reads | str, repo: str) -> Check:
    """Return whether the server reads the token ids that the model's own files make; `read` may say why none can."""
    name = "prompt tokens"
    if isinstance(read, str):
        return Check(name, "unknown", read)
    prompts = [prompt for pair in pairs for prompt in pair]
    theirs = [look.read(prompt) for prompt in prompts]
    if any(ids is None for ids in theirs):
        return Check(name, "unknown", "the server does not say how it reads a prompt (vLLM does: /tokenize)")
    ours = [read(prompt) for prompt in prompts]
    places = [differing(own, other or ()) for own, other in zip(ours, theirs, strict=True)]
    equal = sum(place < 0 for place in places)
    if equal == len(prompts):
        return Check(name, "ok", f"equal to those of {repo}'s own files, {equal} of {len(prompts)} prompts")
    first = next(place for place in places if place >= 0)
    todo = f"Serve the files of {repo}: its chat template, tokenizer and image processor."
    return Check(name, "fails", f"differ in {len(prompts) - equal} of {len(prompts)} prompts, from token {first}", todo)


def compared(look: ServerLook, pairs: Pairs, recipe: Recipe, reach: Reach) -> Check:
    """Return how far the server's greedy texts and their log-probabilities are from those of the policy loaded here."""
    name, source = "as in process", recipe.models.policy
    try:
        folder = folder_here(source, reach) or reach(lambda hub: hub.snapshot(hub.resolve("model", source.repo)))
        fit: dict[str, Any] = {"images": len(pairs[0][0].images), "image_fit": recipe.image_fit}
        here = engines.load("transformers", folder, batch_size=8, load=source.load, **fit)
    except ClincotError as error:
        return Check(name, "unknown", str(error))
    prompts = [prompt for pair in pairs for prompt in pair]
    theirs = [look.write(prompt, TOKENS) for prompt in prompts]
    ours = here.generate([GenerateRequest(p.messages, p.images, 0, 0.0, 1.0, TOKENS) for p in prompts])
    same = [(own, other) for own, other in zip(ours, theirs, strict=True) if own.text == other.text]
    apart = [abs(own.logp - other.logp) / own.tokens for own, other in same if other.logp is not None and own.tokens]
    found = f"{len(same)} of {len(prompts)} greedy texts equal"
    if not apart:
        return Check(name, "note", found, PIXELS)
    found += f", log-probabilities up to {max(apart):.0e} a token apart"
    limit = CLOSE if here.weights.dtype.itemsize == 4 else CLOSE_16  # type: ignore[attr-defined]
    good = max(apart) <= limit and (len(same) == len(prompts) or limit == CLOSE_16)
    return Check(name, "ok" if good else "note", found, "" if good else PIXELS)


def _logps(wrote: Sequence[Written]) -> Check:
    name = "log-probabilities"
    if all(one.logp is not None for one in wrote):
        return Check(name, "ok", "of every token written")
    return Check(name, "note", "not given; training computes the reference anyway")


def _cached(wrote: Sequence[Written]) -> Check:
    name, later = "prefix cache", wrote[1::2]
    if any(one.cached is None for one in later):
        todo = "vLLM: --enable-prompt-tokens-details."
        return Check(name, "unknown", "the server does not say what it had cached", todo)
    cached, read = sum(one.cached or 0 for one in later), sum(one.read or 0 for one in later)
    found = f"{cached} of {read} tokens of the second prompt about each question"
    if cached:
        return Check(name, "ok", found)
    return Check(name, "note", found, "Every prompt is read whole. vLLM: --enable-prefix-caching.")


def _advice(refused: str, images: int) -> str:
    said = refused.lower()
    if "context" in said or "length" in said or "max_tokens" in said:
        return "Serve it with a longer context (vLLM: --max-model-len)."
    if "multimodal" in said:
        return "It reads no images: name a model that does, or, as a judge, set `kind: openai_text`."
    if "image" in said and images > 1:
        return f"vLLM: --limit-mm-per-prompt '{{\"image\": {images}}}'. Or set image_layout=canvas."
    return "See the server's log."
