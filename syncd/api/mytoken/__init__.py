"""The mytoken dialect: calendars of expiring tokens, and what its clients ask before them."""

import re

from syncd.api.dialect import Dialect
from syncd.api.mytoken import calendars, configuration, feed, settings
from syncd.api.mytoken.problems import NOT_YET, MytokenProblem, shape

DIALECT = Dialect(
    name="mytoken",
    paths=re.compile(r"/(\.well-known/mytoken-configuration|api/v0|calendars|actions)(/|$)"),
    problem_type="application/json",
    shape=shape,
    problem=MytokenProblem,
    modules=(configuration, calendars, feed, settings),
    unserved=(re.compile(r"/api/v0(/|$)"), NOT_YET),
)
