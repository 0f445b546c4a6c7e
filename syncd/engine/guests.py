"""Who is invited, and who answers: a list of attendees as K26 reads it: pure."""

from collections.abc import Iterable, Mapping

from syncd.engine.draft import EventDraft, Guest
from syncd.model.edit import UNSET, Not, Reply
from syncd.model.errors import InvalidError
from syncd.model.event import Answer, Event, Person
from syncd.model.own import is_own

FIELD = "attendees"
MOST = 500  # R23


def settle_guests(
    draft: EventDraft, before: Event | None, own: frozenset[str]
) -> tuple[tuple[Person, ...] | Not, Reply | Not]:
    """Return the whole list of attendees, or the profile's own answer, or neither.

    ``own`` are the profile's addresses. Raises InvalidError.
    """
    there = {} if before is None else {one.email.lower(): one for one in before.attendees}
    if draft.reply is not UNSET:
        return UNSET, _reply(there, own, draft.reply, field="status")
    if draft.attendees is not UNSET:
        if before is not None and _answers(draft, before, draft.attendees, own):
            if _written_back(draft.attendees, there, own):
                return UNSET, UNSET
            given = next((one for one in draft.attendees if is_own(one.email, own)), None)
            if given is None or given.answer is None:
                raise InvalidError(
                    "the organizer is somebody else: only your own status can be set", field=FIELD
                )
            return UNSET, _reply(there, own, given.answer, field=FIELD)
        people = _limited(_invited(draft.attendees, there))
        unchanged = before is not None and {one.email.lower(): one for one in people} == there
        return UNSET if unchanged else people, UNSET
    if draft.invite or draft.dismiss:
        stay = {name: one for name, one in there.items() if name not in draft.dismiss}
        new = {one.email.lower(): one for one in _invited(draft.invite, there)}
        return _limited((stay | new).values()), UNSET
    return UNSET, UNSET


def _answers(
    draft: EventDraft, before: Event, given: tuple[Guest, ...], own: frozenset[str]
) -> bool:
    """Tell whether a list means an answer: it is a guest's, or names only its sender with one.

    An answer repeated is one too, so that it drops nobody.
    """
    if draft.answer_only:
        return True
    if before.organizer is not None and not is_own(before.organizer.email, own):
        return True
    return (
        bool(given)
        and all(is_own(one.email, own) for one in given)
        and any(one.answer is not None for one in given)
        and bool(before.attendees)
    )


def _written_back(
    given: tuple[Guest, ...], there: Mapping[str, Person], own: frozenset[str]
) -> bool:
    """Tell whether a list is the one that was read, and no answer that is repeated by itself."""
    told = {one.email.lower(): one.answer for one in given}
    if told.keys() != there.keys():
        return False
    if any(answer not in {None, there[name].answer} for name, answer in told.items()):
        return False
    return not told or not all(is_own(name, own) and _said(one) for name, one in told.items())


def _said(answer: Answer | None) -> bool:
    return answer not in {None, Answer.PENDING}


def _reply(
    there: Mapping[str, Person], own: frozenset[str], answer: Answer, *, field: str
) -> Reply:
    mine = next((one for one in there.values() if is_own(one.email, own)), None)
    if mine is None:
        raise InvalidError("your own address is not among those invited", field=field)
    return Reply(email=mine.email, answer=answer)


def _invited(given: Iterable[Guest], there: Mapping[str, Person]) -> tuple[Person, ...]:
    """Return persons; those already there keep their answer and ``required`` unless given."""
    people = dict[str, Person]()
    for guest in given:
        known = there.get(guest.email.strip().lower())
        name = known.email if known else checked_address(guest.email, FIELD)
        people[name.lower()] = Person(
            email=name,
            name=guest.name if guest.name is not None or known is None else known.name,
            id=known.id if known else None,
            required=_first(guest.required, known.required if known else True),
            resource=known.resource if known else False,
            answer=guest.answer or (known.answer if known else Answer.PENDING),
        )
    return tuple(people.values())


def _first(given: bool | None, otherwise: bool) -> bool:  # noqa: FBT001 - the case
    return otherwise if given is None else given


def checked_address(text: str, field: str) -> str:
    """Return an e-mail address; raises InvalidError for what cannot be one."""
    name = text.strip()
    local, _, host = name.rpartition("@")
    if not local or not host or any(letter <= " " or letter in '<>"' for letter in name):
        raise InvalidError(f"{text!r} is no e-mail address", field=field)
    return name


def _limited(people: Iterable[Person]) -> tuple[Person, ...]:
    whole = tuple(people)
    if len(whole) > MOST:
        raise InvalidError(f"an event has at most {MOST} attendees", field=FIELD, fault="too_long")
    return whole
