"""Pages of records end by size too: a count alone bounds no memory.

Reading, splicing and sending hold a page some four times over. What fits grows with what was asked
for, so that records of ordinary size (1 to 2 KB) are never fewer than asked for, while who reads
often and keeps many pages at once, by the hundred, is held to a small one.
"""

from collections.abc import Sequence

from sqlalchemy import BigInteger, ColumnElement, bindparam, case, func, or_

from syncd.store.rows import AnyRow
from syncd.store.tables import activities

_LEAST = 1 << 20  # bytes, for pages of up to 128 records
_EACH = 8 << 10  # bytes; 1,000 records, the most that can be asked for, are 8 MB


def fitting(limit: int) -> int:
    """Return how many bytes a page of so many records may have; one record always fits."""
    return max(_LEAST, limit * _EACH)


def fitting_body(*order: ColumnElement[int]) -> ColumnElement[bytes | None]:
    """Return the body as a column that is NULL from where a page is full, on PostgreSQL.

    The size of a body is known without reading it. (SQLite would read all of them first to do the
    same, and is stopped instead: ``Database.fetch``.) ``order`` is that of the page, ``fitting`` a
    parameter.
    """
    body = activities.c.body
    size = func.octet_length(body)
    so_far = func.sum(size).over(order_by=order, rows=(None, 0))
    room = bindparam("fitting", type_=BigInteger)
    return case((or_(so_far <= room, so_far == size), body)).label("body")


def that_fit(rows: Sequence[AnyRow]) -> Sequence[AnyRow]:
    """Return the rows before the first without a body, which did not fit or is none."""
    if not rows or rows[-1].body is not None:
        return rows
    return rows[: next(number for number, row in enumerate(rows) if row.body is None)]
