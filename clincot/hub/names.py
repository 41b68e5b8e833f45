"""A name, revision or URL as a user wrote it -> why no Hub accepts it, in words; no Hub is asked."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

PUBLIC = "https://huggingface.co"  # the public Hub
LONGEST = 96  # letters of one part of a repo id
PLAIN = re.compile(r"[A-Za-z0-9._-]+")
RULE = f"Use letters, digits, '-', '_' and '.', at most {LONGEST} in all."
# Words that a Hub's URLs have where a name would be.
OWNERS_TAKEN = frozenset(["api", "datasets", "spaces", "models", "v1"])
NAMES_TAKEN = frozenset(
    ["tree", "refs", "revision", "commits", "commit", "preupload", "paths-info", "tag", "branch", "settings", "raw"]
    + ["super-squash", "discussions", "auth-check", "resolve"]
)
REVISION = re.compile(r"[A-Za-z0-9_][\w.+/-]*", re.ASCII)


def name_fault(name: str, behind: str = "") -> str:
    """Return why `name` cannot be a repository's, "" when it can; `behind` is what is put after it."""
    length = len(name) + len(behind)
    odd = sorted(set(PLAIN.sub("", name)))
    faults = {
        "is empty": not name,
        f"holds {', '.join(map(repr, odd[:5]))}": bool(odd),
        f"has {length} letters{f' with {behind!r} after it' if behind else ''}": length > LONGEST,
        "begins or ends with '-' or '.'": name[:1] in ("-", ".") or name[-1:] in ("-", "."),
        "holds '--' or '..'": "--" in name or ".." in name,
        "ends in .git or .ipynb": name.lower().endswith((".git", ".ipynb")),
        "is a word of the Hub's URLs": name in NAMES_TAKEN,
    }
    return next((words for words, found in faults.items() if found), "")


def owner_fault(name: str) -> str:
    """Return why `name` cannot be a user's or an organisation's, "" when it can."""
    return name_fault(name) or ("is a word of the Hub's URLs" if name in OWNERS_TAKEN else "")


def repo_fault(repo: str) -> str:
    """Return why `repo` cannot be a repo id, OWNER/NAME or NAME, "" when it can."""
    owner, slash, name = repo.rpartition("/")
    return name_fault(name) or (owner_fault(owner) if slash else "")


def revision_fault(revision: str) -> str:
    """Return why `revision` cannot be a branch, tag or commit, "" when it can."""
    plain = REVISION.fullmatch(revision) and len(revision) <= 200 and ".." not in revision and "//" not in revision
    return "" if plain and not revision.endswith(("/", ".", ".lock")) else "is no branch, tag or commit"


def is_url(text: str) -> bool:
    """Return whether `text` is an http(s) URL with a host, and a port that is a number where it has one."""
    if not text.isascii() or re.search(r"[\s\x00-\x1f]", text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
