"""A Hub and its token -> whose token it is, and whether it may write to a namespace, checked before the work starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clincot.errors import HubError
from clincot.hub.connection import Account, Connection
from clincot.hub.names import PUBLIC
from clincot.hub.pull import api_of
from clincot.hub.retry import with_retry

WRITES = {"repo.write", "repo.content.write"}


def account(hub: Connection) -> Account:
    """See `Hub.account`."""
    answer: Mapping[str, Any] = with_retry(api_of(hub).whoami, hub, "who am I")
    token = answer.get("auth", {}).get("accessToken", {})
    return Account(
        name=str(answer["name"]),
        organisations=tuple(str(org["name"]) for org in answer.get("orgs", ())),
        role=str(token.get("role", "")),
        writable=_writable(token.get("fineGrained", {})),
    )


def check_may_write(hub: Connection, who: Account, namespace: str) -> None:
    """Raise HubError when the token of `who` cannot create and write repositories of `namespace`.

    Memberships are checked on the public Hub alone: other Hubs may let a user write outside their own organisations.
    """
    where = f"{hub.label}: the token of {who.name}"
    if who.role == "read":
        raise HubError(f"{where} may only read. Log in with a token of role write, or leave --push out.")
    if who.role == "fineGrained" and not any(name.split("/")[0] == namespace for name in who.writable):
        raise HubError(
            f"{where} may not write to the repositories of {namespace}."
            f" Permit it in the token's settings, or leave --push out."
        )
    if hub.endpoint == PUBLIC and namespace not in (who.name, *who.organisations):
        known = ", ".join((who.name, *who.organisations))
        raise HubError(f"{where} cannot push to {namespace}: it belongs to {known}. Give one of them by --namespace.")


def _writable(scopes: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the namespaces and repositories that a fine-grained token may write to."""
    granted = (scope for scope in scopes.get("scoped", ()) if WRITES & set(scope.get("permissions", ())))
    return tuple(str(scope["entity"]["name"]) for scope in granted if "name" in scope.get("entity", {}))
