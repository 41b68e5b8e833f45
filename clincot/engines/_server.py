"""A chat request -> what an OpenAI-compatible server answers, repeated with growing waits after temporary failures."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from huggingface_hub import ChatCompletionOutput
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import hf_raise_for_status, httpx

from clincot.engines._session import headers, open_session
from clincot.errors import ModelError, did_you_mean
from clincot.hub.retry import LONGEST_WAIT, TRIES, ordered_wait, passing
from clincot.lm.requests import Counters
from clincot.recipe.served import KEY_ENV

Result = TypeVar("Result")
SLOW = (TimeoutError, httpx.TimeoutException)
sleep = time.sleep


LOCK = threading.Lock()  # of the counters, which all servers of an engine share
FILTERS = ("content_filter", "content filter", "content management policy", "content policy", "responsibleai")


@dataclass(frozen=True)
class Reach:
    """How servers are reached: the variable that holds their key, seconds and tries of a request.

    `setting` is where the user named them.
    """

    key_env: str = KEY_ENV
    timeout: float = 600.0
    tries: int = TRIES
    setting: str = "models.policy.endpoint"


class ServerAway(ModelError):
    """A server that gives no answer, or none but its own errors; another one may answer."""


class RequestRefused(ModelError):
    """A single request that a server refuses for what is in it; others may pass."""

    def __init__(self, message: str, said: str) -> None:
        super().__init__(message)
        self.said = said
        self.filtered = any(word in said.lower() for word in FILTERS)


class Server:
    """One server by its base URL (with or without `/v1`); every model and adapter on it has a name."""

    def __init__(self, endpoint: str, counters: Counters, reach: Reach) -> None:
        self.root = endpoint.rstrip("/").removesuffix("/v1").rstrip("/")
        self.url = f"{self.root}/v1"
        self.reach = reach
        if not self.url.startswith(("http://", "https://")):
            raise ModelError(f"server {endpoint!r}: is not a URL. Give {reach.setting} as http://HOST:PORT/v1.")
        self.counters = counters
        self.away = False  # it did not answer lately: one try has to do
        self._headers = headers(reach.key_env)
        self.restore: Callable[[Server], None] | None = None  # puts back an adapter that a new start has lost
        self._session = open_session(self.url, reach.timeout)

    def cards(self) -> list[dict[str, Any]]:
        """Return the models that the server lists; empty where it keeps no list. Raises ModelError when it is away."""
        try:
            return self._repeat(self._list, "")
        except ModelError as error:
            if isinstance(error.__cause__, HfHubHTTPError) and error.__cause__.response.status_code in (404, 405):
                return []
            raise

    def models(self) -> tuple[str, ...]:
        """Return the names that the server lists, as `cards` does."""
        return tuple(str(card.get("id")) for card in self.cards())

    def chat(self, model: str, messages: list[dict[str, Any]], **options: Any) -> Any:
        """Return the chat completion of `model` (a base or an adapter); raises ModelError without a reply."""
        asked = {"model": model, "messages": messages, **options}

        def action() -> Any:
            try:
                said = self._ask("POST", f"{self.url}/chat/completions", asked)
            except HfHubHTTPError as error:
                if self.restore is None or error.response.status_code != 404:
                    raise
                self.restore(self)
                said = self._ask("POST", f"{self.url}/chat/completions", asked)
            return ChatCompletionOutput.parse_obj_as_instance(said)

        return self._repeat(action, model)

    def extra(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the answer of a path that not every server has, below its root; empty where this one has it not."""

        def action() -> Any:
            try:
                return self._ask("GET" if body is None else "POST", f"{self.root}/{path}", body)
            except json.JSONDecodeError:  # a page, for every path that it does not know
                return {}

        try:
            found = self._repeat(action, "")
        except ServerAway:
            raise
        except ModelError:
            return {}
        return found if isinstance(found, dict) else {}

    def send(self, path: str, body: dict[str, Any]) -> tuple[int, str]:
        """Return status and words of the answer to a request that is sent once; status 0 without an answer."""
        try:
            response = self._session.post(f"{self.url}/{path}", json=body, headers=self._headers)
        except httpx.TransportError as error:
            return 0, str(error) or type(error).__name__
        return response.status_code, message_of(response)

    def _list(self) -> list[dict[str, Any]]:
        body = self._ask("GET", f"{self.url}/models")
        listed = body.get("data") or [] if isinstance(body, dict) else None
        if not isinstance(listed, list) or not all(isinstance(model, dict) for model in listed):
            raise ValueError(f"{str(body)[:80]} is no list of models")
        return listed

    def _ask(self, method: str, url: str, body: dict[str, Any] | None = None) -> Any:
        """Return what the server answers to one request, read as JSON."""
        response = self._session.request(method, url, json=body, headers=self._headers)
        if response.is_redirect:
            path = url.removeprefix(f"{self.url}/")
            raise ModelError(
                f"server {self.url}: sends {path} on to {response.headers['location']}, where nobody is asked. Give"
                " that server as the endpoint if you trust it."
            )
        hf_raise_for_status(response)
        return response.json()

    def _repeat(self, action: Callable[[], Result], model: str) -> Result:
        for tried in range(1, self.reach.tries + 1):
            self._count("requests")
            try:
                return action()
            except Exception as error:
                status = passing(error)
                if status is None or self.away or tried == self.reach.tries:
                    if (explained := self._explained(error, model, tried)) is error:
                        raise
                    raise explained from error
                ordered = ordered_wait(error)
            self._count("retries")
            sleep(min(LONGEST_WAIT, 0.5 * 2.0 ** (tried - 1)) if ordered is None else ordered)
        raise ValueError(f"tries must be at least 1, not {self.reach.tries}")

    def _count(self, name: str) -> None:
        with LOCK:
            setattr(self.counters, name, getattr(self.counters, name) + 1)

    def _explained(self, error: Exception, model: str, tried: int) -> Exception:
        where = f"server {self.url}"
        if isinstance(error, HfHubHTTPError):
            return self._refused(error, model, tried)
        if type(error) is ValueError:  # the client's too, of JSON that is no chat completion
            return ModelError(
                f"{where}: answers in another shape than OpenAI's ({error}). Correct {self.reach.setting}."
            )
        if passing(error) is None:
            return error  # no failure of the server: a bug, to be seen with its traceback
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        wait = f"of {self.reach.timeout:g} seconds each " if isinstance(error, SLOW) else ""
        todo = "Raise `timeout` or lower `at_once` of its role, start it" if wait else "Start it"
        return ServerAway(
            f"{where}: gives no answer after {tried} tries {wait}({reason}). {todo}, or correct {self.reach.setting}."
        )

    def _refused(self, error: HfHubHTTPError, model: str, tried: int) -> ModelError:
        where, status, said = f"server {self.url}", error.response.status_code, message_of(error.response)
        if status in (401, 403):
            return ModelError(f"{where}: refuses the key ({said}). Set {self.reach.key_env} to its own.")
        if status == 404 and model:
            return ModelError(f"{where}: has no model {model!r} ({said}).{self._others(model)}")
        if status in (400, 413, 422):
            return RequestRefused(f"{where}: refuses a request ({said}).{advice(said)}", said)
        kind = ModelError if passing(error) is None else ServerAway
        return kind(f"{where}: answers {status} after {tried} tries ({said}). See its log.")

    def _others(self, model: str) -> str:
        names = self.models()
        known = did_you_mean(model, names) if names else ""
        return f"{known} Serve the adapter under that name (vLLM: --lora-modules NAME=FOLDER)."


def message_of(response: Any) -> str:
    """Return what the server said, in any of the shapes in use: `error.message`, `message`, `detail`, plain text."""
    try:
        body = response.json()
    except ValueError:
        return " ".join(response.text.split())[:300] or "no reason given"
    error = body.get("error", body) if isinstance(body, dict) else body
    said = (error.get("message") or error.get("detail") or error) if isinstance(error, dict) else error
    return " ".join(str(said).split())[:300]


def advice(said: str) -> str:
    """Return what to do about a request that is refused, by what the server says of it."""
    lower = said.lower()
    if any(word in lower for word in ("context", "max_model_len", "maximum model length", "too long", "max_tokens")):
        return " Lower build.max_new_tokens or the steps of the method, or serve the model with a longer context."
    if "multimodal" in lower or "multi-modal" in lower:
        return " It reads no images: name a model that does, or, as a judge, set `kind: openai_text`."
    if "image" in lower:
        return (
            " Serve it with two images per prompt, or as many as an example has (vLLM: --limit-mm-per-prompt), or use"
            " `image_layout: canvas`."
        )
    return " See its log."
