"""The kinds of columns, alike on both databases but where a docstring says otherwise."""

from collections.abc import Callable

from sqlalchemy import BigInteger, Dialect, Integer, LargeBinary, MetaData, String, TypeDecorator
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import UserDefinedType

CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Foreign(TypeDecorator[str]):
    """Text that somebody else wrote: what a database cannot hold in it is replaced.

    PostgreSQL refuses NUL, and both refuse lone surrogates; one such title must not stop a
    calendar (I10).
    """

    impl = String
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], str | None]:
        """Clean what is written, and what is looked for."""
        del dialect
        return clean


def clean(text: str | None) -> str | None:
    """Return foreign text as every database can hold it."""
    if text is None or (text.isascii() and "\0" not in text):
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


class Bytes(LargeBinary):
    """Bytes as the drivers take and give them; the usual type copies each value twice."""

    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> None:
        """Hand over what was given."""

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        """Return what was read."""


class CommitOrder(UserDefinedType[int]):
    """The order of commits over all profiles (S1, design decision 11).

    On SQLite, with its one writer, a row number that is never given twice (F29); on PostgreSQL
    the transaction's id, or that of a later one (``Appender``): many rows share it.
    """

    cache_ok = True


@compiles(CommitOrder, "sqlite")
def _row_number(*_: object, **__: object) -> str:
    return "INTEGER PRIMARY KEY AUTOINCREMENT"


@compiles(CommitOrder, "postgresql")
def _transaction_id(*_: object, **__: object) -> str:
    return "BIGINT"


Number = BigInteger().with_variant(Integer(), "sqlite")  # there a key of it is the row itself

metadata = MetaData(naming_convention=CONVENTION)
