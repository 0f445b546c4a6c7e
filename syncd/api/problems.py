"""Errors as answers: one table from the tree to a status, by nearest ancestor (api.md R14, R15)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from syncd.model.errors import (
    ConflictError,
    CursorExpiredError,
    ForbiddenError,
    InvalidError,
    LimitError,
    MalformedCursorError,
    MalformedReplyError,
    MisconfiguredError,
    NotFoundError,
    OtherPersonError,
    PreconditionError,
    ProbeError,
    ProtectedError,
    ReadOnlyError,
    RejectedError,
    RelinkRequiredError,
    RequestError,
    StaleStateError,
    SyncdError,
    SyncTokenExpiredError,
    ThrottledError,
    TransientError,
    UnprovenClientError,
    UnsupportedError,
    UpstreamError,
    UpstreamTimeoutError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One wrong field; ``key`` is a word of R14b."""

    key: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """An error as every dialect can shape it; ``members`` are added to the body as they are."""

    status: int
    code: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, Any] = field(default_factory=dict)
    faults: Mapping[str, tuple[Fault, ...]] = field(default_factory=dict)


class ProblemError(Exception):
    """Ends a request with this problem."""

    def __init__(self, problem: Problem) -> None:
        """Answer with ``problem``."""
        super().__init__(problem.message)
        self.problem = problem


STATUSES: Mapping[type[SyncdError], tuple[int, str]] = {
    SyncdError: (500, "internal_error"),
    TransientError: (503, "unavailable"),
    UpstreamError: (502, "upstream_error"),
    UpstreamTimeoutError: (504, "upstream_timeout"),
    ThrottledError: (429, "too_many_requests"),
    RelinkRequiredError: (423, "account_disconnected"),
    MisconfiguredError: (500, "internal_error"),
    SyncTokenExpiredError: (502, "upstream_error"),
    MalformedReplyError: (502, "upstream_error"),
    StaleStateError: (409, "conflict"),
    RequestError: (400, "invalid_parameters"),
    NotFoundError: (404, "not_found"),
    InvalidError: (400, "invalid_parameters"),
    ProbeError: (422, "probe_failed"),
    LimitError: (422, "limit_reached"),
    RejectedError: (400, "upstream_rejected"),
    ConflictError: (409, "conflict"),
    PreconditionError: (412, "precondition_failed"),
    ForbiddenError: (403, "upstream_forbidden"),
    ProtectedError: (400, "upstream_rejected"),
    ReadOnlyError: (403, "read_only_calendar"),
    UnprovenClientError: (401, "invalid_client"),
    UnsupportedError: (400, "not_supported"),
    OtherPersonError: (422, "other_person"),
    MalformedCursorError: (400, "invalid_cursor"),
    CursorExpiredError: (410, "cursor_expired"),
}
CODES: Mapping[int, str] = {  # of answers that aiohttp decides on
    400: "invalid_parameters",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    414: "too_large",
}
FAULT = "something failed inside; the operator finds it in the log by this request id"


def problem_of(error: SyncdError) -> Problem:
    """Return the problem that an error is."""
    status, code = next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)
    headers: dict[str, str] = {}
    faults: dict[str, tuple[Fault, ...]] = {}
    if isinstance(error, TransientError) and not isinstance(error, UpstreamError):
        headers["Retry-After"] = seconds(
            5 if error.retry_after is None else error.retry_after.total_seconds()
        )
    if isinstance(error, UnprovenClientError):
        headers["WWW-Authenticate"] = 'APIKey realm="syncd"'
    if isinstance(error, InvalidError):
        code = "invalid_page" if error.field == "page" else error.code or code
        fault = Fault(key=f"errors.{error.fault}", description=str(error))
        faults[error.field or "base"] = (fault,)
    members = error.members if isinstance(error, InvalidError) else {}
    if isinstance(error, CursorExpiredError):
        members = {"reason": error.reason, "cursor": error.restart, "latest": error.latest}
    message = FAULT if status == 500 else str(error)  # noqa: PLR2004 - ours, so no detail
    if isinstance(error, InvalidError) and error.field:
        message = f"{error.field}: {message}"
    return Problem(
        status=status,
        code=code,
        message=message,
        headers=headers,
        members=members,
        faults=faults,
    )


def invalid(message: str, *, field: str = "base") -> ProblemError:
    """Return the refusal of one parameter or of the body as a whole (``base``)."""
    fault = Fault(key="errors.invalid", description=message)
    told = message if field == "base" or field in message else f"{field}: {message}"
    return ProblemError(
        Problem(status=400, code="invalid_parameters", message=told, faults={field: (fault,)})
    )


def seconds(duration: float) -> str:
    """Write ``Retry-After``: whole seconds, at least one (R16)."""
    return str(max(1, -int(-duration // 1)))
