"""In what a service that speaks CalDAV may differ from any other server."""

from collections.abc import Callable
from dataclasses import dataclass

from yarl import URL

from syncd.model.errors import SyncdError
from syncd.providers.caldav.sentences import sentence
from syncd.providers.origins import related


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavour:
    """What holds for any server, unless a service says otherwise.

    ``trusts`` tells whether credentials for one server may go to another (D2). ``books`` is where
    address books are looked for, None for ``/.well-known/carddav`` of the calendars' server (D1).
    ``sentence`` words a failed sign-in at a host for its person. ``forbids_strangers``: 403 of a
    principal refuses the credentials, as 401 does. ``wants_ends``: a VEVENT without DTEND is not
    taken.
    """

    trusts: Callable[[URL, URL], bool] = related
    books: URL | None = None
    sentence: Callable[[SyncdError, str], SyncdError] = sentence
    forbids_strangers: bool = False
    wants_ends: bool = False
