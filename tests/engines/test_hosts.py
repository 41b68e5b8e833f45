"""Which addresses are this machine or a trusted host: tricks with names, numbers and proxies are refused."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from clincot.engines.hosts import place_fault, proxy_of, trusted_fault

TRUSTED = ("gpu-1.lab", "10.0.0.7", "FD00::7")
HERE = [
    "http://127.0.0.1:8000/v1",
    "http://127.8.9.1",
    "https://localhost:8000/v1",
    "http://LOCALHOST.:8000",
    "http://[::1]:8000/v1",
    "http://[0:0:0:0:0:0:0:1]/v1",
    "http://[::ffff:127.0.0.1]:8000",
]
NAMED = [
    "http://gpu-1.lab:8000",
    "http://GPU-1.lab./v1",
    "http://10.0.0.7/v1",
    "http://[::ffff:10.0.0.7]:1/v1",
    "http://[fd00:0::7]:8000",
]
ELSEWHERE = [
    "http://10.0.0.70:8000",
    "http://x.gpu-1.lab",
    "http://gpu-1.lab.evil.com",
    "http://127.0.0.1.nip.io/v1",
    "http://localhost.evil.com",
    "http://0.0.0.0:8000",
    "http://[::]:8000",
    "http://[::ffff:10.0.0.8]:8000",
    "http://128.0.0.1",
]
ODD = [
    "http://2130706433:8000",  # 127.0.0.1 as one number, to some readers
    "http://0x7f.1/v1",
    "http://127.1",
    "http://0177.0.0.1",
    "http://127.0.0.1@evil.com/v1",
    "http://gpu-1.lab:pw@evil.com/v1",
    "http://evil.com\\@127.0.0.1/",
    "http://evil.com#@127.0.0.1",
    "http://evil.com?@127.0.0.1",
    "http://[::1%25eth0]:8000",
    "http://127。0。0。1",
    "http://loc\nalhost",
    "ftp://127.0.0.1",
    "127.0.0.1:8000",
    "",
]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("url", HERE + NAMED)
def test_this_machine_and_what_is_listed_are_allowed(url: str) -> None:
    assert place_fault(url, TRUSTED) == ""
    assert (place_fault(url) == "") == (url in HERE)


@pytest.mark.parametrize("url", ELSEWHERE + ODD)
def test_any_other_host_and_any_odd_spelling_is_refused(url: str) -> None:
    assert place_fault(url, TRUSTED)


def test_localhost_that_resolves_elsewhere_is_no_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: Any) -> list[Any]:
        return [(2, 1, 6, "", ("127.0.0.1", 0)), (2, 1, 6, "", ("10.9.8.7", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert "localhost is 10.9.8.7 on this machine. Write 127.0.0.1" in place_fault("http://localhost:8000")


def test_a_proxy_of_the_environment_has_to_be_trusted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "http://gpu-1.lab:8000/v1"
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("HTTP_PROXY", "http://user:pw@proxy.lab:3128")
    assert "over the proxy 'proxy.lab'" in place_fault(url, ["gpu-1.lab"])
    assert place_fault(url, ["gpu-1.lab", "proxy.lab"]) == ""
    assert place_fault("http://127.0.0.1:8000") == "" and proxy_of("http://127.0.0.1:8000") == ""
    monkeypatch.setenv("HTTP_PROXY", "127.0.0.1:3128")
    assert place_fault(url, ["gpu-1.lab"]) == "" and proxy_of(url) == "http://127.0.0.1:3128"
    monkeypatch.delenv("HTTP_PROXY")
    monkeypatch.setenv("ALL_PROXY", "http://proxy.lab")
    assert place_fault(url, ["gpu-1.lab"])
    monkeypatch.setenv("NO_PROXY", "lab")
    assert place_fault(url, ["gpu-1.lab"]) == ""


@pytest.mark.parametrize("host", ["*.lab", "http://gpu", "gpu:8000", "gpu/v1", "10.0.0.0/8", "127.1", "", "a b", "u@h"])
def test_trusted_hosts_are_plain_names_and_addresses(host: str) -> None:
    assert trusted_fault(host)


@pytest.mark.parametrize("host", ["gpu-1", "gpu_1.lab.", "10.0.0.7", "::1", "[fd00::7]"])
def test_names_and_addresses_can_be_trusted(host: str) -> None:
    assert trusted_fault(host) == ""
