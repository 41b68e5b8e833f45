"""The text of an HTML page -> whether its tags are closed, and what a browser would load."""

from __future__ import annotations

from html.parser import HTMLParser


class Outline(HTMLParser):
    """Checks that every tag that is opened is closed, but for those of `void`, and collects what would be loaded."""

    def __init__(self, *void: str) -> None:
        super().__init__()
        self.void = void
        self.open: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [str(value) for name, value in attrs if name in ("src", "href")]
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
