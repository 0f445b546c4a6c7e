"""Errors as Kloudless words them (api.md R14a)."""

from syncd.api.parts import Json
from syncd.api.problems import Problem


def shape(problem: Problem, request_id: str) -> Json:
    """Return the body of an error."""
    return {
        "status_code": problem.status,
        "error_code": problem.code,
        "message": problem.message,
        "id": request_id,
        **problem.members,
    }
