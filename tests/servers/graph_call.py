"""One request to the Graph fake, and how it is refused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote


class RefusedError(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Call:
    """One request, alone or in a batch; ``path`` is quoted, below the API's address."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    @property
    def names(self) -> list[str]:
        return [unquote(one) for one in self.path.split("/")[2:]]


Answering = Callable[[Call], tuple[int, object]]
