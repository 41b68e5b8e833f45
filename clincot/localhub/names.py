"""Names from a request (repo kind, repo id, path in a repo, ref) -> the checked name, or a 400."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from .problems import HubError, bad_request

KINDS = ("model", "dataset", "space")
ACTIONS = frozenset(
    ["tree", "refs", "revision", "commits", "commit", "preupload", "paths-info", "tag", "branch", "settings"]
    + ["super-squash", "discussions", "auth-check", "resolve", "raw"]
)
PREFIXES = frozenset(["api", "datasets", "spaces", "v1"])
SEGMENT = re.compile(r"[A-Za-z0-9_.\-]+")
MAX_PATH_BYTES = 4096
MAX_COMPONENT_BYTES = 255
MAX_DEPTH = 100
# Characters HFS+ ignores when it compares names (git's own list in utf8.c): ".g\u200cit" would be ".git" there.
IGNORABLE = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
GIT_FOLDERS = frozenset([".git", "git~1"])
# Windows opens a device instead of a file of these names, with any extension; the raised digits count as digits there.
DEVICES = frozenset(["con", "prn", "aux", "nul", "conin$", "conout$"])
DEVICES |= {f"{port}{number}" for port in ("com", "lpt") for number in "123456789\u00b9\u00b2\u00b3"}


def kind_of(word: str) -> str:
    """'datasets', 'dataset' -> 'dataset'."""
    kind = word.removesuffix("s")
    if kind not in KINDS:
        raise bad_request(f"Unknown repo type {word!r}: use model, dataset or space")
    return kind


def url_prefix(kind: str) -> str:
    return "" if kind == "model" else f"{kind}s/"


def check_repo_id(repo_id: str) -> str:
    """`name` or `namespace/name` (docs/hub.md#protocol): letters, digits, `_.-`, no `..`, `--`, final `.git`."""
    parts = repo_id.split("/")
    plain = len(parts) <= 2 and all(SEGMENT.fullmatch(part) for part in parts) and len(repo_id) <= 193
    if not plain or any(part.startswith((".", "-")) or part.lower().endswith((".", "-", ".git")) for part in parts):
        raise bad_request(f"Invalid repo id {repo_id!r}: use letters, digits and _.- as in 'namespace/name'")
    if ".." in repo_id or "--" in repo_id or max(map(len, parts)) > 96:
        raise bad_request(f"Invalid repo id {repo_id!r}: '..', '--' and names over 96 characters are refused")
    if parts[0].lower() in PREFIXES or parts[-1].lower() in ACTIONS:
        raise bad_request(f"Invalid repo id {repo_id!r}: {parts[0]!r} or {parts[-1]!r} is part of the URL scheme")
    if any(is_device(part) for part in parts):
        raise bad_request(f"Invalid repo id {repo_id!r}: Windows keeps this name for a device")
    return repo_id


def check_path(path: object) -> bytes:
    """A path in a repo as git stores it; refuses what leaves a folder, or names something else, on some system."""
    if not isinstance(path, str) or not path:
        raise bad_request("A path in a repo must be a non-empty string")
    try:
        encoded = path.encode()
    except UnicodeEncodeError as error:
        raise bad_request("A path in a repo must be valid unicode") from error
    parts = path.split("/")
    odd = "\\" in path or any(ord(char) < 32 or ord(char) == 127 for char in path)
    odd = odd or len(parts) > MAX_DEPTH or len(encoded) > MAX_PATH_BYTES
    if odd or any(_is_unsafe(part) for part in parts):
        raise bad_request(f"Invalid path in repo: {path[:200]!r}")
    return encoded


def _is_unsafe(part: str) -> bool:
    """NTFS drops dots and spaces at the end of a name and reads what follows a colon as a stream of the file."""
    bare = IGNORABLE.sub("", part).casefold().split(":")[0].rstrip(" .")
    odd = part in ("", ".", "..") or part.endswith((" ", ".")) or len(part.encode()) > MAX_COMPONENT_BYTES
    return odd or bare in GIT_FOLDERS or is_device(part)


def is_device(name: str) -> bool:
    return re.split("[.:]", name.casefold())[0].rstrip(" ") in DEVICES


def check_new_ref(folder: str, name: object) -> bytes:
    """`check_ref` of a branch or tag to be made: no name that git or a client would take for something else."""
    ref = check_ref(folder, name)
    assert isinstance(name, str)  # check_ref refuses anything else
    reserved = name in ("HEAD", "@") or name.startswith(("-", "refs/")) or re.fullmatch("[0-9a-f]{40}", name)
    if reserved or any(_is_unsafe(part) for part in name.split("/")):
        kind = "branch" if folder == "refs/heads/" else "tag"
        raise bad_request(f"Invalid reference for a {kind}: {name[:200]!r}")
    return ref


def check_ref(folder: str, name: object) -> bytes:
    """`refs/heads/` + name as bytes when git accepts it."""
    from dulwich.refs import Ref, check_ref_format

    if not isinstance(name, str) or not name:
        raise bad_request("A branch or tag needs a name")
    try:
        ref = f"{folder}{name}".encode()
    except UnicodeEncodeError as error:
        raise bad_request("A branch or tag name must be valid unicode") from error
    if len(ref) > MAX_COMPONENT_BYTES - 10 or not check_ref_format(Ref(ref)):
        raise bad_request(f"Invalid branch or tag name {name[:200]!r}")
    return ref


def unquote(text: str) -> str:
    """Percent-decoding that refuses what is not UTF-8."""
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError as error:
        raise HubError(400, "The URL is not percent-encoded UTF-8") from error
