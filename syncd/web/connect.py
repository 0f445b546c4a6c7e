"""The connect page: a person lets an application at one of their calendars (api.md N6)."""

from collections.abc import Sequence

from aiohttp import web

from syncd.engine.consents import Back, Consents
from syncd.engine.invitations import Invitations
from syncd.model.access import Scope, digest, grants
from syncd.model.errors import NotFoundError, SyncdError
from syncd.model.invitation import Invitation
from syncd.model.scope_words import EVERYTHING
from syncd.ports.link import Linker, Login, SignedIn, Way
from syncd.ports.vault import Secret
from syncd.web.cards import card, cards
from syncd.web.ending import ended
from syncd.web.journeys import Door
from syncd.web.outcome import EXPIRED, WRONG, Told, failed, told_of
from syncd.web.page import fields, page
from syncd.web.powers import powers
from syncd.web.sign_in import too_many

PREFIX = "/connect/"


class ConnectPages:
    """Pages of one kind; each request finds its invitation by the secret in its path."""

    def __init__(
        self, invitations: Invitations, consents: Consents, linker: Linker, door: Door
    ) -> None:
        """Try logins at ``linker``, or send people to their provider."""
        self._invitations = invitations
        self._consents = consents
        self._linker = linker
        self._journeys = door.journeys
        self._forms = door.forms
        self._tries = door.tries
        self._guesses = door.guesses

    async def show(self, request: web.Request) -> web.StreamResponse:
        """Show what can be connected, or the form of one; changes nothing, however often."""
        try:
            invitation = await self._invitation(request, request.match_info["secret"])
        except NotFoundError:
            return _dead(request)
        return await self._form(request, invitation)

    async def act(self, request: web.Request) -> web.StreamResponse:
        """Try a login, send the person to a provider, or end it without either."""
        try:
            invitation = await self._invitation(request, request.match_info["secret"])
        except NotFoundError:
            return _dead(request)
        given = await fields(request)
        if not self._forms.is_ours(request, given.get("token", "")):
            return await self._form(request, invitation, given, EXPIRED)
        if "cancel" in given:
            told = "The person did not connect a calendar."
            return ended(request, await self._invitations.refuse(invitation, "access_denied", told))
        way = self._chosen(await self._offered(invitation), given.get("provider"))
        if way is None:
            return await self._form(request, invitation, given)
        if way.consents:
            return await self._sent(request, invitation, way)
        return await self._typed(request, invitation, way, given)

    async def returned(
        self, request: web.Request, back: Back, code: str, issuer: str | None
    ) -> web.StreamResponse:
        """Take back somebody whom one of these pages sent to a provider."""
        secret = back.path.removeprefix(PREFIX).partition("?")[0].rstrip("/")
        try:
            invitation = await self._invitation(request, secret)
        except NotFoundError:
            return _dead(request)
        try:
            signed = await self._consents.redeem(back, code, issuer)
        except SyncdError as error:
            told = told_of(error)
            if told.status == WRONG:
                self._tries.begin(_form_name(secret))
            return failed(request, back, title="Not connected", told=told)
        return await self._accepted(request, invitation, back.provider, signed)

    async def _typed(
        self, request: web.Request, invitation: Invitation, way: Way, given: dict[str, str]
    ) -> web.StreamResponse:
        form, address = _form_name(request.match_info["secret"]), request.remote or ""
        wait = self._guesses.wait(address) or self._tries.begin(form)
        if wait is not None:
            return too_many(request, wait)
        self._guesses.begin(address)
        login = Login(
            provider=way.provider,
            username=given.get("username", "").strip(),
            password=Secret(given.get("password", "")),
            url=given.get("url", "").strip(),
        )
        try:
            signed = await self._linker.sign_in(login)
        except SyncdError as error:
            return await self._form(request, invitation, given, told_of(error))
        self._tries.forgive(form)
        self._guesses.forgive(address)
        return await self._accepted(request, invitation, way.provider, signed)

    async def _sent(
        self, request: web.Request, invitation: Invitation, way: Way
    ) -> web.StreamResponse:
        wait = self._tries.wait(_form_name(request.match_info["secret"]))
        if wait is not None:
            return too_many(request, wait)
        try:
            return await self._journeys.send(
                request, way.provider, contacts=_wants_contacts(invitation)
            )
        except SyncdError as error:
            return await self._form(request, invitation, {}, told_of(error))

    async def _accepted(
        self, request: web.Request, invitation: Invitation, provider: str, signed: SignedIn
    ) -> web.StreamResponse:
        try:
            ending = await self._invitations.accept(invitation, provider, signed)
        except NotFoundError:  # somebody else was faster
            return _dead(request)
        return ended(request, ending)

    async def _invitation(self, request: web.Request, secret: str) -> Invitation:
        return await self._invitations.by_secret(secret, browser=self._forms.held(request))

    async def _offered(self, invitation: Invitation) -> Sequence[Way]:
        ways = await self._consents.ways()
        return [
            one for one in ways if not invitation.providers or one.provider in invitation.providers
        ]

    def _chosen(self, offered: Sequence[Way], provider: str | None) -> Way | None:
        return next((one for one in offered if one.provider == provider), None)

    async def _form(
        self,
        request: web.Request,
        invitation: Invitation,
        given: dict[str, str] | None = None,
        told: Told | None = None,
    ) -> web.StreamResponse:
        offered = await self._offered(invitation)
        named = (given or {}).get("provider") or request.query.get("provider")
        only = offered[0].provider if len(offered) == 1 else invitation.preselected
        way = self._chosen(offered, named or only)
        cookie = self._forms.cookie_of(request)
        application = await self._invitations.application(invitation)
        shown = page(
            request,
            "connect.html" if way is None or way.consents else "connect_form.html",
            status=200 if told is None else told.status,
            targets=_targets(invitation, offered),
            problem=None if told is None else told.message,
            token=self._forms.token(request, cookie),
            action=request.path,
            application=None if application is None else application.name,
            powers=powers(invitation.scopes),
            modest=application.name if application and not _whole(invitation) else None,
            cards=cards(offered if way is None else [way]),
            card=None if way is None else card(way.provider, way),
            choice=len(offered) > 1,
            url=(given or {}).get("url", invitation.url),
            username=(given or {}).get("username", invitation.username),
        )
        self._forms.issue(request, shown, cookie)
        return shown


def _wants_contacts(invitation: Invitation) -> bool:
    return not invitation.scopes or grants(invitation.scopes, Scope.READ_CONTACTS)


def _whole(invitation: Invitation) -> bool:
    """Tell whether the application asks for all that one may; its key has all anyway (R6)."""
    return all(grants(invitation.scopes, one) for one in EVERYTHING)


def _targets(invitation: Invitation, offered: Sequence[Way]) -> list[str]:
    """Return where the forms may lead: the providers offered, and back to the application."""
    home = [] if invitation.is_popup or invitation.return_to is None else [invitation.return_to]
    return [*(origin for way in offered for origin in way.origins), *home]


def _form_name(secret: str) -> str:
    return digest(secret).hex()


def _dead(request: web.Request) -> web.StreamResponse:
    return page(
        request,
        "message.html",
        status=404,
        title="This link is no longer valid",
        message="It was used already, or is too old. Go back to where you got it, and begin again.",
    )
