"""What Google's own client reads of the fakes (providers.md 10.4, 2); it blocks: use a thread."""

from typing import Any

from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build

Person = tuple[str, tuple[str, ...], tuple[str, ...]]  # name, e-mail addresses, phone numbers
_READ = {
    "resourceName": "people/me",
    "personFields": "names,emailAddresses,phoneNumbers",
    "sources": "READ_SOURCE_TYPE_CONTACT",
}


def google(name: str, version: str, root: str, token: str) -> Any:  # noqa: ANN401 - made at run time
    """Return the client of one API that is served below ``root``."""
    return build(
        name,
        version,
        credentials=Credentials(token),  # type: ignore[no-untyped-call]
        static_discovery=True,
        client_options={"api_endpoint": root},
    )


def people_at(url: str, token: str) -> list[Person]:
    """Return the contacts below ``people_url``."""
    with google("people", "v1", url.removesuffix("v1"), token) as service:
        connections = service.people().connections()
        request, found = connections.list(**_READ), list[Person]()
        while request is not None:
            answer = request.execute()
            found += map(_person, answer.get("connections", []))
            request = connections.list_next(request, answer)
        return sorted(found)


def rooms_at(url: str, token: str) -> list[str]:
    """Return the addresses of the resources below ``directory_url``."""
    root = url.removesuffix("admin/directory/v1")
    with google("admin", "directory_v1", root, token) as service:
        calendars = service.resources().calendars()
        request, found = calendars.list(customer="my_customer", maxResults=2), list[str]()
        while request is not None:
            answer = request.execute()
            found += [one["resourceEmail"] for one in answer.get("items", [])]
            request = calendars.list_next(request, answer)
        return sorted(found)


def _person(told: dict[str, Any]) -> Person:
    name = told["names"][0]["displayName"]
    values = [
        tuple(sorted(one["value"] for one in told.get(field, [])))
        for field in ("emailAddresses", "phoneNumbers")
    ]
    return name, values[0], values[1]
