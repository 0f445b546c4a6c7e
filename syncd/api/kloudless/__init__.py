"""The Kloudless dialect: accounts, calendars, events, contacts, activity, tokens."""

import re

from syncd.api.dialect import Dialect
from syncd.api.kloudless import (
    accounts,
    activity,
    availability,
    calendars,
    contacts,
    events,
    follow,
    oauth,
    raw,
    resources,
    subscription_activity,
    subscriptions,
)
from syncd.api.kloudless.problems import KloudlessProblem, shape

DIALECT = Dialect(
    name="kloudless",
    paths=re.compile(r"/v1/(accounts|oauth)(/|$)|/static/iexd\.html$"),
    problem_type="application/json",
    shape=shape,
    problem=KloudlessProblem,
    hears=True,
    modules=(
        *(accounts, calendars, events, availability, contacts),
        *(activity, follow, subscriptions, subscription_activity, oauth, raw, resources),
    ),
)
