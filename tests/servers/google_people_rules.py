"""What People's document promises of its answers, held against each one of the fake (10.4).

It knows nothing of how the fake comes to them.
"""

from datetime import datetime, timedelta

from tests.servers.discovery import Json

WEEK = timedelta(days=7)


class PeopleRules:
    """Remembers which full read each token goes back to."""

    def __init__(self) -> None:
        self._tokens: dict[str, datetime] = {}  # sync tokens: when their full read was
        self._pages: dict[str, datetime] = {}  # page tokens, too

    def faults(self, query: dict[str, str], told: Json, now: datetime) -> list[str]:
        """Return what is wrong with a good answer to ``query``."""
        sync = query.get("syncToken")
        began = self._tokens.get(sync, now) if sync else now
        began = self._pages.get(query.get("pageToken", ""), began)
        wrong = list[str]()
        if sync is not None and now - self._tokens.get(sync, now) > WEEK:
            wrong.append("a sync token was good for more than 7 days after its full read")
        if "nextPageToken" in told and "nextSyncToken" in told:
            wrong.append("a page that is not the last one has a sync token")
        if told.get("connections") == []:
            wrong.append("a page without contacts has an empty list of them")
        for person in told.get("connections", []):
            metadata = person.get("metadata", {})
            if sync is None and metadata.keys() & {"deleted", "previousResourceNames"}:
                wrong.append(f"a full read tells what only a sync does: {person['resourceName']}")
        for name, kept in (("nextSyncToken", self._tokens), ("nextPageToken", self._pages)):
            if name in told:
                kept[told[name]] = began
        return wrong
