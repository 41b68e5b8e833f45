"""The servers of one role -> the answers of those that are there; requests that begin alike go to the same one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import PurePath
from typing import Any

from clincot.engines._chat import beginning_of
from clincot.engines._server import Server, ServerAway
from clincot.errors import ModelError, did_you_mean
from clincot.progress import notice
from clincot.records.lineage import shown

RETURN = 60.0  # seconds after which a server that was away is asked again
now = time.monotonic


@dataclass(frozen=True)
class Card:
    """What servers say of a model: the name, the folder or repository behind it, the software's version.

    `listed`: all the names that they serve; empty where they keep no list.
    """

    name: str
    root: str = ""
    version: str = ""
    listed: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        """Return `root` as lineages have it, which are published: REPO@commit, or the name of a folder alone."""
        known = shown(self.root) if self.root else ""
        return f".../{PurePath(known).name}" if PurePath(known).is_absolute() else known


class Servers:
    """One or several servers of the same models; one that is away is left out until it answers again."""

    def __init__(self, servers: Sequence[Server]) -> None:
        self.servers = tuple(servers)
        self._until: dict[str, float] = {}  # when each server that is away is asked again
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Return the addresses, for messages."""
        return ", ".join(server.url for server in self.servers)

    def load(self, load: Callable[[Server], None]) -> None:
        """Let `load` put an adapter on every server that answers, and on each that answers without it later."""
        for server in self.servers:
            server.restore = load
            try:
                load(server)
            except ServerAway as error:
                self._lose(server, error)

    def chat(self, model: str, messages: list[dict[str, Any]], **options: Any) -> Any:
        """Return the chat completion of `model`; raises ModelError without one, ServerAway when no server answers."""
        key = beginning_of(messages)
        return self._ask(key, lambda server: server.chat(model, messages, **options))

    def extra(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the answer of a path that not every server has; empty where it is absent."""
        found: dict[str, Any] = self._ask("", lambda server: server.extra(path, body))
        return found

    def card(self, model: str) -> Card:
        """Return what the servers say of `model`. Raises ModelError when all are away or they serve different models.

        A name that no server lists may still be loaded on first use, so it is no error here.
        """
        listed = {server: cards for server in self.servers if (cards := self._listed(server)) is not None}
        if not listed:
            raise ServerAway(self._all_away())
        own = {server: card for server, cards in listed.items() for card in cards if card.get("id") == model}
        for server, cards in listed.items():
            if own and cards and server not in own:
                known = did_you_mean(model, [str(card.get("id")) for card in cards])
                raise ModelError(
                    f"server {server.url}: has no model {model!r}, others have.{known} Serve it there too."
                )
        roots = {str(card["root"]): server.url for server, card in own.items() if card.get("root")}
        if len(roots) > 1:
            said = ", ".join(f"{url} serves {root!r}" for root, url in roots.items())
            raise ModelError(f"server {self.url}: {model!r} is not the same model on all ({said}). Serve one.")
        versions = dict.fromkeys(version for server in listed if (version := _version(server)))
        names = dict.fromkeys(str(card.get("id")) for cards in listed.values() for card in cards)
        return Card(model, "".join(roots), ", ".join(versions), tuple(names))

    def _listed(self, server: Server) -> list[dict[str, Any]] | None:
        try:
            return server.cards()
        except ServerAway as error:
            self._lose(server, error)
            return None

    def _ask(self, key: str, ask: Any) -> Any:
        for server in self._in_turn(key):
            try:
                reply = ask(server)
            except ServerAway as error:
                self._lose(server, error)
                continue
            self._find(server)
            return reply
        raise ServerAway(self._all_away())

    def _in_turn(self, key: str) -> list[Server]:
        """Return the servers in the order in which `key` asks them; those that are away come last.

        Of each key every server has a number, and the largest wins: when one is away its keys spread over the others,
        and theirs stay where they are.
        """

        def number(server: Server) -> bytes:
            return blake2b(f"{server.url} {key}".encode(), digest_size=8).digest()

        ordered = sorted(self.servers, key=number, reverse=True)
        return sorted(ordered, key=lambda server: self._until.get(server.url, 0.0) > now())

    def _lose(self, server: Server, error: ServerAway) -> None:
        with self._lock:
            first = not server.away
            server.away = len(self.servers) > 1
            self._until[server.url] = now() + RETURN
            self._last = error
        if first and len(self.servers) > 1:
            notice(f"{error} Its requests go to the other servers of the role until it answers.")

    def _find(self, server: Server) -> None:
        if server.away:
            with self._lock:
                server.away = False
                self._until.pop(server.url, None)
            notice(f"server {server.url}: answers again.")

    def _all_away(self) -> str:
        if len(self.servers) == 1:
            return str(self._last)
        return f"server {self.url}: none answers. {self._last} What is finished is kept; then run the command again."


def _version(server: Server) -> str:
    try:
        return str(server.extra("version").get("version") or "")
    except ServerAway:  # it listed its models, so it is there; this path is not
        return ""
