from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from clincot.errors import HubError, TagExists
from clincot.hub import connect, parse_lineages

REPO = "clincot/pairs"


def publish(hub, number, files, card, **more):
    options = {"tag": f"round-{number}", "message": f"build-data round-{number}", "private": True, "card": card} | more
    return hub.publish("dataset", REPO, files, **options)


def test_a_push_is_one_commit_and_then_a_tag_on_it(hub, server, round_files, card, commits):
    pin = publish(hub, 1, round_files(1), card)
    assert commits(REPO) == ["build-data round-1", "initial commit"]
    assert hub.tags("dataset", REPO) == {"round-1": pin.sha}
    assert (pin.kind, pin.repo, pin.revision) == ("dataset", REPO, "round-1")
    writes = [
        r.path.split("/")[-2] for r in server.requests if r.method == "POST" and r.path.startswith("/api/datasets")
    ]
    assert writes[-2:] == ["commit", "tag"]
    assert set(hub.list_files(pin)) == {*round_files(1), "README.md", ".gitattributes"}


def test_the_second_round_keeps_the_files_and_the_facts_of_the_first(hub, round_files, card):
    first = publish(hub, 1, round_files(1, b"first"), card)
    second = publish(hub, 2, round_files(2, b"second"), card)
    assert hub.read(second, "round-1/train-0.parquet") == b"first"
    assert hub.read(second, "README.md").decode().endswith("rounds [1, 2]\n")
    assert hub.read(first, "README.md").decode().endswith("rounds [1]\n")
    files = {path: hub.read(second, path) for path in hub.list_files(second)}
    assert list(parse_lineages(files)) == ["round-1", "round-2"]


def test_a_tag_with_the_same_content_is_success_without_a_commit(hub, round_files, card, commits):
    first = publish(hub, 1, round_files(1, seconds=3.5), card)
    again = publish(hub, 1, round_files(1, seconds=9.0), card)
    assert again == first
    assert len(commits(REPO)) == 2


def test_a_tag_with_other_content_is_an_error_that_offers_a_way_on(hub, round_files, card, commits):
    publish(hub, 1, round_files(1), card)
    with pytest.raises(TagExists, match="--name.*--new-version"):
        publish(hub, 1, round_files(1, data=b"other"), card)
    assert len(commits(REPO)) == 2


def test_other_content_of_the_same_size_is_other_content(hub, round_files, card, commits):
    publish(hub, 1, round_files(1), card)
    with pytest.raises(TagExists, match="holds other content"):
        publish(hub, 1, round_files(1, data=b"swor"), card)
    publish(hub, 1, round_files(1, data=b"swor"), card, tag="round-1-v2")
    assert hub.read(hub.resolve("dataset", REPO, "round-1-v2"), "round-1/train-0.parquet") == b"swor"


def test_a_tag_that_holds_more_files_than_the_push_is_other_content(hub, round_files, card):
    publish(hub, 1, round_files(1) | {"round-1/train-1.parquet": b"more"}, card)
    with pytest.raises(TagExists, match=r"round-1/train-1\.parquet is one"):
        publish(hub, 1, round_files(1), card, replace=["round-1"])


def test_files_that_a_new_version_lacks_leave_the_replaced_folder_and_no_other(hub, round_files, card):
    extra = {"round-1/train-1.parquet": b"more", "round-1-candidates/train-0.parquet": b"all"}
    old = publish(hub, 1, round_files(1) | extra, card)
    new = publish(hub, 1, round_files(1), card, tag="round-1-v2", replace=["round-1"])
    assert "round-1/train-1.parquet" in hub.list_files(old)
    assert "round-1/train-1.parquet" not in hub.list_files(new)
    assert "round-1-candidates/train-0.parquet" in hub.list_files(new)


def test_two_rounds_published_at_once_both_land_and_the_card_names_both(hub, server, round_files, card, commits):
    publish(hub, 1, round_files(1), card)
    both_have_read_the_same_head = threading.Barrier(2)
    met: set[int] = set()

    def meeting_card(lineages):
        if threading.get_ident() not in met:
            met.add(threading.get_ident())
            both_have_read_the_same_head.wait(timeout=20)
        return card(lineages)

    threads = [
        threading.Thread(target=publish, args=(hub, number, round_files(number), meeting_card)) for number in (2, 3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 412 in {request.status for request in server.requests}
    assert sorted(commits(REPO)) == [*(f"build-data round-{n}" for n in (1, 2, 3)), "initial commit"]
    assert set(hub.tags("dataset", REPO)) == {"round-1", "round-2", "round-3"}
    assert hub.read(hub.resolve("dataset", REPO), "README.md").decode().endswith("rounds [1, 2, 3]\n")


@pytest.mark.parametrize(
    "path", ["pytorch_model.bin", "training_args.bin", "a/optimizer.pt", "x.PKL", "../up.txt", "/etc/x"]
)
def test_pickles_and_paths_that_leave_the_repo_are_refused_before_anything_is_made(hub, path):
    with pytest.raises(HubError):
        hub.publish("model", "clincot/adapter", {path: b"x"}, tag=None, message="m", private=True)
    assert not hub.exists("model", "clincot/adapter")


def test_a_read_only_token_is_an_error_without_the_token_in_it(hub, tmp_path, round_files, card):
    token = "hf_only_reading_0123456789"
    table = {token: {"name": "reader", "role": "read", "namespaces": ["clincot"]}}
    (tmp_path / "hub" / "tokens.json").write_text(json.dumps(table))
    with connect(hub.endpoint, main=False, token=token) as reader:
        with pytest.raises(HubError, match="403.*token") as refused:
            publish(reader, 1, round_files(1), card)
        assert token not in str(refused.value) and token not in repr(reader)
        assert REPO in str(refused.value) and hub.endpoint in str(refused.value)


def test_a_token_the_hub_does_not_know_is_named_as_the_reason(hub, round_files, card):
    with connect(hub.endpoint, main=False, token="hf_of_another_hub_0123456789") as stranger:
        with pytest.raises(HubError, match="does not know this token.*HF_TOKEN") as refused:
            publish(stranger, 1, round_files(1), card)
        assert "hf_of_another" not in str(refused.value)


def test_a_private_push_into_a_public_repo_is_refused(hub, round_files, card):
    publish(hub, 1, round_files(1), card, private=False)
    with pytest.raises(HubError, match="is public.*--public"):
        publish(hub, 2, round_files(2), card)
    assert set(hub.tags("dataset", REPO)) == {"round-1"}


def test_a_card_the_hub_refuses_is_an_error_that_says_so(hub, round_files):
    with pytest.raises(HubError, match="license"):
        publish(hub, 1, round_files(1), lambda lineages: "---\nlicense: {a: 1}\n---\n")


def test_a_mirror_holds_the_same_files_under_its_own_card(hub, tmp_path, round_files, card):
    publish(hub, 1, round_files(1, b"one"), card)
    pin = publish(hub, 2, round_files(2, b"two [x]"), card)
    with connect(f"local:{tmp_path / 'other'}", main=False) as other:
        copy = other.mirror(
            hub,
            "dataset",
            pin,
            "somebody/pairs",
            tag="round-2",
            private=True,
            select=lambda path: "round-2" in path,
            card=lambda lineages: card(lineages) + "mirrored",
        )
        held = other.list_files(copy)
        source = hub.list_files(pin)
        mirrored = {path for path in source if "round-2" in path}
        assert {path: held[path] for path in mirrored} == {path: source[path] for path in mirrored}
        assert set(held) == mirrored | {"README.md", ".gitattributes"}
        assert other.read(copy, "README.md").decode().endswith("rounds [2]\nmirrored")
        assert other.tags("dataset", "somebody/pairs") == {"round-2": copy.sha}


def test_large_files_go_up_from_disk_and_unchanged_ones_only_once(hub, server, tmp_path, round_files, card):
    big = tmp_path / "big"
    big.write_bytes(bytes(range(256)) * 20_000)
    publish(hub, 1, round_files(1) | {"round-1/big.parquet": big}, card)
    before = sum(request.bytes for request in server.requests)
    pin = publish(hub, 2, round_files(2) | {"round-1/big.parquet": big}, card)
    assert sum(request.bytes for request in server.requests) - before < 100_000
    assert (hub.snapshot(pin, ["round-1/big*"]) / "round-1" / "big.parquet").read_bytes() == big.read_bytes()


def test_a_file_that_is_not_there_is_named(hub, tmp_path: Path):
    with pytest.raises(HubError, match="no-such-file"):
        hub.publish("dataset", REPO, {"a.txt": tmp_path / "no-such-file"}, tag=None, message="m", private=True)
