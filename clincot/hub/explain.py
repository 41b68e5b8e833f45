"""An exception of the Hub's clients or of the disk -> an error that says which Hub, what failed and what to do."""

from __future__ import annotations

import errno
import re

from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import httpx

from clincot.errors import ClincotError, DiskFull, HubError, NotOnHub
from clincot.hub.connection import Connection

FULL = {errno.ENOSPC, errno.EDQUOT}
SIGNED = re.compile(r"(https?://[^\s?'\"]+)\?[^\s'\"]*")
READ_ONLY = {errno.EACCES, errno.EPERM, errno.EROFS}


def explain(error: Exception, hub: Connection, doing: str, tries: int = 0) -> Exception:
    """Return the ClincotError for a failure of `doing`, or `error` itself for one of another origin."""
    if isinstance(error, ClincotError):
        return error
    where = f"{hub.label}: {doing}"
    if tries:
        text = f"still failing after {tries} tries ({_text(error, hub)})"
        return HubError(f"{where}: {text}. Run the same command again later.")
    for known in (_absent, _refused, _unwritable, _invalid):
        found = known(error, where, hub)
        if found is not None:
            return found
    return error


def _absent(error: Exception, where: str, hub: Connection) -> ClincotError | None:
    if isinstance(error, GatedRepoError):
        return HubError(f"{where}: access must be granted first. Ask on its page, with the account of {_token(hub)}.")
    if isinstance(error, OfflineModeIsEnabled) or isinstance(error.__cause__, OfflineModeIsEnabled):
        return HubError(f"{where}: HF_HUB_OFFLINE is set, and {hub.cache} does not hold it. Unset it or load it once.")
    if isinstance(error, (RepositoryNotFoundError, RevisionNotFoundError)):
        return NotOnHub(f"{where}: it is not there, or not visible to {_token(hub)}. Check the name and the token.")
    if isinstance(error, (EntryNotFoundError, LocalEntryNotFoundError)):
        return NotOnHub(f"{where}: no such file in that version. Check the revision.")
    return None


def _refused(error: Exception, where: str, hub: Connection) -> ClincotError | None:
    if not isinstance(error, HfHubHTTPError):
        return HubError(f"{where}: {_text(error, hub)}. Check the address.") if _malformed(error) else None
    status = error.response.status_code
    if status == 401:
        known = "does not know " + _token(hub) if hub.token else "asks for a token"
        return HubError(f"{where}: the Hub {known} (401). {_remedy(hub)}")
    if status == 403:
        return HubError(f"{where}: {_token(hub)} may not do this (403: {_text(error, hub)}). {_remedy(hub)}")
    if status == 507:
        return DiskFull(f"{where}: the Hub has no room left (507). Free space there and run the same command again.")
    return HubError(f"{where}: the Hub refused it ({status}: {_text(error, hub)}).")


def _unwritable(error: Exception, where: str, hub: Connection) -> ClincotError | None:
    number = getattr(error, "errno", None)
    if number in FULL:
        return DiskFull(f"{where}: no room left for {hub.cache}. Free space and run the same command again.")
    if number in READ_ONLY:
        path = getattr(error, "filename", None) or hub.cache
        return HubError(f"{where}: no permission to write {path}. Change its owner.")
    return None


def _invalid(error: Exception, where: str, hub: Connection) -> ClincotError | None:
    # huggingface_hub raises plain ValueErrors for names and card metadata that a Hub does not accept.
    return HubError(f"{where}: {_text(error, hub)}.") if isinstance(error, ValueError) else None


def _malformed(error: Exception) -> bool:
    return isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol))


def _token(hub: Connection) -> str:
    return "this token" if hub.token else "an anonymous user"


def _remedy(hub: Connection) -> str:
    if hub.label.startswith("local:"):
        return f"Its own token lies in {hub.label.removeprefix('local:')}/token: restore the file."
    return "Set HF_TOKEN, or run `hf auth login`, with a token that may write to that namespace."


def _text(error: Exception, hub: Connection) -> str:
    said = getattr(error, "server_message", None) or str(error)
    # The query of an upload's URL is its permission: whoever reads the message may not get it.
    line = SIGNED.sub(r"\1", " ".join(said.split())).rstrip(".") or type(error).__name__
    return line.replace(hub.token, "<token>")[:400] if hub.token else line[:400]
