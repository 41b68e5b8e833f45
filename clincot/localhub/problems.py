"""A problem to report to a client -> status, code, headers and text in the words that the Hub's clients match on."""

from __future__ import annotations


class HubError(Exception):
    """An answer other than success; `code` goes to `X-Error-Code`, `extra` into the JSON body."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        headers: dict[str, str] | None = None,
        extra: dict[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = headers or {}
        self.extra = extra or {}

    def header_safe(self) -> str:
        """The message as a header value: latin-1, one line, at most 500 characters."""
        text = "".join(char if char.isprintable() else " " for char in self.message)
        return text.encode("latin-1", "replace").decode("latin-1").strip()[:500]


def repo_not_found(anonymous: bool) -> HubError:
    """Absent and invisible repos read alike, so that names of private repos cannot be probed."""
    if anonymous:
        return HubError(401, "Invalid username or password.", "RepoNotFound")
    return HubError(404, "Repository not found", "RepoNotFound")


def revision_not_found(revision: str) -> HubError:
    return HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")


def entry_not_found(path: str, commit: str) -> HubError:
    """`X-Repo-Commit` lets the client's cache remember the absence."""
    return HubError(404, f"Entry not found: {path}", "EntryNotFound", headers={"X-Repo-Commit": commit})


def bad_request(message: str) -> HubError:
    return HubError(400, message)


def conflict(message: str, **extra: object) -> HubError:
    return HubError(409, message, extra=extra)


def moved_on() -> HubError:
    return HubError(412, "The branch was updated since you opened this page. Please refresh and try again.")


def too_large(what: str, limit: int) -> HubError:
    return HubError(413, f"{what} is larger than {limit} bytes. Send less at once, or send the file through LFS.")


def not_served(method: str, path: str) -> HubError:
    return HubError(501, f"The embedded Hub does not serve {method} {path}", "NotImplemented")


def not_supported(what: str) -> HubError:
    """For what would change the meaning of an answer: ignored, it would give a wrong answer without a word."""
    return HubError(501, f"The embedded Hub does not support {what[:300]}", "NotImplemented")
