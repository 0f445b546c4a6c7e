"""Errors as Cronofy words them (api.md R14b)."""

from syncd.api.parts import Json
from syncd.api.problems import Problem
from syncd.api.route import Shape

_WORDS = {"relink_url": "profile_relink_url"}  # R15


class CronofyFault(Shape):
    """One wrong field."""

    key: str
    description: str


class CronofyProblem(Shape):
    """An error: `errors` by field with 422, else `error` and its description."""

    errors: dict[str, tuple[CronofyFault, ...]] | None = None
    error: str | None = None
    error_description: str | None = None
    profile_relink_url: str | None = None


def shape(problem: Problem, request_id: str) -> Json:
    """Return the body of an error: faults by field for 422 only, else code and description."""
    del request_id  # stands in the header
    if problem.status == 422 and problem.faults:  # noqa: PLR2004 - R14b
        return {
            "errors": {
                field: [{"key": fault.key, "description": fault.description} for fault in faults]
                for field, faults in problem.faults.items()
            }
        }
    members = {_WORDS.get(name, name): value for name, value in problem.members.items()}
    return {"error": problem.code, "error_description": problem.message, **members}
