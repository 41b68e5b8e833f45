"""A page of Markdown -> its fenced blocks with their headings, and the command lines of clincot that they hold."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tree import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "recipes").rglob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\S*)(?: ([^\n]*))?\n(.*?)^```$", re.M | re.S)
SHELLS = {"", "bash", "sh"}
ASSIGNED = re.compile(r"[A-Z_]+=")


@dataclass(frozen=True)
class Block:
    """One fenced block: what its fence says, its text, and the section of the page in which it is."""

    page: Path
    line: int
    language: str
    info: str
    text: str
    section: str

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def runs(self) -> bool:
        """Whether a test executes the block."""
        return "run" in self.info.split()

    def lines(self) -> list[str]:
        """Return the lines of a shell, those that end in a backslash joined."""
        return self.text.replace("\\\n", " ").splitlines() if self.language in SHELLS else []

    def commands(self) -> list[tuple[str, ...]]:
        """Return the words after `clincot` of each line that starts the program, in any way."""
        return [words for line in self.lines() if (words := _words(line)) is not None]


@cache
def blocks(page: Path) -> tuple[Block, ...]:
    """Return the fenced blocks of `page`, in order."""
    text = page.read_text(encoding="utf-8")
    return tuple(
        Block(page, text.count("\n", 0, found.start()) + 1, found[1], found[2] or "", found[3], _section(text, found))
        for found in FENCE.finditer(text)
    )


def lines_to_run(page: str) -> list[tuple[str, ...]]:
    """Return the words after `clincot` of all commands of `page`, in order, in the blocks that a test runs."""
    return [words for block in blocks(ROOT / page) if block.runs for words in block.commands()]


def all_blocks() -> list[Block]:
    """Return the blocks of every page but docs/mistakes.md, whose commands are mistakes and run in a test there."""
    return [block for page in PAGES if page.name != "mistakes.md" for block in blocks(page)]


def spoken(page: Path) -> list[tuple[str, ...]]:
    """Return the words after `clincot` of each command that the text of `page` names between backticks."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    return [tuple(found.split()) for found in re.findall(r"`clincot(?:\s+)([^`]+)`", text)]


def _section(text: str, found: re.Match[str]) -> str:
    """Return the text from the heading before a block to the heading after it."""
    before = [heading.start() for heading in re.finditer(r"^#+ ", FENCE.sub(_blank, text), re.M)]
    start = max((place for place in before if place < found.start()), default=0)
    return text[start : min((place for place in before if place > found.start()), default=len(text))]


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0])


def _words(line: str) -> tuple[str, ...] | None:
    if not re.search(r"\bclincot\b", line):
        return None
    if inside := re.search(r"\$\((clincot .*?)\)", line):
        line = inside[1]
    words = shlex.split(line, comments=True)
    while words and ASSIGNED.match(words[0]):
        words = words[1:]
    if words[:1] == ["clincot"] or (words and words[0].endswith("bin/clincot")):
        return tuple(words[1:])
    if "-m" in words and words[words.index("-m") + 1 :][:1] == ["clincot"]:
        return tuple(words[words.index("-m") + 2 :])
    return None
