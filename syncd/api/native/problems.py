"""Errors by RFC 9457 (api.md R14d)."""

from http import HTTPStatus

from syncd.api.parts import Json
from syncd.api.problems import Problem
from syncd.api.route import Shape


class NativeProblem(Shape):
    """A problem document of RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str


def shape(problem: Problem, request_id: str) -> Json:
    """Return the problem document."""
    return {
        "type": f"/docs#{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.message,
        "code": problem.code,
        "request_id": request_id,
        **problem.members,
    }
