"""``@route``: one declaration that serves a path and writes its part of the OpenAPI document."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from syncd.model.access import Scope, Token

PAGE = "text/html"  # for people

Handler = Callable[..., Awaitable[web.StreamResponse]]
Admit = Callable[[web.Request], Awaitable[tuple[Token, ...]]]


class Shape(BaseModel, frozen=True):
    """A query, a body or an answer; unknown members and parameters are ignored (api.md R2)."""


class NoQuery(Shape):
    """A route without parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One endpoint.

    ``handler`` is called with the request, and with ``query`` and ``body`` if there are shapes
    for them. ``scope`` None needs no token, unless ``any_token`` asks for one of whatever scopes.
    ``answer`` describes the answer of ``status``, None one that is empty or no JSON;
    ``content_type`` is set only where it is not JSON; with ``PAGE`` refusals may be pages too.
    ``more`` are further statuses with an answer, ``errors`` those beside what every route has.
    ``headers`` are told with the answer, ``takes`` are request headers that matter. ``form``: a
    body that does not begin with a brace is a form (R2). ``idempotent``: a creating POST, which
    takes ``Idempotency-Key`` (R17) and names what it creates by ``idempotency.object_name``.
    ``client_secret``: ``Bearer`` with an application's secret counts as ``APIKey`` (R5). ``admit``
    returns the live tokens of a request where they stand elsewhere than in its header.
    ``oauth``: a token endpoint, whose errors are worded by RFC 6749 (``api.oauth``).
    """

    method: str
    path: str
    handler: Handler
    scope: Scope | None
    query: type[Shape]
    body: type[Shape] | None
    answer: type[Shape] | None
    status: int
    content_type: str | None
    more: Mapping[int, type[Shape] | None] = field(default_factory=dict)
    errors: tuple[int, ...] = ()
    headers: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    any_token: bool = False
    form: bool = False
    idempotent: bool = False
    client_secret: bool = False
    admit: Admit | None = None
    oauth: bool = False

    @property
    def guarded(self) -> bool:
        """Tell whether a token is needed."""
        return self.scope is not None or self.any_token

    @property
    def name(self) -> str:
        """Return the operation's name."""
        return self.handler.__name__

    @property
    def text(self) -> str:
        """Return what the operation does, in the words of its docstring."""
        return (self.handler.__doc__ or "").strip()


def route(  # noqa: PLR0913 - a declaration
    method: str,
    path: str,
    *,
    scope: Scope | None,
    query: type[Shape] = NoQuery,
    body: type[Shape] | None = None,
    answer: type[Shape] | None = None,
    status: int = 200,
    content_type: str | None = None,
    more: Mapping[int, type[Shape] | None] | None = None,
    errors: tuple[int, ...] = (),
    headers: tuple[str, ...] = (),
    takes: tuple[str, ...] = (),
    any_token: bool = False,
    form: bool = False,
    idempotent: bool = False,
    client_secret: bool = False,
    admit: Admit | None = None,
    oauth: bool = False,
) -> Callable[[Handler], Route]:
    """Make a Route of a handler."""

    def made(handler: Handler) -> Route:
        return Route(
            method=method,
            path=path,
            handler=handler,
            scope=scope,
            query=query,
            body=body,
            answer=answer,
            status=status,
            content_type=content_type,
            more=more or {},
            errors=errors,
            headers=headers,
            takes=takes,
            any_token=any_token,
            form=form,
            idempotent=idempotent,
            client_secret=client_secret,
            admit=admit,
            oauth=oauth,
        )

    return made


def routes_of(module: Any) -> tuple[Route, ...]:  # noqa: ANN401 - a module
    """Return the routes that a module declares, in their order."""
    return tuple(value for value in vars(module).values() if isinstance(value, Route))
