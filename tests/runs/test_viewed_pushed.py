"""The page of a round as a static Space: pushed whole and replaced whole; never of sealed or restricted data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sealed_run import SealedRun

from clincot.errors import DataError
from clincot.runs.rounds.viewed import Viewed
from clincot.runs.rounds.viewed_pushed import check_page, preview_page, push_page
from clincot.runs.rounds.viewed_source import ViewedSource, find_source
from clincot.runs.run import Run


def viewed(sealed: SealedRun, folder: Path, *names: str) -> Viewed:
    """Return a page of these files, as of a round of the phantom, which may be passed on."""
    folder.mkdir()
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(name.encode())
    facts = {"source": "clincot/phantom", "licence": "cc0-1.0", "method": sealed.build.lineage.facts["method"]}
    made = replace(sealed.build.lineage, benchmark="phantom", facts=facts)
    return Viewed(folder / "index.html", 7, ViewedSource((), name="shut round-1", data=sealed.build.pin, made=made))


def test_a_page_is_a_space_that_the_next_push_replaces(sealed: SealedRun, copied: Run, tmp_path: Path) -> None:
    said: list[str] = []
    first = viewed(sealed, tmp_path / "first", "index.html", "images/a.png", "maps/b.png")
    folder = preview_page(copied, first, said.append)
    assert (folder / "maps/b.png").is_file() and any("nothing was pushed" in line for line in said)
    repo = f"{copied.namespace}/shut-round-1-pairs"
    assert not copied.target.exists("space", repo)
    pin = push_page(copied, first, said.append)
    assert (pin.kind, pin.repo) == ("space", repo)
    card = copied.target.read(pin, "README.md").decode()
    assert card == (folder / "README.md").read_text() and card.startswith(
        "---\ntitle: Pairs of shut round-1\nsdk: static"
    )
    assert "license: cc0-1.0" in card and "7 preference pairs" in card and "Not for clinical use." in card
    again = push_page(copied, viewed(sealed, tmp_path / "second", "index.html", "images/c.png"), said.append)
    held = set(copied.target.list_files(again)) - {".gitattributes"}
    assert held == {"README.md", "index.html", "images/c.png"}


def test_pages_of_sealed_and_restricted_data_and_of_no_lineage_are_refused(
    sealed: SealedRun, copied: Run, tmp_path: Path
) -> None:
    source = find_source(copied, "round-1")
    assert source.sealed and source.made is not None
    with pytest.raises(DataError, match=r"--push: the pairs of shut round-1 are .*this machine alone"):
        check_page(copied, source)
    rows = {"licence": "cc-by-4.0", "imported": {"privacy": "restricted"}}
    with pytest.raises(DataError, match="are restricted"):
        check_page(copied, replace(source, sealed=False, made=replace(source.made, facts=rows)))
    with pytest.raises(DataError, match="has no lineage"):
        check_page(copied, ViewedSource((), name="a folder"))
    with pytest.raises(DataError, match="forbid passing them on"):
        page = viewed(sealed, tmp_path / "nd", "index.html")
        assert page.source.made is not None
        made = replace(page.source.made, facts={"licence": "CC-BY-NC-ND-4.0"})
        push_page(copied, replace(page, source=replace(page.source, made=made)), print)
