"""Errors as Kloudless words them (api.md R14a)."""

from syncd.api.parts import Json
from syncd.api.problems import Problem
from syncd.api.route import Shape


class KloudlessProblem(Shape):
    """An error; some have further members."""

    status_code: int
    error_code: str
    message: str
    id: str


def shape(problem: Problem, request_id: str) -> Json:
    """Return the body of an error."""
    return {
        "status_code": problem.status,
        "error_code": problem.code,
        "message": problem.message,
        "id": request_id,
        **problem.members,
    }
