"""The Cronofy dialect: all profiles of a user together."""

import re

from syncd.api.cronofy import (
    account,
    availability,
    batch,
    calendars,
    channels,
    events,
    free_busy,
    oauth,
    profiles,
    resources,
    writes,
)
from syncd.api.cronofy.problems import CronofyProblem, shape
from syncd.api.dialect import Dialect

_PATHS = (
    r"/v1/profiles/?$|/v1/profiles/[^/]+/revoke/?$|/oauth/(authorize|token)(/|$)"
    r"|/v1/(calendars|events|free_busy|channels|availability|userinfo|account|resources|batch)(/|$)"
)

DIALECT = Dialect(
    name="cronofy",
    paths=re.compile(_PATHS),
    problem_type="application/json; charset=utf-8",
    shape=shape,
    problem=CronofyProblem,
    modules=(
        oauth,
        profiles,
        calendars,
        account,
        events,
        writes,
        free_busy,
        availability,
        resources,
        channels,
        batch,
    ),
    invalid=422,
)
