"""Google's Directory API: the resources of a domain, for its administrators (api.md K33)."""

from tests.servers.discovery import Json, directory_api
from tests.servers.google_faults import RefusedError
from tests.servers.google_host import Host
from tests.servers.tokens import TokenServer

_KIND = "admin#directory#resources#calendars"


class DirectoryServer(Host):
    """One domain; who signed in is its administrator unless a test says else."""

    base = "/admin/directory/v1"
    path = "/customer/my_customer/resources/calendars"

    def __init__(self, tokens: TokenServer, complaints: list[str]) -> None:
        super().__init__(directory_api(), tokens, complaints)
        self.admin = True
        self.resources: list[Json] = []

    def add(self, name: str, **members: object) -> Json:
        """Add a conference room."""
        made: Json = {
            "kind": f"{_KIND}#CalendarResource",
            "etags": '"1"',
            "resourceId": name,
            "resourceName": name.title(),
            "generatedResourceName": f"HQ-1-{name.title()} (8)",
            "resourceEmail": f"c_{name}@resource.calendar.google.com",
            "resourceCategory": "CONFERENCE_ROOM",
            "capacity": 8,
            "featureInstances": [{"feature": {"name": "Whiteboard"}}],
            **members,
        }
        self.resources.append(made)
        return made

    async def listed(self, query: dict[str, str]) -> Json:
        if not self.admin:
            raise RefusedError(403, "forbidden")
        size = int(query.get("maxResults", "100"))
        if not 1 <= size <= 500:
            raise RefusedError(400, "invalid")
        page = self.cut(self.resources, query, size)
        told: Json = {"kind": f"{_KIND}#calendarResourcesList", "etag": '"1"'}
        if page:
            told["items"] = page
        return told if self.page_token is None else {**told, "nextPageToken": self.page_token}
