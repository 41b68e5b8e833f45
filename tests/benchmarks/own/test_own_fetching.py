"""Images at URLs: fetched once, when it is asked for, within limits, from a real server on this machine."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from own_folders import png, write
from typer.testing import CliRunner

from clincot.benchmarks import load
from clincot.benchmarks.own import OwnData
from clincot.benchmarks.own.fetching import Limits, fetch
from clincot.cli import app
from clincot.errors import DataError


class Images(BaseHTTPRequestHandler):
    """`/N.png` is an image, the others are what a server may do instead."""

    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = (
            png(int(self.path[1])) if self.path.endswith(".png") else b"<html>" if self.path == "/page" else b"x" * 5000
        )
        self.send_response(200 if self.path != "/gone" else 404)
        self.end_headers()
        for start in range(0, len(body), 1000):
            self.wfile.write(body[start : start + 1000])
            time.sleep(0.3 if self.path == "/slow" else 0)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Images, "asked", [])
    with ThreadingHTTPServer(("127.0.0.1", 0), Images) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{found.server_address[1]}"
        found.shutdown()


def test_images_are_fetched_once_and_then_read_from_the_folder(server: str, tmp_path: Path) -> None:
    rows = [{"image": f"{server}/{i % 3}.png", "question": f"What {i}?", "answer": "x"} for i in range(6)]
    folder = write(tmp_path / "data", [])
    (folder / "metadata.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    refused = CliRunner().invoke(app, ["benchmarks", "fetch", str(folder)])
    assert isinstance(refused.exception, DataError) and Images.asked == []
    assert "3 images are at 127.0.0.1 (3). Fetch with --allow-urls" in str(refused.exception)
    for _ in range(2):
        assert CliRunner().invoke(app, ["benchmarks", "fetch", str(folder), "--allow-urls"]).exit_code == 0
    assert sorted(Images.asked) == ["/0.png", "/1.png", "/2.png"]
    benchmark = load(str(folder))
    assert isinstance(benchmark, OwnData)
    found = [e for examples in benchmark.contents(folder).examples.values() for e in examples]
    assert {e.encoded() for e in found} == {png(0), png(1), png(2)} and len(found) == 6


@pytest.mark.parametrize(
    ("path", "limits", "why"),
    [
        ("/gone", Limits(), "404"),
        ("/page", Limits(), "is no image"),
        ("/large", Limits(size=4000), "more than 4,000 bytes"),
        ("/slow", Limits(seconds=0.5), "more than 0.5 seconds"),
    ],
)
def test_what_gives_no_image_within_the_limits_is_named(
    server: str, tmp_path: Path, path: str, limits: Limits, why: str
) -> None:
    (failed,) = fetch(tmp_path, [f"{server}{path}", f"{server}/1.png"], limits, lambda line: None)
    assert failed.startswith(f"{server}{path}: ") and why in failed
    assert [file.read_bytes() for file in (tmp_path / "fetched").iterdir()] == [png(1)]


def test_too_many_images_other_schemes_and_too_long_a_time_are_refused(server: str, tmp_path: Path) -> None:
    urls = [f"{server}/{i}.png" for i in range(3)]
    with pytest.raises(DataError, match="3 images are to be fetched, more than 2. Allow it with --most N"):
        fetch(tmp_path, urls, Limits(count=2), print)
    with pytest.raises(DataError, match="ftp://a/1.png: is neither http nor https"):
        fetch(tmp_path, ["ftp://a/1.png"], Limits(), print)
    with pytest.raises(DataError, match="0 of 3 images were fetched in -1 seconds"):
        fetch(tmp_path, urls, Limits(together=-1), print)
    assert Images.asked == []


def test_a_host_that_does_not_answer_is_named_in_plain_words(tmp_path: Path) -> None:
    (failed,) = fetch(tmp_path, ["http://127.0.0.1:9/a.png"], Limits(), lambda line: None)
    assert failed == "http://127.0.0.1:9/a.png: Connection refused"
