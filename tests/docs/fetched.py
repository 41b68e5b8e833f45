"""The folder of a built site -> what its pages and styles would fetch from elsewhere; `make docs` ends with it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

# A link that a reader may follow is no fetch.
LOADED = re.compile(r"<(?!a\b)\w+[^>]*?\b(?:src|srcset|href|data|poster)=[\"']?(?:https?:)?//[^\"'\s>]+")
STYLED = re.compile(r"(?:url\(|@import )\s*[\"']?(?:https?:)?//[^\"')\s]+")


def fetched(site: Path) -> list[str]:
    """Return each tag and each style that names an address elsewhere, with its file."""
    found = []
    for path in sorted(site.rglob("*")):
        if path.suffix in (".html", ".css", ".svg"):
            text = path.read_text(encoding="utf-8")
            rules = (LOADED, STYLED) if path.suffix != ".css" else (STYLED,)
            found += [f"{path.relative_to(site)}: {hit}" for rule in rules for hit in rule.findall(text)]
    return found


if __name__ == "__main__":
    sys.exit("\n".join(fetched(Path(sys.argv[1]))) or None)
