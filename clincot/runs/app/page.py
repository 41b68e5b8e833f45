"""A run, its policies and an address -> a Gradio page: one image, one question, the answers side by side."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import Any

from clincot.errors import ClincotError, HubError
from clincot.report.fragments.answers import answers_html, image_html, problem_html
from clincot.runs.app import fetching
from clincot.runs.app.policy import ContentPolicy
from clincot.runs.app.uploads import LARGEST, Upload, Waiting, waiting
from clincot.runs.asking import Asked, Asking, as_example

QUEUED = 20  # questions that may wait; further ones are refused
SESSIONS = 20  # images that the server remembers, one for each browser
FORGET = 900  # seconds after which an image is forgotten
LONGEST = 2_000  # characters of a question
NOTE = (
    "<strong>Not for clinical use.</strong> Research software: nothing that it says may inform the care of a patient."
    " The image stays in the memory of this server for 15 minutes at most and is not stored."
)


@dataclass(frozen=True)
class Answering:
    """What the page calls: every error is a sentence on it."""

    asking: Asking
    place: Waiting

    def take(self, paths: list[str] | None) -> tuple[Upload | None, str, None]:
        """Return the image to remember, what the page shows of it, and None, which empties the field of files."""
        if not paths:
            return None, "", None
        try:
            upload = self.place.take(paths)
            return upload, image_html(upload.decoded(), upload.name), None
        except ClincotError as error:
            return None, problem_html(str(error)), None

    def answer(self, upload: Upload | None, question: str, report: bool) -> str:
        """Return the answers as HTML."""
        if upload is None:
            return problem_html("no image: is given yet. Drop one in the field of images.")
        if not question.strip() or len(question) > LONGEST:
            return problem_html(f"question: is empty or longer than {LONGEST:,} characters. Write one sentence.")
        try:
            example = as_example(self.asking.recipe, upload.data, upload.name, question, report=report)
            asked = self.asking.ask(example)
            return _html(upload, example.question, asked)
        except ClincotError as error:
            return problem_html(str(error))


def _html(upload: Upload, question: str, asked: list[Asked]) -> str:
    first = asked[0]
    answers = {one.policy: one.answer for one in asked}
    return answers_html(upload.decoded(), question, first.maps, first.regions, answers)


@contextmanager
def opened(asking: Asking, name: str, host: str, port: int) -> Iterator[str]:
    """Serve the page while the context is open and yield its URL; `name` is its heading.

    The page asks for nothing outside of its server, and Gradio sends no statistics. Raises HubError where the port is
    taken.
    """
    os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_DISABLE_TELEMETRY="1", DO_NOT_TRACK="1")
    with waiting() as place:
        import gradio  # after its folder of temporary files is named, which it reads once

        with fetching.refused(gradio):
            page = _page(gradio, name, Answering(asking, place))
            url = _launched(gradio, page, host, port)
            try:
                yield url
            finally:
                page.close(verbose=False)


def _launched(gradio: Any, page: Any, host: str, port: int) -> str:
    """Start the server of the page and return its URL."""
    try:
        _, url, _ = page.launch(
            server_name=host,
            server_port=port,
            prevent_thread_lock=True,
            share=False,
            quiet=True,
            inbrowser=False,
            max_file_size=LARGEST,
            ssr_mode=False,
            pwa=False,
            run_history=False,
            enable_monitoring=False,
            mcp_server=False,
            footer_links=["gradio"],
            state_session_capacity=SESSIONS,
            theme=gradio.themes.Base(font=("system-ui", "sans-serif"), font_mono=("monospace",)),
            app_kwargs={"middleware": [ContentPolicy.layer()], "docs_url": None, "redoc_url": None},
        )
    except OSError as error:
        raise HubError(f"--port {port}: cannot be used on {host} ({error}). Give another port.") from error
    return str(url)


def serve(asking: Asking, name: str, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve the page until the process is stopped."""
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:  # in a Space: nothing would be deleted
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with opened(asking, name, host, port) as url:
        say(f"{' and '.join(asking.engines)} answer at {url} (stop with Ctrl-C)")
        while True:
            time.sleep(3600)


def _page(gradio: Any, name: str, answering: Answering) -> Any:
    """Return the page, which runs one question at a time."""
    with gradio.Blocks(title="clincot", analytics_enabled=False, fill_width=True) as page:
        gradio.HTML(f"<h1>{escape(name)}</h1><p>{NOTE}</p>")
        remembered = gradio.State(time_to_live=FORGET)
        with gradio.Row():
            files = gradio.File(
                label="Image: PNG, JPEG, TIFF, WebP or DICOM", file_count="multiple", type="filepath", height=160
            )
            shown = gradio.HTML(label="the image")
        question = gradio.Textbox(label="Question", max_length=LONGEST, placeholder="Can a nodule be seen?")
        report = gradio.Checkbox(label="The question asks for a whole report")
        button = gradio.Button("Ask", variant="primary")
        answers = gradio.HTML(label="answers")
        # A separate queue: an image is taken in, and its file deleted, while a question is being answered.
        files.upload(answering.take, files, [remembered, shown, files], api_name="image", concurrency_id="images")
        asked: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "questions"}
        button.click(answering.answer, [remembered, question, report], answers, api_name="ask", **asked)
        question.submit(answering.answer, [remembered, question, report], answers, api_visibility="private", **asked)
    return page.queue(max_size=QUEUED, api_open=False)
