"""An Authorization header -> who calls; a caller and a repo -> may it read, may it write; signed transfer tickets."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from pathlib import Path

from .problems import HubError, bad_request, repo_not_found
from .storage.facts import Facts

OWNER = "clincot"
TICKET_SECONDS = 6 * 3600
EVERY = "*"


@dataclass(frozen=True)
class Caller:
    """`namespaces` are those whose private repos the caller sees and, with role write, changes."""

    name: str = "anonymous"
    role: str = "none"
    namespaces: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()

    @property
    def anonymous(self) -> bool:
        return self.role == "none"

    @property
    def everywhere(self) -> bool:
        return EVERY in self.namespaces

    def belongs(self, namespace: str) -> bool:
        known = {own.casefold() for own in self.namespaces}
        return self.everywhere or (namespace != "" and namespace.casefold() in known)

    def sees(self, facts: Facts) -> bool:
        return not facts.private or self.belongs(facts.namespace)

    def check_read(self, facts: Facts) -> None:
        """Contents of a gated repo need a grant; its info does not (docs/hub.md#protocol)."""
        granted = facts.id.casefold() in {name.casefold() for name in self.grants}
        if not facts.gated or self.belongs(facts.namespace) or granted:
            return
        text = f"Access to {facts.kind} {facts.id} is restricted"
        if self.anonymous:
            raise HubError(401, f"{text}. You must have access to it and be authenticated to access it.", "GatedRepo")
        raise HubError(403, f"{text} and you are not in the authorized list.", "GatedRepo")

    def check_write(self, namespace: str) -> None:
        self.check_propose()
        if not self.belongs(namespace):
            raise HubError(403, f"You don't have the rights to write to the namespace {namespace!r}")

    def check_propose(self) -> None:
        """A pull request may be opened on any repo the caller sees; only its merge needs the namespace."""
        if self.anonymous:
            raise HubError(401, "Writing needs a token, on a local Hub too")
        if self.role != "write":
            raise HubError(403, "This token may only read. Use a token with write permission.")


class Access:
    """The tokens of one Hub folder: its own write token and, when present, those of `tokens.json`."""

    def __init__(self, path: Path, token: str) -> None:
        self.table_file = path / "tokens.json"
        self.token = token
        self.key = hashlib.sha256(f"transfer tickets of {token}".encode()).digest()

    def caller(self, header: str | None) -> Caller:
        if header is None:
            return Caller()
        scheme, _, given = header.partition(" ")
        if scheme.lower() == "bearer" and _same(given.strip(), self.token):
            return Caller(OWNER, "write", (EVERY,))
        for token, row in self._table().items():
            if scheme.lower() == "bearer" and _same(given.strip(), token):
                return _caller(row, self.table_file)
        raise HubError(401, "Invalid credentials in Authorization header")

    def _table(self) -> dict[str, dict[str, object]]:
        if not self.table_file.exists():
            return {}
        try:
            table = json.loads(self.table_file.read_bytes())
        except ValueError as error:
            raise HubError(500, f"{self.table_file.name}: not JSON. Repair or remove it.") from error
        if not isinstance(table, dict) or not all(isinstance(row, dict) for row in table.values()):
            raise HubError(500, f"{self.table_file.name}: expected {{token: {{name, role, namespaces}}}}")
        return table

    # -- tickets: the LFS PUT carries no Authorization header (docs/hub.md#protocol), so its URL is signed ------------
    def sign(self, operation: str, kind: str, repo_id: str, oid: str, size: int) -> str:
        """Query string that allows one transfer; stateless, so it survives a restart of the server."""
        expires = int(time.time()) + TICKET_SECONDS
        return f"size={size}&expires={expires}&ticket={self._mac(operation, kind, repo_id, oid, size, expires)}"

    def check_ticket(self, operation: str, kind: str, repo_id: str, oid: str, query: dict[str, str]) -> int:
        """The signed size; 403 for a ticket that was not ours or is too old."""
        try:
            size, expires = int(query["size"]), int(query["expires"])
        except (KeyError, ValueError) as error:
            raise bad_request("A transfer URL has size, expires and ticket") from error
        good = _same(query.get("ticket", ""), self._mac(operation, kind, repo_id, oid, size, expires))
        if not good or expires < time.time():
            raise HubError(403, "This transfer URL is not valid or has expired. Ask for a new one.")
        return size

    def _mac(self, *fields: object) -> str:
        return hmac.new(self.key, "\n".join(map(str, fields)).encode(), hashlib.sha256).hexdigest()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(errors="replace"), other.encode())


def _caller(row: dict[str, object], file: Path) -> Caller:
    name, role = str(row.get("name", "")), row.get("role")
    if not name or role not in ("read", "write"):
        raise HubError(500, f"{file.name}: every token needs a name and a role, read or write")
    namespaces, grants = row.get("namespaces", [name]), row.get("grants", [])
    if not isinstance(namespaces, list) or not isinstance(grants, list):
        raise HubError(500, f"{file.name}: namespaces and grants are lists")
    return Caller(name, str(role), tuple(map(str, namespaces)), tuple(map(str, grants)))


def visible(caller: Caller, facts: Facts | None) -> Facts:
    """The facts when the caller may know of the repo, else the same answer as for an absent one."""
    if facts is None or not caller.sees(facts):
        raise repo_not_found(caller.anonymous)
    return facts
