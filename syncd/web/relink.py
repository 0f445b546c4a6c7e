"""The relink page: a person gives a disconnected profile its password again (api.md N1, N2)."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from syncd.engine.link import Linking
from syncd.model.access import digest
from syncd.model.errors import (
    InvalidError,
    NotFoundError,
    OtherPersonError,
    RelinkRequiredError,
    SyncdError,
)
from syncd.model.profile import Profile
from syncd.ports.link import SIGN_IN_URL, Login
from syncd.ports.vault import Secret
from syncd.web.page import HEADERS, fields, page
from syncd.web.sign_in import FormTokens, Tries

_KINDS = {"caldav": "CalDAV", "icloud": "iCloud Calendar", "ews": "Exchange"}
_APP_PASSWORDS = frozenset({"icloud"})  # providers.md IC2


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What went wrong, for the page."""

    status: int
    message: str


class RelinkPages:
    """Pages of one kind; each request finds its profile by the secret in its path."""

    def __init__(self, linking: Linking, forms: FormTokens, tries: Tries) -> None:
        """Sign people in by ``linking``."""
        self._linking = linking
        self._forms = forms
        self._tries = tries

    async def show(self, request: web.Request) -> web.Response:
        """Show the form; changes nothing, however often it is asked for."""
        try:
            profile = await self._linking.by_secret(request.match_info["secret"])
        except NotFoundError:
            return _dead(request)
        return self._form(request, profile)

    async def sign_in(self, request: web.Request) -> web.Response:
        """Try the password; only success changes anything."""
        secret = request.match_info["secret"]
        try:
            profile = await self._linking.by_secret(secret)
        except NotFoundError:
            return _dead(request)
        given = await fields(request)
        if not self._forms.is_ours(request, given.get("token", "")):
            told = Told(status=403, message="This page was open for too long. Please try again.")
            return self._form(request, profile, told)
        wait = self._tries.begin(digest(secret).hex())
        if wait is not None:
            return _too_many(request, wait)
        told_wrong = await self._tried(profile, given.get("password", ""))
        if told_wrong is None:
            return web.Response(status=303, headers={**HEADERS, "Location": "/relink/done"})
        if told_wrong.status != 422:  # noqa: PLR2004 - not the person's fault, so no guess
            self._tries.forgive(digest(secret).hex())
        return self._form(request, profile, told_wrong)

    async def done(self, request: web.Request) -> web.Response:
        """Say that all is well; the link that led here is dead."""
        return page(
            request,
            "message.html",
            title="You are connected again",
            message="Your calendars are being brought up to date. You can close this page.",
        )

    async def _tried(self, profile: Profile, password: str) -> Told | None:
        """Sign in; return what went wrong, None if nothing did."""
        login = Login(
            provider=profile.provider,
            username=profile.login,
            password=Secret(password),
            url=profile.settings.get(SIGN_IN_URL, ""),
        )
        try:
            await self._linking.relink(profile, login)
        except OtherPersonError:
            sentence = f"This is another person's login. Please sign in as {profile.login}."
            return Told(status=422, message=sentence)
        except (RelinkRequiredError, InvalidError) as error:
            return Told(status=422, message=str(error))
        except SyncdError as error:
            sentence = f"{error} Nothing was changed or lost: please try again later."
            return Told(status=502, message=sentence)
        return None

    def _form(
        self, request: web.Request, profile: Profile, told: Told | None = None
    ) -> web.Response:
        cookie = self._forms.cookie_of(request)
        shown = page(
            request,
            "relink.html",
            status=200 if told is None else told.status,
            problem=None if told is None else told.message,
            token=self._forms.token(request, cookie),
            action=request.path,
            login=profile.login,
            kind=_KINDS.get(profile.provider, profile.provider),
            server=urlsplit(profile.settings.get(SIGN_IN_URL, "")).netloc,
            app_password=profile.provider in _APP_PASSWORDS,
            disconnected=profile.refused is not None,
            since=profile.state_since,
        )
        self._forms.issue(request, shown, cookie)
        return shown


def _dead(request: web.Request) -> web.Response:
    return page(
        request,
        "message.html",
        status=404,
        title="This link is no longer valid",
        message="The calendar is connected again, or the link has expired. If calendars are still "
        "missing, ask for a new link where you got this one.",
    )


def _too_many(request: web.Request, wait: float) -> web.Response:
    minutes = max(1, round(wait / 60))
    shown = page(
        request,
        "message.html",
        status=429,
        title="Too many tries",
        message=f"Please wait {minutes} minutes, then open the link again.",
    )
    shown.headers["Retry-After"] = str(max(1, int(wait)))
    return shown
