"""syncd's own dialect: profiles and their management; it answers wherever no other does."""

import re

from syncd.api.dialect import Dialect
from syncd.api.native import (
    activity,
    connect,
    deliveries,
    feeds,
    profiles,
    push,
    webhooks,
)
from syncd.api.native.problems import NativeProblem, shape

DIALECT = Dialect(
    name="native",
    paths=re.compile(""),
    problem_type="application/problem+json",
    shape=shape,
    problem=NativeProblem,
    modules=(profiles, connect, activity, webhooks, deliveries, feeds, push),
)
