"""Negative controls: what Exchange refuses, its fake refuses, and complains of (10.4, item 6)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, encode_basic_auth
from lxml import etree

from tests.providers.ews import at, event
from tests.servers.ews import EwsServer
from tests.servers.ews_xml import SOAP, Xml, every, first, m, t

HEADER = t("RequestServerVersion", Version="Exchange2013_SP1")


@pytest.fixture
async def server() -> AsyncIterator[EwsServer]:
    async with EwsServer().running() as one:
        yield one


async def send(server: EwsServer, asked: Xml, header: Xml | None = HEADER) -> tuple[int, Any]:
    """Post an operation by hand; return the status and the SOAP body."""
    root = etree.Element(f"{{{SOAP}}}Envelope")
    head = etree.SubElement(root, f"{{{SOAP}}}Header")
    if header is not None:
        head.append(etree.fromstring(etree.tostring(header)))
    etree.SubElement(root, f"{{{SOAP}}}Body").append(asked)
    word = encode_basic_auth(server.username, server.password, "utf-8")
    headers = {"Content-Type": "text/xml", "Authorization": word}
    async with (
        ClientSession(headers=headers) as session,
        session.post(server.url, data=etree.tostring(root)) as answer,
    ):
        return answer.status, etree.fromstring(await answer.read())


def creating(*members: Xml, **attributes: str) -> Xml:
    folder = m("SavedItemFolderId", t("DistinguishedFolderId", Id="calendar"))
    return m("CreateItem", folder, m("Items", t("CalendarItem", *members)), **attributes)


def code_of(body: Xml) -> str:
    (found,) = every(body, ".//{*}ResponseCode")
    return str(found.text)


async def test_members_out_of_the_schemas_order_are_refused(server: EwsServer) -> None:
    right = event("A", at(24))
    asked = creating(*reversed(right), SendMeetingInvitations="SendToNone")
    status, body = await send(server, asked)
    assert (status, code_of(body)) == (500, "ErrorSchemaValidation")
    strange = creating(*event("A", at(24)), t("Colour", "red"), SendMeetingInvitations="SendToNone")
    assert code_of((await send(server, strange))[1]) == "ErrorSchemaValidation"
    assert len(server.complaints) == 2
    assert server.calendar.items == {}


async def test_a_write_that_does_not_say_whom_to_mail_is_refused(server: EwsServer) -> None:
    _, body = await send(server, creating(*event("A", at(24))))
    assert code_of(body) == "ErrorSendMeetingInvitationsRequired"
    server.put("a", *event("A", at(24)))
    gone = m("DeleteItem", m("ItemIds", t("ItemId", Id="a")), DeleteType="MoveToDeletedItems")
    assert code_of((await send(server, gone))[1]) == "ErrorSendMeetingCancellationsRequired"
    assert set(server.calendar.items) == {"a"}


async def test_a_state_of_nobodys_or_of_another_folder_is_refused(server: EwsServer) -> None:
    team = server.mailbox.add_calendar("Team")

    def syncing(folder: str, state: str) -> Xml:
        shape = m("ItemShape", t("BaseShape", "IdOnly"))
        since = [m("SyncState", state)] if state else []
        place = m("SyncFolderId", t("FolderId", Id=folder))
        return m("SyncFolderItems", shape, place, *since, m("MaxChangesReturned", "512"))

    _, body = await send(server, syncing(team.id, ""))
    state = str(first(body, ".//m:SyncState").text)
    assert code_of((await send(server, syncing(team.id, state)))[1]) == "NoError"
    for folder, given in ((server.calendar.id, state), (team.id, f"{state}A")):
        _, body = await send(server, syncing(folder, given))
        assert code_of(body) == "ErrorInvalidSyncStateData"
        assert not list(every(body, ".//m:Changes"))  # never an empty page instead


async def test_what_no_client_may_do_is_complained_of(server: EwsServer) -> None:
    folder = m("FolderIds", t("DistinguishedFolderId", Id="calendar"))
    asked = m("GetFolder", m("FolderShape", t("BaseShape", "IdOnly")), folder)
    await send(server, etree.fromstring(etree.tostring(asked)), header=None)
    assert server.complaints == ["asked for the version ''"]
    status, _ = await send(server, m("GetEverything"))
    assert status == 500
    assert server.complaints[1:] == ["there is no GetEverything"]
    server.hold = lambda _: asyncio.sleep(0.2)
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(send(server, etree.fromstring(etree.tostring(asked))))
    assert server.complaints[2:] == ["two requests at once"]  # E8
