"""Errors as mytoken words them (api.md M13, R14c)."""

from collections.abc import Mapping

from syncd.api.parts import Json
from syncd.api.problems import FAULT, Problem, ProblemError
from syncd.api.route import Shape

CAPABILITY = "The provided token does not have the required capability for this operation"
_CODES: Mapping[str, str] = {  # what syncd calls it: what mytoken does
    "unauthorized": "invalid_token",
    "insufficient_scope": "insufficient_capabilities",
    "invalid_parameters": "invalid_request",
    "idempotency_mismatch": "invalid_request",
    "internal_error": "internal_server_error",
}
_SAID: Mapping[str, str] = {"insufficient_scope": CAPABILITY, "internal_error": FAULT}


class MytokenProblem(Shape):
    """An error."""

    error: str
    error_description: str | None = None


def shape(problem: Problem, request_id: str) -> Json:
    """Return the body of an error; an empty description is left out."""
    del request_id  # stands in the header
    told: Json = {"error": _CODES.get(problem.code, problem.code)}
    said = _SAID.get(problem.code, problem.message)
    return told | {"error_description": said} if said else told


def refused(status: int, code: str, message: str) -> ProblemError:
    """Return a refusal in mytoken's own words."""
    return ProblemError(Problem(status=status, code=code, message=message))


def missing(name: str) -> ProblemError:
    """Return the refusal of a body that lacks a member."""
    return refused(400, "invalid_request", f"required parameter '{name}' is missing")


NOT_YET = Problem(status=501, code="not_yet_implemented", message="this is not served here")
"""What everything else below ``/api/v0`` answers (M15)."""
