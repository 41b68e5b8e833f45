"""A 1 GiB file and a 5,000-file repo -> seconds up and down, and the most memory the serving process held.

Run as `python perf/hub_large.py`; the server is `clincot hub serve`, a process of its own, the client is this one.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

MIB = 1 << 20
REPO = "clincot/large"


def make_file(path: Path, size: int) -> str:
    """Write `size` pseudo-random bytes that no file system can compress away; returns their sha256."""
    digest = hashlib.sha256()
    block = os.urandom(MIB)
    with path.open("wb") as file:
        for number in range(size // MIB):
            piece = number.to_bytes(8, "big") + block[8:]
            file.write(piece)
            digest.update(piece)
    return digest.hexdigest()


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def serve(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start `clincot hub serve` on a free port -> the process and its endpoint, once it answers."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "clincot", "hub", "serve", str(folder), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(1200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return process, f"http://127.0.0.1:{port}"
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server did not start within a minute")


def memory(process: subprocess.Popen[bytes]) -> tuple[float, float]:
    """MiB held resident now and at most so far."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return tuple(int(status.split(f"{name}:")[1].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))  # type: ignore[return-value]


def timed(what: str, process: subprocess.Popen[bytes], work: Callable[[], object], size: int = 0) -> object:
    started = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - started
    rate = f", {size / MIB / seconds:6.0f} MiB/s" if size else ""
    now, peak = memory(process)
    print(f"{what:44}{seconds:8.1f} s{rate:16} server: {now:4.0f} MiB now, {peak:4.0f} MiB at most", flush=True)
    return result


def large_file(api, process: subprocess.Popen[bytes], folder: Path, size: int) -> None:
    from huggingface_hub import hf_hub_download

    source = folder / "source.safetensors"
    digest = make_file(source, size)
    api.create_repo(REPO)

    def up() -> None:
        api.upload_file(path_or_fileobj=source, path_in_repo="w.safetensors", repo_id=REPO)

    timed(f"{size // MIB} MiB file, up", process, up, size)
    got = timed(
        f"{size // MIB} MiB file, down",
        process,
        lambda: hf_hub_download(REPO, "w.safetensors", cache_dir=folder / "cache"),
        size,
    )
    assert sha256_of(Path(str(got))) == digest, "the bytes that came back are not those that went"
    shutil.rmtree(folder / "cache")
    source.unlink()


def many_files(api, process: subprocess.Popen[bytes], folder: Path, count: int) -> None:
    from huggingface_hub import snapshot_download

    repo, source = f"{REPO}-many", folder / "many"
    contents = {f"part-{number % 50:02}/{number:05}.txt": f"file {number}\n".encode() * 20 for number in range(count)}
    for path, content in contents.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_bytes(content)
    api.create_repo(repo)
    timed(f"{count} files, up in one commit", process, lambda: api.upload_folder(repo_id=repo, folder_path=source))
    listed = timed(f"{count} files, listed", process, lambda: api.list_repo_files(repo))
    assert len(listed) == count + 1  # type: ignore[arg-type]
    got = timed(
        f"{count} files, snapshot",
        process,
        lambda: snapshot_download(repo, cache_dir=folder / "cache", max_workers=4),
    )
    assert {path: (Path(str(got)) / path).read_bytes() for path in contents} == contents
    timed(
        f"{count} files, snapshot again (cached)",
        process,
        lambda: snapshot_download(repo, cache_dir=folder / "cache", max_workers=4),
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--mib", type=int, default=1024, help="size of the large file")
    options.add_argument("--files", type=int, default=5000, help="number of small files")
    options.add_argument("--limit", type=float, default=200, help="MiB the server may hold at most")
    wanted = options.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="hub-large-"))
    from clincot.localhub import environment, write_token

    process, endpoint = serve(folder / "hub")
    try:
        os.environ.update(environment(endpoint, folder / "hub", write_token(folder / "hub")))
        os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
        from huggingface_hub import HfApi

        print(f"server at rest: {memory(process)[0]:.0f} MiB")
        large_file(HfApi(), process, folder, wanted.mib * MIB)
        many_files(HfApi(), process, folder, wanted.files)
        peak = memory(process)[1]
        assert peak < wanted.limit, f"the server held {peak:.0f} MiB, more than {wanted.limit:.0f}"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
