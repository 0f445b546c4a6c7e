"""``[nats]`` of the settings as what the sink needs; wrong ones end the start (exit 78)."""

import stat
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

from syncd.model.errors import MisconfiguredError
from syncd.runtime.settings import Settings
from syncd.sinks.letters import Target

_OTHERS = stat.S_IRWXO


def target_of(settings: Settings) -> Target | None:
    """Return where to publish, None without a ``url``; raises MisconfiguredError.

    What is wrong is named by its key and its file.
    """
    nats = settings.nats
    if not nats.url:
        return None
    if find_spec("nats") is None:
        raise MisconfiguredError(
            "NATS needs what the extra brings: pip install 'syncd[nats]', or remove nats.url",
            key="nats.url",
        )
    return Target(
        servers=nats.servers,
        stream=nats.stream,
        subject=nats.subject,
        retention=timedelta(days=settings.retention.days),
        credentials_file=_secret_file("nats.credentials_file", nats.credentials_file),
        token_file=_secret_file("nats.token_file", nats.token_file),
    )


def _secret_file(key: str, name: str) -> Path | None:
    """Return a file that is there and that not everybody may read; raises MisconfiguredError."""
    if not name:
        return None
    path = Path(name)
    try:
        mode = path.stat().st_mode
        with path.open("rb"):
            pass
    except OSError as error:
        why = error.strerror or "it cannot be read"
        raise MisconfiguredError(
            f"{path}: {why}; change {key}, or mend the file", key=key
        ) from None
    if mode & _OTHERS:
        raise MisconfiguredError(f"{path}: others can read it; chmod 600 {path}", key=key)
    return path
