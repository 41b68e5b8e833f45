"""The page of `clincot app`: asked by a client and in a browser, with hostile uploads, without a trace on disk."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import socket
import struct
import threading
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safehttpx
from gradio_client import Client, handle_file
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from clincot.images import encode_png
from clincot.runs.app import uploads
from clincot.runs.app.page import opened
from clincot.runs.asking import Asking
from tests.dicoms import dicom
from tests.lamps import LampEngine, LampProposer, picture, recipe

HOSTILE = '"><script>window.ran = true</script> ${window.ran = true} {{7*7}} <img src=x onerror="window.ran = true">'
NAME = "<img src=x onerror=alert(1)>.png"


@dataclass(frozen=True)
class Served:
    """An open page and the folder in which its uploads wait."""

    url: str
    folder: Path

    def ask(self, file: Path | list[Path] | str, question: str = "On which side is the nodule?") -> tuple[str, str]:
        """Return what a new session sees of an image and of the answer."""
        client = Client(self.url, verbose=False)
        files = [handle_file(str(one)) for one in (file if isinstance(file, list) else [file])]
        shown = client.predict(files, api_name="/image")
        shown = shown[0] if isinstance(shown, (tuple, list)) else shown
        return str(shown), str(client.predict(question, False, api_name="/ask"))

    def call(self, name: str, data: list[Any]) -> str:
        """Return the events of a call whose paths no client has sent first."""
        url, body = f"{self.url}gradio_api/call/{name}", json.dumps({"data": data}).encode()
        asked = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked) as answer:
            event = json.load(answer)["event_id"]
        with urllib.request.urlopen(f"{url}/{event}") as answer:
            return str(answer.read().decode())

    @property
    def left(self) -> list[str]:
        """Return the files that are on disk, without Gradio's empty folders; empty files have 20 s to go."""
        deadline = time.time() + 20
        while True:
            files = [path for path in self.folder.rglob("*") if path.is_file()]
            if not files or any(path.stat().st_size for path in files) or time.time() > deadline:
                return list(map(str, files))
            time.sleep(0.2)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    asking = Asking(recipe(), {"base": LampEngine(), "round-1": LampEngine()}, LampProposer())
    with opened(asking, "a <run>", "127.0.0.1", port) as url:
        yield Served(url, Path(os.environ["GRADIO_TEMP_DIR"]))


def bomb() -> bytes:
    """Return a PNG of a few kilobytes whose header promises 40,000 x 40,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(10**6)))
        + chunk(b"IEND", b"")
    )


def deep() -> bytes:
    """Return a PNG of 16 bits with a lamp on the left."""
    values = np.asarray(picture("left").convert("L")).astype(np.uint16) * 100 + 3
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG")
    return buffer.getvalue()


def test_base_and_adapter_answer_side_by_side_with_maps_and_regions(served: Served, tmp_path: Path) -> None:
    (tmp_path / "film.png").write_bytes(encode_png(picture("left")))
    shown, html = served.ask(tmp_path / "film.png")
    assert "film.png, 64 x 64 pixels" in shown
    assert re.findall(r"<h4[^>]*>([^<]+)</h4>", html) == ["base", "round-1", "Where each hypothesis shows"]
    assert html.count("left</bdi>") == 2 and html.count("The local image is lit.") == 2
    assert "nodule 0.98" in html and "effusion 0.10" in html and "Not for clinical use." in html
    assert served.left == []


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        ("page.html", b"<script>alert(1)</script>", "cannot be read as an image"),
        ("empty.png", b"", "is empty"),
        ("cut.png", encode_png(picture("left"))[:60], "cannot be read as an image"),
        ("bomb.png", bomb(), "exceeds limit"),
        ("film.dcm", dicom(np.zeros((4, 4), np.uint16))[:200], "without an image"),
        ("many.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "cannot be read as an image"),
    ],
)
def test_a_bad_upload_is_a_sentence_and_leaves_nothing(
    name: str, data: bytes, problem: str, served: Served, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    shown, html = served.ask(tmp_path / name)
    assert 'role="alert"' in shown and problem in shown and name in shown
    assert "no image: is given yet" in html and served.left == []


@pytest.mark.parametrize(
    ("name", "data"),
    [("deep.png", deep()), ("film.dcm", dicom(np.asarray(picture("left").convert("L")).astype(np.uint16) * 100))],
)
def test_16_bits_are_read(name: str, data: bytes, served: Served, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    shown, html = served.ask(tmp_path / name)
    assert "64 x 64" in shown and html.count("left</bdi>") == 2 and served.left == []


def test_a_script_in_a_name_or_question_is_text(served: Served, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(encode_png(picture("left")))
    shown, html = served.ask(tmp_path / NAME, f"Is there a nodule? {HOSTILE}")
    assert "<img src=x" not in shown + html and "<script" not in html and "&lt;script&gt;" in html
    assert served.left == []


def test_ten_files_at_once_are_refused_and_deleted(served: Served, tmp_path: Path) -> None:
    files = []
    for number in range(10):
        files.append(tmp_path / f"{number}.png")
        files[-1].write_bytes(encode_png(picture("left", shade=number)))
    shown, _ = served.ask(files)
    assert "10 files: a question is about one image" in shown and served.left == []


def test_ten_people_at_once_get_their_own_answers(served: Served, tmp_path: Path) -> None:
    sides = ["left", "right"] * 5
    for number, side in enumerate(sides):
        (tmp_path / f"{number}.png").write_bytes(encode_png(picture(side, shade=number)))
    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(lambda n: served.ask(tmp_path / f"{n}.png")[1], range(10)))
    assert [("left" if "left</bdi>" in html else "right") for html in found] == sides
    assert served.left == []


@pytest.mark.parametrize("path", ["/etc/passwd", "SECRET", "http://127.0.0.1:9/a.png", "http://localhost:9/a.png"])
def test_files_of_this_machine_and_addresses_are_not_read(path: str, served: Served, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(encode_png(picture("left")))
    where = str(secret) if path == "SECRET" else path
    said = served.call("image", [[{"path": where, "meta": {"_type": "gradio.FileData"}}]])
    assert "event: error" in said and "64 x 64" not in said and "root:" not in said
    assert secret.is_file() and served.left == []


@pytest.mark.parametrize("name", ["image", "ask"])
@pytest.mark.parametrize("more", [{}, {"is_stream": True}, {"url": "http://localhost/a.png"}])
def test_no_call_makes_this_server_ask_another(
    name: str, more: dict[str, Any], served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Counting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(encode_png(picture("left")))

    monkeypatch.setattr(safehttpx, "is_public_ip", lambda address: True)  # as if it were a public server
    with ThreadingHTTPServer(("127.0.0.1", 0), Counting) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        where = f"http://localhost:{other.server_port}/a.png"
        file = {"path": where, "meta": {"_type": "gradio.FileData"}, **more}
        said = served.call(name, [[file]] if name == "image" else [file, False])
        for prefix in ("file=", "proxy="):
            with pytest.raises(urllib.error.HTTPError, match="403"):
                urllib.request.urlopen(f"{served.url}gradio_api/{prefix}{where}")
        other.shutdown()
    assert asked == [] and "64 x 64" not in said and served.left == []


def test_what_was_sent_and_never_taken_in_is_swept(tmp_path: Path) -> None:
    with uploads.waiting(age=0.4) as place:
        (place.folder / "abc").mkdir()
        (place.folder / "abc" / "film.png").write_bytes(b"x")
        deadline = time.time() + 20
        while any(place.folder.iterdir()) and time.time() < deadline:
            time.sleep(0.1)
        assert list(place.folder.iterdir()) == []
        folder = place.folder
    assert not folder.exists()


def test_responses_let_a_browser_load_from_this_server_alone(served: Served) -> None:
    with urllib.request.urlopen(served.url) as answer:
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        page = answer.read().decode()
    assert "fonts.googleapis.com" not in page and "cdnjs" not in page


@pytest.fixture
def page(served: Served) -> Iterator[tuple[Page, list[str]]]:
    """Yield the page in a browser, and what went wrong: errors, dialogs, and requests for another server."""
    faults: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1400})
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: faults.append(dialog.message))
        inside = (served.url, "data:", "blob:")
        page.on("request", lambda asked: None if asked.url.startswith(inside) else faults.append(asked.url))
        page.goto(served.url)
        page.get_by_role("button", name="Ask").wait_for(timeout=120_000)
        yield page, faults
        browser.close()


def _drop(page: Page, files: list[dict[str, Any]]) -> None:
    page.locator("input[type=file]").first.set_input_files(files)


def test_a_person_drops_an_image_and_asks(page: tuple[Page, list[str]], served: Served, tmp_path: Path) -> None:
    browser, faults = page
    _drop(browser, [{"name": NAME, "mimeType": "image/png", "buffer": encode_png(picture("right"))}])
    browser.get_by_text("64 x 64 pixels").wait_for(timeout=60_000)
    browser.get_by_label("Question", exact=True).fill(f"On which side? {HOSTILE}")
    browser.get_by_role("button", name="Ask").click()
    browser.get_by_text("Where each hypothesis shows").wait_for(timeout=60_000)
    folder = Path(os.environ.get("CLINCOT_SHOTS", str(tmp_path)))
    browser.screenshot(path=str(folder / "app-1280.png"), full_page=True)
    browser.set_viewport_size({"width": 390, "height": 900})
    browser.screenshot(path=str(folder / "app-390.png"), full_page=True)
    assert browser.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert browser.evaluate("window.ran") is None and "${window.ran = true} {{7*7}}" in browser.inner_text("body")
    assert faults == [] and served.left == []


def test_a_person_drops_ten_files_or_a_wrong_one(page: tuple[Page, list[str]], served: Served) -> None:
    browser, faults = page
    png = {"mimeType": "image/png", "buffer": encode_png(picture("left"))}
    _drop(browser, [{"name": f"{number}.png", **png} for number in range(10)])
    browser.get_by_text("10 files: a question is about one image").wait_for(timeout=60_000)
    _drop(browser, [{"name": "a.html", "mimeType": "text/html", "buffer": b"<script>window.ran = true</script>"}])
    browser.get_by_text("cannot be read as an image").wait_for(timeout=60_000)
    assert browser.evaluate("window.ran") is None and faults == [] and served.left == []
