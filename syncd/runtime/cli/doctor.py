"""What ``syncd doctor`` looks at: this machine here, the store and the servers by the daemon."""

import ctypes
import os
import stat
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncd.model.errors import SyncdError
from syncd.runtime.cli.ask import ask
from syncd.runtime.cli.output import Options

if TYPE_CHECKING:
    from syncd.runtime.settings import Settings

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_TIMEX_BYTES = 512  # more than struct timex needs anywhere
_ANSWER_SECONDS = 5

Json = dict[str, Any]


def examine(options: Options) -> list[Json]:
    """Return what was looked at, what was found, and whether it is well."""
    from syncd.runtime import settings

    current = settings.load(options.config)
    found = [_configuration(options), _clock(), *_permissions(current), _answers(current)]
    found += _proxy(current)
    try:
        found += ask(options, "doctor")
    except (SyncdError, OSError) as error:
        found.append(_finding("database", str(error), well=False))
    return found


def _configuration(options: Options) -> Json:
    from syncd.runtime.places import config_file, parse_toml

    what, file = "configuration", config_file(options.config)
    well = _finding(what, "readable, no unknown keys", well=True)
    if file is None or not file.stat().st_mode & stat.S_IROTH:
        return well
    keys = list(_secrets_in(parse_toml(file)))
    if not keys:
        return well
    variables = ", ".join(map(_variable, keys))
    told = (
        f"{file} holds {', '.join(keys)}, and everybody may read it: chmod o= {file}, or give it "
        f"by {variables} in /etc/syncd/environment, which only systemd reads"
    )
    return _finding(what, told, well=False)


def _secrets_in(given: Json) -> Iterator[str]:
    """Yield the keys of a file that have a secret."""
    from syncd.runtime.settings import without_password

    for name, section in given.get("providers", {}).items():
        if section.get("client_secret"):
            yield f"providers.{name}.client_secret"
    url = given.get("store", {}).get("url", "")
    if without_password(url) != url:
        yield "store.url"


def _variable(key: str) -> str:
    """Return where a secret may stand instead; libpq finds a password by itself."""
    return "PGPASSWORD" if key == "store.url" else f"SYNCD_{key.replace('.', '__').upper()}"


def _proxy(current: "Settings") -> Iterator[Json]:
    """Look at who speaks for people: https ends at a proxy, as syncd itself has none."""
    server = current.server
    if server.public_url.startswith("http://") or server.listen.startswith("unix:"):
        return
    if server.trusted_proxies:
        yield _finding("proxy", ", ".join(map(str, server.trusted_proxies)), well=True)
        return
    told = (
        "public_url is https, but nobody is trusted to say who asks: cookies are not Secure, and "
        "all people count as one address; set server.trusted_proxies to that of your proxy"
    )
    yield _finding("proxy", told, well=False)


def _clock() -> Json:
    """Ask the kernel whether something keeps its clock right; a wrong one spoils every token."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return _finding("clock", "this system does not tell", well=True)
    if state in {_TIME_ERROR, -1}:
        return _finding("clock", "not synchronised: run chrony or systemd-timesyncd", well=False)
    return _finding("clock", "synchronised", well=True)


def _permissions(current: "Settings") -> Iterator[Json]:
    from syncd.runtime.vault import ring_file

    ring = ring_file(current.vault.key_file, current.state_dir)
    for what, path, wanted in (("state", current.state_dir, "700"), ("key ring", ring, "600")):
        yield _permission(what, path, wanted)


def _permission(what: str, path: Path, wanted: str) -> Json:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return _finding(what, f"{path} is not there yet: the first start makes it", well=True)
    except PermissionError:
        return _finding(what, f"{path}: run this as the user of syncd, or as root", well=False)
    if mode & _OTHERS:
        return _finding(what, f"{path}: others may look: chmod {wanted} {path}", well=False)
    if not os.access(path, os.R_OK):
        return _finding(what, f"{path} cannot be read", well=False)
    return _finding(what, str(path), well=True)


def _answers(current: "Settings") -> Json:
    listen = current.server.listen
    if listen.startswith("unix:"):
        there = Path(listen.removeprefix("unix:")).is_socket()
        return _finding("address", listen if there else f"{listen}: nobody listens", well=there)
    url = f"http://{listen}/livez".replace("//0.0.0.0:", "//127.0.0.1:")
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=_ANSWER_SECONDS):
            return _finding("address", f"{listen} answers", well=True)
    except OSError as error:
        why = getattr(error, "reason", error)
        if isinstance(why, ConnectionRefusedError):
            why = "no syncd runs there; `syncd run` starts one"
        return _finding("address", f"{listen} does not answer: {why}", well=False)


def _finding(what: str, found: str, *, well: bool) -> Json:
    return {"what": what, "found": found, "well": well}
