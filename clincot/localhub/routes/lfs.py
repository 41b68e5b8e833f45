"""The git-LFS basic transfer: a batch of oids -> signed URLs, bytes put there checked and stored, bytes read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, Response

from ..problems import HubError, bad_request, not_supported, too_large
from ..storage.largefiles import Upload, check_oid
from ..storage.repository import Repository
from .call import Call, answer, only

MEDIA = "application/vnd.git-lfs+json"
MAX_OBJECT = 1 << 40
BUFFER = 1 << 20


def batch(call: Call) -> Response:
    table = call.json()
    operation, objects = table.get("operation"), table.get("objects")
    if operation not in ("upload", "download") or not isinstance(objects, list) or len(objects) > 10_000:
        raise bad_request("A batch has an operation, upload or download, and at most 10,000 objects")
    with call.proposes() if operation == "upload" else call.reads(contents=True) as repo:
        only(table, "operation", "transfers", "objects", "ref", "hash_algo")
        if table.get("hash_algo") not in (None, "sha256"):
            raise not_supported(f"the hash algorithm {table['hash_algo']!r}")
        offer = _offer_upload if operation == "upload" else _offer_download
        rows = [offer(call, repo, row) for row in objects]
    response = answer({"transfer": "basic", "objects": rows, "hash_algo": "sha256"})
    response.headers["content-type"] = MEDIA
    return response


def _object(row: Any) -> tuple[str, int]:
    if not isinstance(row, dict) or not isinstance(row.get("size"), int) or not 0 <= row["size"] <= MAX_OBJECT:
        raise bad_request("An LFS object has an oid and a size")
    return check_oid(row.get("oid")), row["size"]


def holds(call: Call, repo: Repository, oid: str) -> bool:
    """The repo has the object, or the Hub has it and the caller could read it in any repo anyway."""
    return repo.large.place_in(repo.folder, oid).is_file() or (call.caller.everywhere and repo.large.is_stored(oid))


def _href(call: Call, repo: Repository, operation: str, oid: str, size: int) -> str:
    kind, repo_id = repo.facts.kind, repo.facts.id
    signed = call.access.sign(operation, kind, repo_id, oid, size)
    return f"{call.url_of(kind, repo_id)}.git/info/lfs/objects/{oid}?{signed}"


def _offer_upload(call: Call, repo: Repository, row: Any) -> dict[str, Any]:
    oid, size = _object(row)
    offer: dict[str, Any] = {"oid": oid, "size": size, "authenticated": True}
    if not holds(call, repo, oid):  # stored already: no `actions` key at all, the client trips over null
        verify = f"{call.url_of(repo.facts.kind, repo.facts.id)}.git/info/lfs/objects/verify"
        offer["actions"] = {"upload": {"href": _href(call, repo, "upload", oid, size)}, "verify": {"href": verify}}
    return offer


def _offer_download(call: Call, repo: Repository, row: Any) -> dict[str, Any]:
    oid, size = _object(row)
    if not repo.large.place_in(repo.folder, oid).is_file():
        return {"oid": oid, "size": size, "error": {"code": 404, "message": "Object does not exist"}}
    actions = {"download": {"href": _href(call, repo, "download", oid, size)}}
    return {"oid": oid, "size": size, "authenticated": True, "actions": actions}


def verify(call: Call) -> Response:
    with call.proposes() as repo:
        oid, size = _object(call.json("oid", "size"))
        if not holds(call, repo, oid):
            raise HubError(404, "Object does not exist")
        path = repo.large.place_in(repo.folder, oid)
        if path.is_file() and path.stat().st_size != size:
            raise bad_request(f"The stored object has {path.stat().st_size} bytes, not {size}")
    return answer({})


def download(call: Call) -> Response:
    oid = check_oid(call.params["oid"])
    call.access.check_ticket("download", call.kind, call.repo_id, oid, call.query)
    folder = call.store.folder_of(call.kind, call.repo_id)
    path = call.store.large.place_in(folder, oid)
    if not path.is_file():
        raise HubError(404, "Object does not exist")
    return FileResponse(path, headers={"ETag": f'"{oid}"'}, media_type="application/octet-stream")


async def upload(call: Call) -> Response:
    """Stream to a temporary file, hash while writing, rename when size and sha256 are as announced."""
    oid = check_oid(call.params["oid"])
    size = call.access.check_ticket("upload", call.kind, call.repo_id, oid, call.query)
    folder = call.store.folder_of(call.kind, call.repo_id)
    declared = call.request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > size:
        raise too_large("The upload", size)
    incoming = await run_in_threadpool(call.store.large.begin, oid, size)
    try:
        await _receive(call, incoming)
        await run_in_threadpool(_keep, call, incoming, folder)
    except ClientDisconnect as error:
        raise bad_request("The connection was closed before the upload was complete") from error
    finally:
        await run_in_threadpool(incoming.abandon)
    return answer({})


async def _receive(call: Call, incoming: Upload) -> None:
    pending = bytearray()
    async for chunk in call.request.stream():
        pending += chunk
        if len(pending) >= BUFFER:
            await run_in_threadpool(incoming.write, bytes(pending))
            pending.clear()
    await run_in_threadpool(incoming.write, bytes(pending))


def _keep(call: Call, incoming: Upload, folder: Path) -> None:
    incoming.finish()
    if call.repo_is_gone():
        raise call.gone()
    call.store.large.link(folder, incoming.oid)
