"""Labels: what users sort their calendars of tokens by (api.md M14, where they are tags)."""

from collections.abc import Sequence
from dataclasses import replace

from syncd.model.errors import ConflictError, InvalidError, NotFoundError
from syncd.model.ids import UserId
from syncd.model.published import PLAIN_COLOR, Label, name_fault, new_id
from syncd.ports.store import Store

MOST = 100  # of a calendar


async def add(store: Store, user: UserId, name: str, color: str | None = None) -> Label:
    """Add a label; raises InvalidError for a name that is wrong or taken."""
    label = Label(id=new_id(), user_id=user, name=_checked(name), color=color or PLAIN_COLOR)
    try:
        await store.add_label(label)
    except ConflictError:
        raise _taken() from None
    return label


async def named(store: Store, user: UserId, name: str) -> Label:
    """Return the user's label of this name; raises NotFoundError."""
    found = await store.labels(user)
    label = next((one for one in found if one.name == name), None)
    if label is None:
        raise NotFoundError("tag not found")
    return label


async def change(store: Store, label: Label, *, name: str | None, color: str | None) -> Label:
    """Rename or colour a label; raises InvalidError for a name that is wrong or taken."""
    changed = replace(
        label,
        name=label.name if name is None else _checked(name),
        color=label.color if color is None else color,
    )
    try:
        await store.save_label(changed)
    except ConflictError:
        raise _taken() from None
    return changed


async def remove(store: Store, user: UserId, name: str) -> None:
    """Remove the user's label of this name, if there is one."""
    for label in await store.labels(user):
        if label.name == name:
            await store.remove_label(label.id)


async def ids(store: Store, user: UserId, names: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of labels by name; those that are new are made."""
    if len(names) > MOST:
        raise InvalidError(f"a calendar may have {MOST} tags", field="tags")
    known = {one.name: one for one in await store.labels(user)} if names else {}
    for name in dict.fromkeys(names):
        if name not in known:
            known[name] = await add(store, user, name)
    return tuple(known[name].id for name in dict.fromkeys(names))


def _checked(name: str) -> str:
    fault = name_fault(name)
    if fault is not None:
        raise InvalidError(fault, field="tag")
    return name


def _taken() -> InvalidError:
    return InvalidError("there is a tag of this name already", field="tag")
