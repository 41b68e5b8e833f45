"""An HTTP request -> its route's answer or a clear error, with injected faults applied and every request recorded."""

from __future__ import annotations

import asyncio
import errno
import logging
import re
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from .access import Access, Caller
from .faults import Fault, Log, RequestRecord
from .problems import HubError, bad_request, not_served, too_large
from .routes.call import Call
from .routes.repos import no_content_to_speak_of
from .routes.table import Body, find_route
from .storage.store import Store

logger = logging.getLogger("clincot.localhub")
MAX_PATH = 16 * 1024
MAX_SMALL_BODY = 32 * 1024 * 1024
MAX_SPOOLED_BODY = 1024 * 1024 * 1024
MAX_DRAINED = 8 * 1024 * 1024
DRAIN_SECONDS = 2.0
HOST = re.compile(r"[A-Za-z0-9.\-]+(?::\d{1,5})?|\[[0-9A-Fa-f:]+\](?::\d{1,5})?")
# EFBIG: a limit on file sizes (ulimit -f, some network shares) that the next byte would pass.
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
READ_ONLY = {errno.EACCES, errno.EPERM, errno.EROFS}


@dataclass
class HubApp:
    """The ASGI application; `drop(scope, flush)` closes the connection a request came on."""

    store: Store
    access: Access
    log: Log
    endpoint: str
    drop: Callable[[Scope, bool], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        wire = _Wire(scope, receive, send, self.drop)
        path = scope["raw_path"].decode("ascii")
        fault = self.log.pick(scope["method"], path)
        started = time.perf_counter()
        wire.note = lambda: self.log.add(_record(scope, path, wire, fault, started))
        try:
            await self._answer(Request(scope, wire.receive), wire, path, fault)
        finally:
            wire.finish()

    async def _answer(self, request: Request, wire: _Wire, path: str, fault: Fault | None) -> None:
        if fault is not None and fault.delay:
            await asyncio.sleep(fault.delay)
        works = fault is None or fault.after or fault.truncate is not None or (fault.status is None and not fault.drop)
        response = await self._respond(request, path) if works else None
        if fault is not None and fault.drop:
            wire.close(flush=False)
        elif fault is not None and fault.truncate is None and (fault.status is not None or response is None):
            await _injected(fault)(request.scope, wire.receive, wire.send)
        elif response is not None:
            await wire.drain()
            wire.budget = fault.truncate if fault else None
            await response(request.scope, wire.receive, wire.send)

    async def _respond(self, request: Request, path: str) -> Response:
        call: Call | None = None
        try:
            if len(path) > MAX_PATH:
                raise HubError(414, "The path of the request is too long")
            found = find_route(request.method, path)
            if found is None:
                raise not_served(request.method, path[:300])
            route, params = found
            known = route.handler is not no_content_to_speak_of
            caller = self.access.caller(request.headers.get("authorization")) if known else Caller()
            call = Call(request, params, caller, self.store, self.access, self._endpoint(request))
            if route.query is not None:
                call.check_query(route.query)
            if route.writes and caller.anonymous:
                caller.check_write("")
            if asyncio.iscoroutinefunction(route.handler):
                return cast(Response, await route.handler(call))
            return await self._run(call, route.body, cast(Callable[[Call], Response], route.handler))
        except HubError as error:
            return _error(error)
        except ClientDisconnect:
            return _error(bad_request("The connection was closed before the request was complete"))
        except Exception as error:  # the last stop: an answer must be given, and the traceback logged
            return _error(_unexpected(error, call))

    async def _run(self, call: Call, body: Body, handler: Callable[[Call], Response]) -> Response:
        """Handlers work on files, so they run in a thread; big bodies wait in a file, never in memory."""
        if body == "small":
            call.body = await _read(call.request)
        if body != "spool":
            return await run_in_threadpool(handler, call)
        call.spool = self.store.temporary / f"body-{secrets.token_hex(12)}"
        try:
            await _spool(call.request, call.spool)
            return await run_in_threadpool(handler, call)
        finally:
            call.spool.unlink(missing_ok=True)

    def _endpoint(self, request: Request) -> str:
        """As the client sees us (it may come through a forwarded port); nothing odd is reflected into URLs."""
        host = request.headers.get("host", "")
        return f"http://{host}" if HOST.fullmatch(host) else self.endpoint


class _Wire:
    """The connection of one request: counts bytes, adds the request id, cuts the answer at `budget` bytes."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, drop: Callable[[Scope, bool], None]) -> None:
        self.scope, self._receive, self._send, self._drop = scope, receive, send, drop
        self.status, self.bytes = 0, 0
        self.budget: int | None = None
        self.note: Callable[[], None] | None = None
        names = {name for name, _ in scope["headers"]}
        # A client that sent Expect holds its body back until it is asked for it.
        self.unread = bool(names & {b"content-length", b"transfer-encoding"}) and b"expect" not in names

    async def receive(self) -> Message:
        message = await self._receive()
        self.bytes += len(message.get("body", b""))
        self.unread = self.unread and message["type"] == "http.request" and message.get("more_body", False)
        return message

    async def drain(self) -> None:
        """Read what is left of a body that was refused.

        Closing a socket with unread bytes resets it, and the client loses the answer.
        """
        end = self.bytes + MAX_DRAINED
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while self.unread and self.bytes < end:
                    await self.receive()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], (b"x-request-id", secrets.token_hex(8).encode())]
            await self._send(message)
            return
        body = message.get("body", b"") if self.scope["method"] != "HEAD" else b""
        if self.budget is None:
            self.bytes += len(body)
            message["body"] = body
            if not message.get("more_body"):
                self.finish()
            await self._send(message)
        elif self.budget >= 0:
            kept, self.budget = body[: self.budget], self.budget - len(body)
            self.bytes += len(kept)
            await self._send({"type": "http.response.body", "body": kept, "more_body": True})
            if self.budget < 0 or not message.get("more_body"):
                self.budget = -1
                self.close(flush=True)

    def finish(self) -> None:
        """Record the request, once and before its end can be seen: whoever has the answer finds it in the log."""
        note, self.note = self.note, None
        if note is not None:
            note()

    def close(self, flush: bool) -> None:
        self.finish()
        self._drop(self.scope, flush)


def _injected(fault: Fault) -> Response:
    body = fault.body if fault.body is not None else b'{"error": "injected fault"}'
    return Response(body, fault.status or 500, fault.headers, "application/json")


def _error(error: HubError) -> Response:
    headers = {"X-Error-Message": error.header_safe()} | error.headers
    if error.code:
        headers["X-Error-Code"] = error.code
    return JSONResponse({"error": error.message.encode(errors="replace").decode()} | error.extra, error.status, headers)


def _unexpected(error: Exception, call: Call | None) -> HubError:
    if isinstance(error, OSError) and error.errno in FULL:
        return HubError(507, "The Hub's disk is full. Free some space and try again; nothing was changed.")
    if isinstance(error, OSError) and error.errno in READ_ONLY:
        return HubError(500, "The Hub's folder cannot be written. Check its permissions.")
    if call is not None and isinstance(error, (FileNotFoundError, KeyError)) and call.repo_is_gone():
        return call.gone()
    logger.error("unexpected error", exc_info=error)
    return HubError(500, f"Internal error of the embedded Hub ({type(error).__name__}); its log has the details")


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_SMALL_BODY:
            raise too_large("The request body", MAX_SMALL_BODY)
    return bytes(body)


async def _spool(request: Request, path: Path) -> None:
    taken = 0
    with open(path, "xb") as file:
        async for chunk in request.stream():
            taken += len(chunk)
            if taken > MAX_SPOOLED_BODY:
                raise too_large("The commit", MAX_SPOOLED_BODY)
            file.write(chunk)


def _record(scope: Scope, path: str, wire: _Wire, fault: Fault | None, started: float) -> RequestRecord:
    headers = {key: value.decode("latin-1") for key, value in scope["headers"]}
    query = re.sub(r"(ticket=)[^&]*", r"\1***", scope["query_string"].decode("latin-1"))
    milliseconds = (time.perf_counter() - started) * 1000
    known, agent = b"authorization" in headers, headers.get(b"user-agent", "")
    name = fault.name if fault else None
    return RequestRecord(
        scope["method"], path, query, wire.status, known, agent, wire.bytes, name, round(milliseconds, 2)
    )
