"""A user's mistake: one clear message, exit code 2, no traceback, and what was finished stays."""

from __future__ import annotations

import json
import resource
import signal
import socket
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command import SMALL, clincot, start


def refused(*words: str, cwd: Path) -> str:
    """Run what must be refused and return the message."""
    _, err = clincot(*words, cwd=cwd, code=2)
    assert "Traceback" not in err, err
    return err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("build-data", "--set", "biuld.steps=2"), "unknown key 'biuld'. Did you mean 'build'?"),
        (("build-data", "--recipe", "clincott"), "no such recipe. Did you mean 'clincot'?"),
        (("build-data", "--setting", "phantm"), "no such setting. Did you mean 'phantom'?"),
        (("build-data", "--benchmark", "vqarad"), "Did you mean 'vqa-rad'?"),
        (("build-data", "--set", "method=clinctt"), "Did you mean 'clincot'?"),
        (("train", "--hub", "elsewhere"), "is neither local:PATH nor a URL"),
        (("train", "--name", "a/b"), "is not a repository name"),
        (("train", "--objective", "dpo"), "--objective 'dpo': is not known. Give one of margin_dpo, "),
        (("hub", "ls", "nowhere"), "no such folder"),
        (("benchmarks", "import", "slake", "."), "Only vqa-rad"),
    ],
)
def test_unknown_names_are_named_with_the_nearest_known_one(words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    assert says in refused(*words, cwd=tmp_path)


def test_the_old_name_of_an_option_is_refused_with_the_new_one(tmp_path: Path) -> None:
    assert "has another name now. Give --restore-images." in refused("build-data", "--rebuild-images", cwd=tmp_path)


def test_the_former_option_for_drawing_pairs_again_names_the_command(tmp_path: Path) -> None:
    err = refused("build-data", "--repair-pairs", cwd=tmp_path)
    assert "--repair-pairs is a separate command now. Run `clincot pair` with the same options." in err
    assert not list(tmp_path.iterdir())


def test_a_round_without_its_predecessor_says_what_to_run(small_hub: Path, tmp_path: Path) -> None:
    words = ("--name", "early", "--hub", f"local:{small_hub}")
    err = refused("build-data", "--round", "2", *words, cwd=tmp_path)
    assert "round 2 needs the adapter of round 1" in err and "clincot train --round 1 --name early" in err
    err = refused("train", "--round", "1", *words, cwd=tmp_path)
    assert "round 1 has no preference data" in err and "clincot build-data --round 1 --name early" in err
    err = refused("evaluate", "--round", "1", *words, cwd=tmp_path)
    assert "round 1 has no adapter" in err


def test_a_dataset_that_holds_no_preferences_is_refused(small_hub: Path, tmp_path: Path) -> None:
    from clincot.hub import connect
    from clincot.records.lineage import Lineage

    pq.write_table(pa.table({"question": ["Is there a nodule?"]}), tmp_path / "rows.parquet")
    lineage = Lineage("build-data", "odd", 1, "clincot", "phantom", "", "", 0)
    files = {
        "round-1/train-00000-of-00001.parquet": tmp_path / "rows.parquet",
        "rounds/round-1/lineage.json": lineage.to_json().encode(),
    }
    with connect(f"local:{small_hub}", main=False) as hub:
        hub.publish("dataset", "demo/odd-preferences", files, tag="round-1", message="Odd", private=True)
    err = refused("train", "--name", "odd", "--hub", f"local:{small_hub}", cwd=tmp_path)
    assert "is not a preference dataset" in err and "question" in err


def test_unreadable_images_are_skipped_counted_and_named(small_hub: Path, tmp_path: Path) -> None:
    from clincot.hub import connect

    with connect(f"local:{small_hub}", main=False) as hub:
        folder = hub.snapshot(hub.resolve("dataset", "clincot/phantom"))
        table = pq.read_table(folder / "data/train-00000-of-00001.parquet")
        broken = table["image_id"][0].as_py()
        images = [
            {"bytes": b"no image", "path": "x.png"} if name.as_py() == broken else image.as_py()
            for name, image in zip(table["image_id"], table["image"], strict=True)
        ]
        column = table.schema.get_field_index("image")
        table = table.set_column(column, table.field(column), pa.array(images, table.field(column).type))
        pq.write_table(table, tmp_path / "train.parquet")
        other = {path: folder / path for path in hub.list_files(hub.resolve("dataset", "clincot/phantom"))}
        other["data/train-00000-of-00001.parquet"] = tmp_path / "train.parquet"
    target = f"local:{tmp_path / 'hub'}"
    with connect(target, main=False) as hub:
        hub.publish("dataset", "clincot/phantom", other, tag=None, message="Break one image", private=False)
    everything = [word for word in SMALL if "max_images" not in word]
    _, err = clincot("build-data", "--name", "broken", "--hub", target, *everything, "--set=rounds=1", cwd=tmp_path)
    assert err.count(f"left out: {broken}: cannot be read as an image") == 1
    assert err.index(f"Left out, image unreadable (1): {broken}.") > err.index(f"left out: {broken}")
    build = tmp_path / "runs/broken/round-1/build"
    reports = [json.loads(path.read_text()) for path in build.rglob("shard.json")]
    assert [name for report in reports for name in report["unreadable_images"]] == [broken]


def test_a_port_in_use_is_named(small_hub: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = str(held.getsockname()[1])
        err = refused("hub", "serve", str(small_hub), "--port", port, cwd=small_hub.parent)
    assert f"port {port}" in err and "--port" in err


def test_a_hub_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert "file" in refused("demo", "--hub", "local:file/hub", cwd=tmp_path)


def test_a_wrong_token_is_named_and_never_printed(small_hub: Path, tmp_path: Path) -> None:
    from clincot.localhub import LocalHub

    with LocalHub(small_hub) as hub, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_TOKEN", "hf_wrong_and_secret_0123456789")
        err = refused("build-data", "--hub", hub.endpoint, *SMALL, cwd=tmp_path)
    assert "token" in err and "hf_wrong" not in err


@pytest.mark.long
def test_a_full_disk_stops_with_a_message_and_the_build_goes_on_later(small_hub: Path, tmp_path: Path) -> None:
    words = ("build-data", "--name", "full", "--hub", f"local:{small_hub}", *SMALL)
    clincot("build-data", "--name", "warm", "--hub", f"local:{small_hub}", *SMALL, cwd=tmp_path)

    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))

    process = start(*words, cwd=tmp_path, preexec_fn=small_files)
    _, err = process.communicate(timeout=200)
    assert process.returncode == 2 and "Traceback" not in err, err
    assert "Free space" in err, err
    clincot(*words, cwd=tmp_path)
    pairs = [tmp_path / f"runs/{name}/round-1/build/merged/pairs.parquet" for name in ("full", "warm")]
    assert pq.read_table(pairs[0]).equals(pq.read_table(pairs[1]))


@pytest.mark.parametrize(
    "number",
    [pytest.param(signal.SIGINT, id="ctrl-c"), pytest.param(signal.SIGTERM, id="scheduler", marks=pytest.mark.long)],
)
def test_a_stop_says_that_the_same_command_goes_on(number: signal.Signals, small_hub: Path, tmp_path: Path) -> None:
    process = start("build-data", "--name", "stopped", "--hub", f"local:{small_hub}", *SMALL, cwd=tmp_path)
    shards = tmp_path / "runs/stopped/round-1/build/shards/00000"
    while not (shards / "shard-00000000").exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert (
        process.returncode == 128 + number
        and f"Stopped by {number.name}" in err
        and "run the same command again" in err
        and "Traceback" not in err
    )
    assert (shards / "shard-00000000" / "shard.json").exists()
