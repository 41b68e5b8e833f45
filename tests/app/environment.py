"""The tests' own environment -> `.venv/app`: the same packages, Gradio with what it needs, and Playwright for Python.

Gradio takes no Pillow 13 and no tomlkit 0.15, which the project's tests run with: here are the newest that it takes.
The browser is Debian's `chromium`.
"""

from __future__ import annotations

from tests import layered

FOLDER = layered.VENV / "app"
PACKAGES = (
    *("gradio==6.31.0", "gradio_client==2.7.2", "hf-gradio==0.4.1", "groovy==0.1.2", "safehttpx==0.1.7"),
    *("fastapi==0.165.0", "httpx==0.28.1", "httpcore==1.0.9", "orjson==3.13.0", "python-multipart==0.0.34"),
    *("opentelemetry-api==1.45.2", "brotli==1.2.1", "pydub==0.25.1", "pytz==2026.6", "semantic-version==2.10.0"),
    *("pillow==12.3.0", "tomlkit==0.14.0"),
    *("playwright==1.65.2", "pyee==13.0.1", "greenlet==3.5.6"),
)


if __name__ == "__main__":
    layered.make(FOLDER, PACKAGES, programs=["chromium"])
