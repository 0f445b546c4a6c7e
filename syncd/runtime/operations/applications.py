"""Applications: registered API clients (api.md R5, R6, R19)."""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from syncd.model.access import Application, Scope, Token, digest, token_text
from syncd.model.errors import ConflictError, InvalidError, NotFoundError
from syncd.model.ids import ApplicationId, TokenId, short
from syncd.model.when import utc
from syncd.ports.store.applications import ApplicationKey, KeyKind
from syncd.ports.vault import Secret, application_place
from syncd.runtime.wiring import Core

OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"  # the popup of K6
LONGEST_OVERLAP = 90 * 86400
_PORTS = {"http": 80, "https": 443}

Json = dict[str, Any]


async def add(
    core: Core, *, name: str, origins: Sequence[str] = (), redirect_uris: Sequence[str] = ()
) -> Json:
    """Register an application; show its secrets this once."""
    if not name.strip():
        raise InvalidError("an application needs a name", field="name")
    application = Application(
        id=ApplicationId(f"app_{short(secrets.token_hex(16))}"),
        name=name.strip(),
        created=core.clock.now(),
        origins=tuple(dict.fromkeys(map(_origin, origins))),
        redirect_uris=tuple(dict.fromkeys(map(_redirect_uri, redirect_uris))),
    )
    keys, shown = _keys(core, application)
    try:
        await core.store.add_application(application, keys)
    except ConflictError:
        raise ConflictError(f"there is an application {application.name} already") from None
    return _application(application) | shown


async def list_all(core: Core) -> Sequence[Json]:
    """Return all applications, by name, never their secrets."""
    return [_application(one) for one in await core.store.applications()]


async def rotate(core: Core, *, application: str, overlap_seconds: int = 86400) -> Json:
    """Give an application new secrets; the old ones live on for ``overlap_seconds``."""
    if not 0 <= overlap_seconds <= LONGEST_OVERLAP:
        raise InvalidError("the overlap is 0 to 90 days", field="overlap")
    found = await application_named(core, application)
    keys, shown = _keys(core, found)
    until = core.clock.now() + timedelta(seconds=overlap_seconds)
    await core.store.rotate_keys(found.id, keys, until=until)
    return _application(found) | shown | {"old_secrets_end_at": utc(until)}


async def remove(core: Core, *, application: str) -> Json:
    """End an application's secrets, the tokens given through it, and its origins."""
    found = await application_named(core, application)
    await core.store.remove_application(found.id, core.clock.now())
    return {"client_id": found.id, "name": found.name, "removed": True}


async def application_named(core: Core, name: str) -> Application:
    """Return an application by its name or client id; raises NotFoundError."""
    for one in await core.store.applications():
        if name in {one.id, one.name}:
            return one
    raise NotFoundError(f"there is no application {name}; `syncd application list` shows them all")


def _keys(core: Core, application: Application) -> tuple[Sequence[ApplicationKey], Json]:
    """Return new secrets as they are kept, and as they are shown."""
    kept, shown = list[ApplicationKey](), Json()
    for kind in KeyKind:
        secret = secrets.token_urlsafe(32)
        token = Token(
            id=TokenId(short(secrets.token_hex(16), length=16)),
            digest=digest(secret),
            scopes=frozenset({Scope.ALL}),
            created=core.clock.now(),
            application_id=application.id,
            name=f"{kind} of {application.name}",
        )
        shown[kind.value] = token_text(token.id, secret)
        place = application_place(application.id, token.id)
        sealed = core.vault.seal(Secret(shown[kind.value]), place=place)
        kept.append(ApplicationKey(kind=kind, token=token, sealed=sealed))
    return kept, shown


def _origin(text: str) -> str:
    """Return an origin as browsers send it."""
    url = urlsplit(text.strip())
    port = _port(text)
    bare = url.path in {"", "/"} and not (url.query or url.fragment or url.username)
    if url.scheme not in _PORTS or not url.hostname or port == 0 or not bare:
        raise InvalidError(
            f"{text} is no origin: write https://host or https://host:port", field="origin"
        )
    host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    shown = "" if port in {None, _PORTS[url.scheme]} else f":{port}"
    return f"{url.scheme}://{host}{shown}"


def _redirect_uri(text: str) -> str:
    """Return where people are sent back to, to be compared letter by letter (K6)."""
    url = urlsplit(text)
    if text == OUT_OF_BAND:
        return text
    private = "." in url.scheme and bool(url.path)  # of an app on a device: RFC 8252 §7.1
    web = url.scheme in _PORTS and bool(url.hostname) and _port(text) != 0
    if not (private or web) or url.fragment or "#" in text or text != text.strip():
        raise InvalidError(
            f"{text} is no redirect URI: an absolute https, http or app address without #, or "
            f"{OUT_OF_BAND}",
            field="redirect_uri",
        )
    return text


def _port(text: str) -> int | None:
    """Return the port of an address, 0 for one that cannot be."""
    try:
        return urlsplit(text.strip()).port
    except ValueError:
        return 0


def _application(application: Application) -> Json:
    return {
        "client_id": application.id,
        "name": application.name,
        "origins": list(application.origins),
        "redirect_uris": list(application.redirect_uris),
        "created": utc(application.created),
    }
