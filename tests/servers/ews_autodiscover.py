"""Autodiscover (SOAP) as its documents describe it: GetUserSettings, and who knows more.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/getusersettings-operation-soap
What it answers is read by exchangelib's own client in ``test_ews_autodiscover``.
"""

from base64 import b64encode
from dataclasses import dataclass, field

from aiohttp import web
from lxml import etree

PATH = "/autodiscover/autodiscover.svc"
SPACE = "http://schemas.microsoft.com/exchange/2010/Autodiscover"
_NAMES = {
    "a": SPACE,
    "wsa": "http://www.w3.org/2005/08/addressing",
    "s": "http://schemas.xmlsoap.org/soap/envelope/",
}
_ANSWER = """<?xml version="1.0" encoding="utf-8"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:a="http://www.w3.org/2005/08/addressing"><s:Header>
<a:Action s:mustUnderstand="1">{space}/Autodiscover/GetUserSettingsResponse</a:Action>
<h:ServerVersionInfo xmlns:h="{space}" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">
<h:MajorVersion>15</h:MajorVersion><h:MinorVersion>1</h:MinorVersion>
<h:MajorBuildNumber>2507</h:MajorBuildNumber><h:MinorBuildNumber>6</h:MinorBuildNumber>
<h:Version>Exchange2015</h:Version></h:ServerVersionInfo></s:Header>
<s:Body><GetUserSettingsResponseMessage xmlns="{space}"
 xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><Response>
<ErrorCode>NoError</ErrorCode><ErrorMessage/><UserResponses><UserResponse>
<ErrorCode>{code}</ErrorCode><ErrorMessage>words</ErrorMessage>{redirect}
<UserSettingErrors/><UserSettings>{settings}</UserSettings>
</UserResponse></UserResponses></Response></GetUserSettingsResponseMessage></s:Body></s:Envelope>"""
_SETTING = """<UserSetting i:type="StringSetting"><Name>{name}</Name><Value>{value}</Value>
</UserSetting>"""


@dataclass(kw_only=True)
class Place:
    """What one host says: ``settings`` of an address, or a ``code`` with a ``target``."""

    settings: dict[str, str] = field(default_factory=dict)
    code: str = "NoError"
    target: str = ""
    status: int = 200
    location: str = ""  # of a redirect, before anybody signs in
    body: bytes = b""  # instead of an answer


class Autodiscover:
    """Answers for hosts; who is none of them has no such service."""

    def __init__(self, username: str, password: str) -> None:
        words = f"{username}:{password}"
        self._words = {
            f"Basic {b64encode(words.encode(charset)).decode()}" for charset in ("utf-8", "latin-1")
        }
        self.places: dict[str, Place] = {}
        self.asked: list[str] = []  # hosts that a password was sent to
        self.complaints: list[str] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        host = (request.host or "").partition(":")[0]
        place = self.places.get(host)
        if place is None:
            return web.Response(status=404)
        if place.location and not request.secure:
            return web.Response(status=302, headers={"Location": place.location})
        if place.status != 200:
            return web.Response(status=place.status)
        given = request.headers.get("Authorization")
        if given:
            self.asked.append(host)
        if given not in self._words:
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="mail"'})
        self._check(await request.read())
        return web.Response(body=place.body or self._told(place), content_type="text/xml")

    def _check(self, body: bytes) -> None:
        root = etree.fromstring(body)
        for path in (
            "s:Header/a:RequestedServerVersion",
            "s:Header/wsa:Action",
            "s:Header/wsa:To",
            "s:Body/a:GetUserSettingsRequestMessage/a:Request/a:Users/a:User/a:Mailbox",
            "s:Body/a:GetUserSettingsRequestMessage/a:Request/a:RequestedSettings/a:Setting",
        ):
            found = root.find(path, _NAMES)
            if found is None or not (found.text or "").strip():
                self.complaints.append(f"asked without {path}")

    def _told(self, place: Place) -> bytes:
        rows = [_SETTING.format(name=name, value=value) for name, value in place.settings.items()]
        redirect = f"<RedirectTarget>{place.target}</RedirectTarget>" if place.target else ""
        told = {"space": SPACE, "code": place.code, "redirect": redirect}
        return _ANSWER.format(settings="".join(rows), **told).encode()
