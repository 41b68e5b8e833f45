"""Pages outside of docs/ and the links of all pages -> a site whose links stay inside it; a hook of `mkdocs.yml`."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File
from pymdownx.slugs import slugify

ROOT = Path(__file__).parents[1]
ADDED = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "recipes/README.md": "recipes/index.md",
    "recipes/servers/README.md": "recipes/servers.md",
}
FENCED = re.compile(r"^```.*?^```$", re.M | re.S)
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s:]+)\)|(!\[[^\]]*\]\()([^)\s:]+)\)")
INFO = re.compile(r"^```(\w+) (\S.*)$", re.M)


def on_config(config: Any) -> Any:
    """Give headings the anchors that GitHub gives them: pages are read in both places."""
    config["mdx_configs"]["toc"]["slugify"] = slugify(case="lower")
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that lie outside of docs/, and each decision to the navigation."""
    for source, page in ADDED.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    decisions = next(part["Decisions"] for part in config["nav"][-1]["About"] if "Decisions" in part)
    decisions[1:] = sorted(uri for uri in files.src_uris if re.match(r"decisions/\d", uri))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Return the page with links within the site, and with what its fences say as captions."""
    uri = page.file.src_uri
    source = next((source for source, added in ADDED.items() if added == uri), f"docs/{uri}")
    parts, end = [], 0
    for fenced in FENCED.finditer(markdown):
        parts += [_linked(markdown[end : fenced.start()], source, uri), INFO.sub(_captioned, fenced[0], count=1)]
        end = fenced.end()
    return "".join([*parts, _linked(markdown[end:], source, uri)])


def on_page_content(html: str, **_: Any) -> str:
    """Return the page with each table in a region that scrolls and that the keyboard reaches."""
    region = '<div class="scrolled" role="region" aria-label="Table" tabindex="0"><table class="plain">'
    return html.replace("<table>", region).replace("</table>", "</table></div>")


def on_post_page(output: str, **_: Any) -> str:
    """Return the page whose search has a name for readers of screens; the theme gives it none."""
    return output.replace(
        'data-md-component="search" role="dialog"', 'data-md-component="search" role="dialog" aria-label="Search"'
    )


def _captioned(found: re.Match[str]) -> str:
    said = "a test runs these commands" if found[2] == "run" else found[2]
    return f'```{found[1]} title="{said}"'


def _linked(text: str, source: str, uri: str) -> str:
    """Return `text` of the file `source`, the page `uri`, with each link as the site has it."""

    def link(found: re.Match[str]) -> str:
        path, mark, anchor = (found[2] or found[4]).partition("#")
        if not path:
            return found[0]
        there = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
        page = ADDED.get(there) or (there.removeprefix("docs/") if there.startswith("docs/") else "")
        if not page:
            return found[1] or ""  # a file of the repository, which the site does not have
        to = posixpath.relpath(page, posixpath.dirname(uri) or ".")
        return f"[{found[1]}]({to}{mark}{anchor})" if found[1] else f"{found[3]}{to})"

    return LINK.sub(link, text)
