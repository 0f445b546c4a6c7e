"""The mytoken dialect: nothing of it is served yet, its paths answer in its words."""

import re

from syncd.api.dialect import Dialect
from syncd.api.mytoken.problems import MytokenProblem, shape

DIALECT = Dialect(
    name="mytoken",
    paths=re.compile(r"/(\.well-known/mytoken-configuration|api/v0|calendars|actions)(/|$)"),
    problem_type="application/json",
    shape=shape,
    problem=MytokenProblem,
)
