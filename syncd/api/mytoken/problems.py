"""Errors as mytoken words them (api.md R14c)."""

from syncd.api.parts import Json
from syncd.api.problems import Problem
from syncd.api.route import Shape


class MytokenProblem(Shape):
    """An error."""

    error: str
    error_description: str | None = None


def shape(problem: Problem, request_id: str) -> Json:
    """Return the body of an error; an empty description is left out."""
    del request_id  # stands in the header
    told: Json = {"error": problem.code}
    return told | {"error_description": problem.message} if problem.message else told
