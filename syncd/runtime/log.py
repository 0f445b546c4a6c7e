"""Log lines: for people on a terminal, JSON else; always on stderr, never a secret (F41).

A line is a dotted noun with fields, ``log.info("profile.disconnected", profile_id=7)``; structlog's
key ``event`` is renamed ``what``, since an event is only ever a calendar event.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog
from structlog.typing import Processor

HIDDEN = "***"
_KEYS = re.compile(
    r"(^|_)(authorization|token|secret|password|code|state|refresh|cookie|ics_path|relink|key)$",
    re.IGNORECASE,
)
_OPEN_KEYS = frozenset({"status_code"})  # a number that HTTP gives, and no secret
_FIRST = ("at", "level", "what")
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b(Bearer|Basic|APIKey|Digest)\s+[^\s'\"]+", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"\bya29\.[\w.-]+"), HIDDEN),
    (re.compile(r"\b1//[\w-]+"), HIDDEN),
    (re.compile(r"\bwhsec_[\w+/=-]+"), HIDDEN),
    (re.compile(r"\bsyncd_[a-z0-9]+_[\w-]+", re.IGNORECASE), HIDDEN),
    (re.compile(r"(/(?:relink|connect|feeds)/)[\w.-]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(/calendars/)[\w-]{40,}"), rf"\1{HIDDEN}"),
    (re.compile(r"([?&](?:code|state|token|access_token)=)[^\s&'\"]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/\s@'\"]+@", re.IGNORECASE), rf"\1{HIDDEN}@"),
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s?'\"]*\?)[^\s'\"]+", re.IGNORECASE), rf"\1{HIDDEN}"),
)
_PARSER = frozenset({"aiohttp.http_exceptions", "aiohttp.web_protocol"})
_LOUD = ("asyncio", "aiohttp", "aiosqlite", "alembic", "sqlalchemy", "icalendar", "oauthlib")


def redact(_: object, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide by key, and by pattern inside of every text; what everyone looks for stands first."""
    first = {key: line[key] for key in _FIRST if key in line}
    return {key: _hidden(key, value) for key, value in {**first, **line}.items()}


class _Malformed(logging.Filter):
    """Makes of what aiohttp tells of a request that is none a word for whoever debugs.

    Its own lines have a traceback and quote the request, secrets and all; strangers could write
    as many as they like.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the line is to be written as it is."""
        error = record.exc_info[1] if record.exc_info else None
        if type(error).__module__ not in _PARSER:
            return True
        remote = str(record.args[0]) if isinstance(record.args, tuple) and record.args else None
        structlog.get_logger().debug("request.malformed", remote=remote, fault=type(error).__name__)
        return False


_MALFORMED = _Malformed()  # one: a logger keeps each filter once


def configure(level: str = "info", *, terminal: bool | None = None) -> None:
    """Send every line, those of libraries too, to stderr from ``level`` on."""
    people = sys.stderr.isatty() if terminal is None else terminal
    shared: tuple[Processor, ...] = (
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
    )
    rename = structlog.processors.EventRenamer("what")
    last: tuple[Processor, ...] = (
        (redact, structlog.dev.ConsoleRenderer(event_key="what", timestamp_key="at"))
        if people
        else (redact, structlog.processors.JSONRenderer(default=str))
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, rename, *last],
    )
    out = logging.StreamHandler(sys.stderr)
    out.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [out]
    root.setLevel(level.upper())
    for name in _LOUD:
        logging.getLogger(name).setLevel("WARNING")
    logging.getLogger("aiohttp.server").addFilter(_MALFORMED)
    logging.getLogger("apscheduler").setLevel("ERROR")  # a tick left out is what we ask for
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _hidden(key: str, value: object) -> object:
    if _KEYS.search(key) and key not in _OPEN_KEYS and value is not None:
        return HIDDEN
    if isinstance(value, str):
        return _without_secrets(value)
    if isinstance(value, Mapping):
        return {name: _hidden(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_hidden("", inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _without_secrets(str(value))


def _without_secrets(text: str) -> str:
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text
