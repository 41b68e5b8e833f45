"""A URL and the hosts that a setting trusts -> why data that may not leave them cannot go there, in words."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

LOCALHOST = "localhost"
# One spelling for each place. What readers of URLs take apart in different ways (user names, backslashes, queries,
# letters that are not ASCII) has no place in the address of a server.
URL = re.compile(r"https?://(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d+)?(?:/[^\s\\@?#]*)?", re.IGNORECASE | re.ASCII)
NAME = re.compile(r"(?!-)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*", re.ASCII)
WHERE = "http://HOST:PORT/v1"


def place_fault(url: str, trusted: Sequence[str] = ()) -> str:
    """Return why requests to `url` may leave this machine and the `trusted` hosts, "" where they cannot.

    Loopback is 127.0.0.0/8, ::1 and the name localhost where it resolves to them alone; another name counts when it is
    listed, since what it resolves to may change between this look and the request. The proxy that the environment
    names for a host is a place too.
    """
    host = host_of(url)
    if not host:
        return f"{url!r} is not a plain address of a server. Write {WHERE}"
    if fault := _host_fault(host, trusted):
        return fault
    proxy = proxy_of(url)
    place = spelled(urlsplit(proxy).hostname or "")
    if proxy and _host_fault(place, trusted):
        return (
            f"{host} is reached over the proxy {place!r} of the environment, which is neither loopback nor in"
            f" models.trusted_hosts. Trust it, or add {host} to NO_PROXY"
        )
    return ""


def host_of(url: str) -> str:
    """Return the host of a plain http(s) URL in one spelling, "" for any other text."""
    match = URL.fullmatch(url)
    return spelled(match[1] or match[2]) if match else ""


def spelled(host: str) -> str:
    """Return a host name or IP address in one spelling: small letters, an IPv4 address as such, no last full stop."""
    name = host.strip("[]").lower().removesuffix(".")
    try:
        address = ip_address(name)
    except ValueError:
        return name
    return str(_plain(address))


def trusted_fault(host: str) -> str:
    """Return why an entry of `models.trusted_hosts` is no host name or IP address, "" for one that is."""
    name = spelled(host)
    if _address(name) is not None or (NAME.fullmatch(name) and not re.fullmatch(r"[\d.]+|0x.*", name)):
        return ""
    return f"{host!r} is no host name or IP address. Write each as in its URL, without http://, port and '*'"


def is_loopback(host: str) -> bool:
    """Return whether a host of `host_of` is this machine: a loopback address, or localhost if that is all it means."""
    address = _address(host)
    return host == LOCALHOST and not _elsewhere() if address is None else address.is_loopback


def proxy_of(url: str) -> str:
    """Return the proxy that the environment names for `url`, "" for none; loopback never has one."""
    host = host_of(url)
    if not host or is_loopback(host) or proxy_bypass(host):
        return ""
    proxies = getproxies()
    proxy = proxies.get(urlsplit(url).scheme.lower()) or proxies.get("all") or ""
    return proxy if "://" in proxy or not proxy else f"http://{proxy}"


def _host_fault(host: str, trusted: Sequence[str]) -> str:
    if host in {spelled(name) for name in trusted} or is_loopback(host):
        return ""
    if host == LOCALHOST:
        return f"localhost is {', '.join(_elsewhere())} on this machine. Write 127.0.0.1"
    return f"{host} is neither loopback nor in models.trusted_hosts"


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def _elsewhere() -> list[str]:
    """Return what localhost resolves to besides loopback."""
    try:
        found = {str(entry[4][0]).partition("%")[0] for entry in socket.getaddrinfo(LOCALHOST, None)}
    except OSError:
        return ["unknown"]
    return sorted(address for address in found if not _plain(ip_address(address)).is_loopback)
