"""The relink page: a person brings a disconnected profile back (api.md N1-N5)."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from aiohttp import web
from yarl import URL

from syncd.engine.consents import Back, Consents
from syncd.engine.link import Linking
from syncd.model.access import digest
from syncd.model.errors import NotFoundError, SyncdError
from syncd.model.profile import Profile
from syncd.ports.link import SIGN_IN_URL, WITHOUT_CONTACTS, Login, Way
from syncd.ports.vault import Secret
from syncd.web.cards import card
from syncd.web.journeys import Door
from syncd.web.outcome import EXPIRED, UNAVAILABLE, WRONG, Told, failed, told_of
from syncd.web.page import fields, gone_to, page
from syncd.web.sign_in import too_many

PREFIX = "/relink/"
DONE = f"{PREFIX}done"
_RETURN_TO = "return_to"


class RelinkPages:
    """Pages of one kind; each request finds its profile by the secret in its path."""

    def __init__(self, linking: Linking, consents: Consents, door: Door) -> None:
        """Sign people in by ``linking``, or send them to their provider."""
        self._linking = linking
        self._consents = consents
        self._journeys = door.journeys
        self._forms = door.forms
        self._tries = door.tries

    async def show(self, request: web.Request) -> web.Response:
        """Show the form; changes nothing, however often it is asked for."""
        try:
            profile = await self._linking.by_secret(request.match_info["secret"])
        except NotFoundError:
            return _dead(request)
        return await self._form(request, profile)

    async def sign_in(self, request: web.Request) -> web.Response:
        """Try the password, or send the person to the provider; only success changes anything."""
        try:
            profile = await self._linking.by_secret(request.match_info["secret"])
        except NotFoundError:
            return _dead(request)
        given = await fields(request)
        if not self._forms.is_ours(request, given.get("token", "")):
            return await self._form(request, profile, EXPIRED)
        way = await self._way(profile)
        if way is None:
            return await self._form(request, profile, UNAVAILABLE)
        if way.consents:
            return await self._sent(request, profile)
        return await self._typed(request, profile, given.get("password", ""))

    async def _typed(self, request: web.Request, profile: Profile, password: str) -> web.Response:
        form = _form_name(request.match_info["secret"])
        wait = self._tries.begin(form)
        if wait is not None:
            return too_many(request, wait)
        login = Login(
            provider=profile.provider,
            username=profile.login,
            password=Secret(password),
            url=profile.settings.get(SIGN_IN_URL, ""),
        )
        try:
            await self._linking.relink(profile, login)
        except SyncdError as error:
            told = told_of(error, profile)
            if told.status != WRONG:
                self._tries.forgive(form)
            return await self._form(request, profile, told)
        return gone_to(await self._way_out(request.query.get(_RETURN_TO), profile))

    async def returned(
        self, request: web.Request, back: Back, code: str, issuer: str | None
    ) -> web.Response:
        """Take back somebody whom one of these pages sent to a provider."""
        secret, return_to = _parts(back.path)
        try:
            profile = await self._linking.by_secret(secret)
        except NotFoundError:
            return _dead(request)
        try:
            await self._linking.rejoin(profile, await self._consents.redeem(back, code, issuer))
        except SyncdError as error:
            told = told_of(error, profile)
            if told.status == WRONG:
                self._tries.begin(_form_name(secret))
            return failed(request, back, title="Not reconnected", told=told)
        return gone_to(await self._way_out(return_to, profile))

    async def done(self, request: web.Request) -> web.Response:
        """Say that all is well; the link that led here is dead."""
        return page(
            request,
            "done.html",
            title="You are connected again",
            message="Your calendars are being brought up to date. You can close this page.",
        )

    async def _sent(self, request: web.Request, profile: Profile) -> web.Response:
        wait = self._tries.wait(_form_name(request.match_info["secret"]))
        if wait is not None:
            return too_many(request, wait)
        try:
            return await self._journeys.send(
                request,
                profile.provider,
                login=profile.login,
                contacts=WITHOUT_CONTACTS not in profile.settings,
            )
        except SyncdError as error:
            return await self._form(request, profile, told_of(error, profile))

    async def _way(self, profile: Profile) -> Way | None:
        ways: Sequence[Way] = await self._consents.ways()
        return next((one for one in ways if one.provider == profile.provider), None)

    async def _way_out(self, return_to: str | None, profile: Profile) -> str:
        """Return where the person goes from here: only an address that is registered (N5)."""
        allowed = await self._linking.returns(profile)
        return return_to if return_to in allowed else DONE

    async def _form(
        self, request: web.Request, profile: Profile, told: Told | None = None
    ) -> web.Response:
        cookie = self._forms.cookie_of(request)
        way = await self._way(profile)
        return_to = request.query.get(_RETURN_TO)
        allowed = await self._linking.returns(profile)
        shown = page(
            request,
            "relink.html",
            status=200 if told is None else told.status,
            targets=[*(way.origins if way else ()), *(one for one in allowed if one == return_to)],
            problem=None if told is None else told.message,
            token=self._forms.token(request, cookie),
            action=request.path_qs,
            card=card(profile.provider, way),
            login=profile.login,
            server=urlsplit(profile.settings.get(SIGN_IN_URL, "")).netloc,
            disconnected=profile.refused is not None,
            since=profile.state_since,
        )
        self._forms.issue(request, shown, cookie)
        return shown


def _form_name(secret: str) -> str:
    return digest(secret).hex()


def _parts(path: str) -> tuple[str, str | None]:
    """Return the secret in a path of these pages, and where its query wants to return to."""
    url = URL(path, encoded=True)
    return url.path.removeprefix(PREFIX).rstrip("/"), url.query.get(_RETURN_TO)


def _dead(request: web.Request) -> web.Response:
    return page(
        request,
        "message.html",
        status=404,
        title="This link is no longer valid",
        message="The calendar is connected again, or the link has expired. If calendars are still "
        "missing, ask for a new link where you got this one.",
    )
