"""The document (api.md N23): complete, valid, and true of what is answered."""

import base64
import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from syncd.api.build import DIALECTS, routes
from syncd.api.openapi import openapi
from tests.api.serving import Api
from tests.api.test_contacts import WALTER
from tests.api.test_webhooks import HOOKS, happen, made
from tests.engine.ground import event, exception, series

DOCUMENT = orjson.loads(orjson.dumps(openapi(routes(), DIALECTS)))


def test_the_document_is_valid() -> None:
    validate(DOCUMENT)


def test_every_route_is_described_with_its_scope_and_its_words() -> None:
    """N23: complete."""
    described = {(m.upper(), p) for p, one in DOCUMENT["paths"].items() for m in one}
    assert described == {(route.method, route.path) for route in routes()}
    for route in routes():
        operation = DOCUMENT["paths"][route.path][route.method.lower()]
        assert operation["summary"].endswith(".")
        scopes = [one["bearer"] for one in operation["security"] if "bearer" in one]
        wanted = [] if route.scope is None else [route.scope.value]
        assert scopes == ([wanted] if route.guarded else [])
        in_path = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", route.path))


def examples() -> Iterator[tuple[str, Any, Any]]:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for example in schema.get("examples", ()):
            yield name, schema, example


def test_examples_obey_their_schemas() -> None:
    found = list(examples())
    assert {"Account", "Calendar", "Event", "ActivityPage", "Profile", "ProfileList"} <= {
        name for name, _, _ in found
    }
    for _, schema, example in found:
        closed(schema).validate(example)


def closed(schema: Any) -> Draft202012Validator:  # noqa: ANN401 - JSON
    """Return a validator to which a member that the document does not know is a fault."""
    known = DOCUMENT["components"]["schemas"]
    schemas = {
        name: {**one, "additionalProperties": False} if "properties" in one else one
        for name, one in known.items()
    }
    root = {**schema, "components": {"schemas": schemas}}
    if "properties" in schema:
        root["additionalProperties"] = False
    return Draft202012Validator(root)


@pytest.mark.parametrize("raw", ["true", "false"])
async def test_answers_have_the_members_of_the_document_and_no_others(api: Api, raw: str) -> None:
    """Every answer of every reading route, with what there is to show."""
    work = api.ground.server.add("/work/", primary=True)
    work.put("a.ics", event("Review"))
    work.put("b.ics", series("Stand-up"), exception("Late", 3, uid="Stand-up"))
    api.ground.server.add_book("/people/").put_contact("a.vcf", WALTER)
    await api.ground.poll()
    hook = (await made(api))["id"]
    await happen(api, "Pushed")
    (sent, *_) = (await api.json(f"{HOOKS}/{hook}/deliveries"))["objects"]
    await api.disconnect()
    primary = f"/v1/accounts/{api.account}/cal/calendars/primary"
    listed = await api.json(f"{primary}/events?page_size=3")
    assert listed["next_page"]
    people = await api.json(f"/v1/accounts/{api.account}/contact/contacts")
    feed = {"name": "Team", "calendar_ids": ["primary"], "detail": "full"}
    published = await (await api.send("POST", "/v1/feeds", json=feed)).json()
    await api.send("POST", "/api/v0/notifications/calendars", json={"name": "CI", "tags": ["a"]})
    checked = set[str]()
    for route in routes():
        answer = DOCUMENT["paths"][route.path][route.method.lower()]["responses"][str(route.status)]
        content = answer.get("content", {}).get("application/json", {})
        unknown = any(one in route.path for one in ("{page_id}", "{resource_id}"))
        if route.method != "GET" or not content or unknown:
            continue
        path = route.path.format(
            account_id=api.account,
            profile_id=api.account,
            calendar_id="primary",
            event_id=listed["objects"][1]["id"],
            contact_id=people["objects"][0]["id"],
            feed_id=published["id"],
            webhook_id=hook,
            subscription_id="default",
            delivery_id=sent["id"],
        )
        headers = {"X-Kloudless-Raw-Data": raw}
        body = await api.json(f"{path}?verbose", headers=headers)
        closed(content["schema"]).validate(body)
        for header in answer.get("headers", {}).keys() - {"X-Syncd-Truncated"}:
            assert header in (await api.get(path)).headers
        checked.add(route.name)
    assert {"list_events", "list_activity", "list_profiles", "is_ready"} < checked
    assert len(checked) >= 13


async def test_the_document_and_its_page_are_served_without_a_token(api: Api) -> None:
    """N23: nothing from outside."""
    assert await api.json("/openapi.json", token="") == DOCUMENT
    page = await api.get("/docs", token="")
    text = await page.text()
    assert page.content_type == "text/html"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    style = text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in page.headers["Content-Security-Policy"]
    for word in ("src=", "<script", "<link", "<iframe", "@import", "url("):
        assert word not in text
    targets = set(re.findall(r'href="([^"]+)"', text))
    assert {one for one in targets if not one.startswith("#")} == {"openapi.json"}
    anchors = set(re.findall(r'id="([^"]+)"', text))
    assert {one[1:] for one in targets if one.startswith("#")} <= anchors
    assert {route.name for route in routes()} <= anchors
    assert f"http://{page.url.host}:{page.url.port}/v1/accounts/me/events" in text


async def test_the_page_shows_bodies_and_answers_as_the_document_does(api: Api) -> None:
    text = await (await api.get("/docs", token="")).text()
    confirm = text[text.index('id="confirm_deletes"') :].partition("</section>")[0]
    assert '<a href="#shape-ConfirmBody">ConfirmBody</a>' in confirm
    assert "manage_profiles" in confirm
    event_shape = text[text.index('id="shape-Event"') :].partition("</section>")[0]
    for member in DOCUMENT["components"]["schemas"]["Event"]["properties"]:
        assert f"<code>{member}</code>" in event_shape
    assert 'list of <a href="#shape-Person">Person</a>' in event_shape
    assert 'id="shape-ActivityQuery"' not in text  # parameters stand where they are taken
