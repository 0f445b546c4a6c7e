"""A dialect: which paths are its own, how it answers, how it words errors (api.md R1, R14)."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import ModuleType

import orjson
from aiohttp import web

from syncd.api.parts import Json
from syncd.api.problems import Problem
from syncd.api.route import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One of the APIs that syncd speaks.

    ``paths`` matches from the start of a path. ``modules`` hold its routes. ``invalid`` is the
    status of a wrong parameter, ``unserved`` what unknown paths of a pattern answer, not 404.
    ``hears`` tells that the headers of R20 hold.
    """

    name: str
    paths: re.Pattern[str]
    problem_type: str
    shape: Callable[[Problem, str], Json]  # the problem, the request's id
    problem: type[Shape]  # describes what ``shape`` returns
    modules: tuple[ModuleType, ...] = ()
    invalid: int = 400
    unserved: tuple[re.Pattern[str], Problem] | None = None
    hears: bool = False

    def owns(self, path: str) -> bool:
        """Tell whether a path is answered in this dialect."""
        return self.paths.match(path) is not None

    def unknown(self, path: str) -> Problem | None:
        """Return what an unknown path answers in place of 404, None for 404."""
        if self.unserved is None or self.unserved[0].match(path) is None:
            return None
        return self.unserved[1]

    def answer(self, problem: Problem, request_id: str) -> web.Response:
        """Return a problem in this dialect's words."""
        if problem.status == 400 and problem.faults:  # noqa: PLR2004 - the caller's fault
            problem = replace(problem, status=self.invalid)
        body = orjson.dumps(self.shape(problem, request_id))
        headers = dict(problem.headers) | {"Content-Type": self.problem_type}
        return web.Response(status=problem.status, body=body, headers=headers)
