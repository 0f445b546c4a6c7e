"""Which address absolute URLs carry, and whom proxies speak for (api.md R10)."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web

from syncd.api.parts import Parts, parts_of
from syncd.model.outbound import Network

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?")


def base_url(request: web.Request) -> str:
    """Return scheme and host for links in the answer, without a slash at the end."""
    parts = parts_of(request)
    return f"{request.scheme}://{request.host}" if _ours(request.host, parts) else parts.public_url


def behind_proxy(request: web.Request, parts: Parts) -> web.Request:
    """Return the request as the client sent it to a trusted proxy, unchanged without one.

    Whoever may open our Unix socket is one.
    """
    if not (parts.listen.startswith("unix:") or _trusted(request.remote, parts.proxies)):
        return request
    scheme = request.headers.get("X-Forwarded-Proto", "").lower()
    host = request.headers.get("X-Forwarded-Host", "")
    return request.clone(
        remote=_client(request, parts.proxies),
        scheme=scheme if scheme in {"http", "https"} else request.scheme,
        host=host if _HOST.fullmatch(host) else request.host,
    )


def _client(request: web.Request, proxies: tuple[Network, ...]) -> str:
    """Return the last address that no proxy of ours has."""
    client = request.remote or ""
    for hop in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
        if not _address(hop.strip()):
            break
        client = hop.strip()
        if not _trusted(client, proxies):
            break
    return client


def _ours(host: str, parts: Parts) -> bool:
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    name = found[1].strip("[]").lower()
    known = {urlsplit(parts.public_url).hostname, parts.listen.rpartition(":")[0].strip("[]")}
    return name in known or name == "localhost" or _loopback(name)


def _loopback(name: str) -> bool:
    return _address(name) and ip_address(name).is_loopback


def _address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _trusted(remote: str | None, proxies: tuple[Network, ...]) -> bool:
    if remote is None or not _address(remote):
        return False
    address = ip_address(remote)
    return any(address in network for network in proxies)
