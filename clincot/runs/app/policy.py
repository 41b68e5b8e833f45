"""The responses of a web application -> the same, with headers by which a browser loads from this server alone."""

from __future__ import annotations

from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clincot.runs.app.places import in_space

# Gradio builds its components with inline styles and with functions made of texts.
SOURCES = "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'"
INSIDE = f"{SOURCES}; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; form-action 'self'"
FRAMES = "; frame-ancestors 'none'"  # a Space is shown in a frame of its Hub


class ContentPolicy:
    """A layer of an ASGI application."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.policy = INSIDE if in_space() else INSIDE + FRAMES

    @classmethod
    def layer(cls) -> Any:
        """Return the layer as Starlette and FastAPI take it."""
        return Middleware(cls)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = self.policy
                headers["Referrer-Policy"] = "no-referrer"
                headers["X-Content-Type-Options"] = "nosniff"
            await send(message)

        # Gradio fetches an address that follows `file=`, or `proxy=`, for whoever asks.
        if scope["type"] == "http" and ("://" in scope["path"] or "/proxy=" in scope["path"]):
            await PlainTextResponse("addresses are not fetched", status_code=403)(scope, receive, with_headers)
        else:
            await self.app(scope, receive, with_headers)
