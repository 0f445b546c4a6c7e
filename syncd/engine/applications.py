"""Registering applications, and the secrets that they are known by (api.md R5, R6, R19)."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import SplitResult, urlsplit

from syncd.model.access import Application, Scope, Token, digest, token_text
from syncd.model.errors import ConflictError, InvalidError, NotFoundError
from syncd.model.ids import ApplicationId, TokenId, short
from syncd.model.invitation import OUT_OF_BAND
from syncd.ports.clock import Clock
from syncd.ports.store import Store
from syncd.ports.store.applications import ApplicationKey, KeyKind
from syncd.ports.vault import Secret, Vault, application_place

LONGEST_OVERLAP = timedelta(days=90)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """An application with the secrets that are shown this once."""

    application: Application
    secrets: Mapping[KeyKind, Secret]
    old_secrets_end_at: datetime | None = None


class Applications:
    """Adds applications, gives them new secrets, ends them."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        """Seal by ``vault`` what they sign with."""
        self._store = store
        self._vault = vault
        self._clock = clock

    async def add(
        self, name: str, *, origins: Sequence[str] = (), redirect_uris: Sequence[str] = ()
    ) -> Registered:
        """Register one; raises InvalidError, and ConflictError if the name is taken."""
        application = Application(
            id=ApplicationId(f"app_{short(secrets.token_hex(16))}"),
            name=_name(name),
            created=self._clock.now(),
            origins=_each(_origin, origins),
            redirect_uris=_each(_redirect_uri, redirect_uris),
        )
        keys, shown = self._keys(application)
        try:
            await self._store.add_application(application, keys)
        except ConflictError:
            raise ConflictError(f"there is an application {application.name} already") from None
        return Registered(application=application, secrets=shown)

    async def change(
        self,
        name: str,
        *,
        new_name: str | None = None,
        origins: Sequence[str] | None = None,
        redirect_uris: Sequence[str] | None = None,
    ) -> Application:
        """Replace what is given; secrets, tokens and profiles stay. Raises as ``add`` does."""
        found = await self.named(name)
        after = replace(
            found,
            name=found.name if new_name is None else _name(new_name),
            origins=found.origins if origins is None else _each(_origin, origins),
            redirect_uris=(
                found.redirect_uris
                if redirect_uris is None
                else _each(_redirect_uri, redirect_uris)
            ),
        )
        try:
            await self._store.save_application(after)
        except ConflictError:
            raise ConflictError(f"there is an application {after.name} already") from None
        return after

    async def rotate(self, name: str, *, overlap: timedelta) -> Registered:
        """Give an application new secrets; the old ones live on for ``overlap``."""
        if not timedelta() <= overlap <= LONGEST_OVERLAP:
            raise InvalidError("the overlap is 0 to 90 days", field="overlap")
        found = await self.named(name)
        keys, shown = self._keys(found)
        until = self._clock.now() + overlap
        await self._store.rotate_keys(found.id, keys, until=until)
        return Registered(application=found, secrets=shown, old_secrets_end_at=until)

    async def remove(self, name: str) -> Application:
        """End an application's secrets, the tokens given through it, and its origins."""
        found = await self.named(name)
        await self._store.remove_application(found.id, self._clock.now())
        return found

    async def named(self, name: str) -> Application:
        """Return one by its id or its name; raises NotFoundError."""
        for one in await self._store.applications():
            if name in {one.id, one.name}:
                return one
        raise NotFoundError(
            f"there is no application {name}; `syncd application list` shows them all"
        )

    def _keys(
        self, application: Application
    ) -> tuple[Sequence[ApplicationKey], Mapping[KeyKind, Secret]]:
        """Return new secrets as they are kept, and as they are shown."""
        kept, shown = list[ApplicationKey](), dict[KeyKind, Secret]()
        for kind in KeyKind:
            secret = secrets.token_urlsafe(32)
            token = Token(
                id=TokenId(short(secrets.token_hex(16), length=16)),
                digest=digest(secret),
                scopes=frozenset({Scope.ALL}),
                created=self._clock.now(),
                application_id=application.id,
                name=f"{kind} of {application.name}",
            )
            shown[kind] = Secret(token_text(token.id, secret))
            place = application_place(application.id, token.id)
            sealed = self._vault.seal(shown[kind], place=place)
            kept.append(ApplicationKey(kind=kind, token=token, sealed=sealed))
        return kept, shown


def _name(text: str) -> str:
    if not text.strip():
        raise InvalidError("an application needs a name", field="name")
    return text.strip()


def _each(read: Callable[[str], str], texts: Sequence[str]) -> tuple[str, ...]:
    """Return what each text is, once."""
    return tuple(dict.fromkeys(map(read, texts)))


def _origin(text: str) -> str:
    """Return an origin as browsers send it."""
    url, port = _parts(text.strip())
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
    if text == OUT_OF_BAND:
        return text
    url, port = _parts(text)
    private = "." in url.scheme and bool(url.path)  # of an app on a device: RFC 8252 §7.1
    web = url.scheme in _PORTS and bool(url.hostname) and port != 0
    if not (private or web) or "#" in text:
        raise InvalidError(
            f"{text} is no redirect URI: an absolute https, http or app address without # and "
            f"blanks, or {OUT_OF_BAND}",
            field="redirect_uri",
        )
    return text


def _parts(text: str) -> tuple[SplitResult, int | None]:
    """Return an address in its parts, and its port; empty, and 0, for one that cannot be.

    ``urlsplit`` drops line ends and tabs without a word; what holds such is none.
    """
    if not text.isprintable() or any(one.isspace() for one in text):
        return urlsplit(""), 0
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return urlsplit(""), 0
    return url, port
