"""Who is invited, and who answers (K26, R7, C9, C10)."""

from dataclasses import replace

import pytest

from syncd.engine.draft import EventDraft, Guest
from syncd.engine.settle import settle
from syncd.model.abilities import Abilities
from syncd.model.edit import UNSET, EventEdit, Reply, Unset
from syncd.model.event import (
    Answer,
    Event,
    Person,
)
from tests.engine.drafts import (
    ADA,
    BO,
    TIMED,
    changed,
    refused,
    scene,
)

YES = Guest(email="Ada@Example.org", name="Ada", answer=Answer.ACCEPTED)


BO_SAYS = Guest(email="bo@example.org", answer=Answer.ACCEPTED)


def test_a_list_of_attendees_replaces_and_keeps_what_is_known() -> None:
    """K26: known ones keep their answer and required unless given."""
    there = (
        Person(email="bo@example.org", name="Bo", required=False, answer=Answer.ACCEPTED, id="7"),
        Person(email="cy@example.org", answer=Answer.DECLINED),
    )
    before = Event(uid="a", start=TIMED.start, end=TIMED.end, organizer=ADA, attendees=there)
    guests = (
        Guest(email="BO@example.org", name="Bob"),
        Guest(email="di@example.org", name="Di", required=False),
    )
    assert changed(before, attendees=guests).attendees == (
        Person(email="bo@example.org", name="Bob", required=False, answer=Answer.ACCEPTED, id="7"),
        Person(email="di@example.org", name="Di", required=False, answer=Answer.PENDING),
    )
    again = (Guest(email="bo@example.org", answer=Answer.PENDING, required=True),)
    told = invitees(changed(before, attendees=again))[0]
    assert (told.answer, told.required, told.name) == (Answer.PENDING, True, "Bo")


def invitees(edit: EventEdit) -> tuple[Person, ...]:
    assert not isinstance(edit.attendees, Unset)
    return edit.attendees


def invited(organizer: Person | None) -> Event:
    people = (Person(email="ada@example.org", answer=Answer.PENDING), BO)
    return Event(uid="a", start=TIMED.start, end=TIMED.end, organizer=organizer, attendees=people)


@pytest.mark.parametrize("organizer", [None, ADA, BO])
def test_ones_own_address_alone_with_a_status_is_an_answer(organizer: Person | None) -> None:
    """K26: nobody is ever dropped by an RSVP, nor by a repeated one."""
    for answer in (Answer.ACCEPTED, Answer.PENDING):
        guest = Guest(email="ADA@example.org", name="Ada", answer=answer)
        edit = changed(invited(organizer), attendees=(guest,))
        assert edit == EventEdit(reply=Reply(email="ada@example.org", answer=answer))


def test_of_a_guests_list_only_the_own_answer_is_taken() -> None:
    others = Guest(email="bo@example.org", answer=Answer.DECLINED)
    edit = changed(invited(BO), attendees=(others, YES))
    assert edit == EventEdit(reply=Reply(email="ada@example.org", answer=Answer.ACCEPTED))
    refused("attendees", invited(BO), attendees=(others,))
    refused("attendees", invited(BO), attendees=())
    refused("attendees", invited(BO), attendees=(Guest(email="ada@example.org"),))


def test_a_guest_who_writes_back_what_was_read_answers_nothing() -> None:
    """K21, K26: whoever sends the whole object changes what differs, and nobody is mailed."""
    for answer in (Answer.PENDING, Answer.ACCEPTED):
        people = (Person(email="ada@example.org", answer=answer), BO)
        before = replace(invited(BO), attendees=people)
        same = tuple(Guest(email=one.email.title(), answer=one.answer) for one in people)
        edit = changed(before, name="Other", organizer=BO, attendees=same)
        assert edit == EventEdit(name="Other")
    elsewhere = replace(invited(BO), attendees=(BO,))  # as a mailing list brings them
    assert changed(elsewhere, attendees=(Guest(email=BO.email),)) == EventEdit()
    assert changed(replace(invited(BO), attendees=()), attendees=()) == EventEdit()
    mine = Person(email="ada@example.org", answer=Answer.PENDING)
    alone = replace(invited(BO), attendees=(mine,))
    asked = (Guest(email="ada@example.org", answer=Answer.PENDING),)
    assert changed(alone, attendees=asked) == EventEdit()


def test_the_organizers_list_as_it_was_read_is_not_written() -> None:
    """K21, K26: a provider that is sent guests again may ask them again."""
    people = (
        Person(email="bo@example.org", name="Bo", answer=Answer.ACCEPTED, resource=True),
        Person(email="cy@example.org", required=False),
    )
    before = replace(TIMED, organizer=ADA, attendees=people)
    same = tuple(
        Guest(email=one.email.upper(), name=one.name, required=one.required, answer=one.answer)
        for one in reversed(people)
    )
    assert changed(before, name="Other", attendees=same) == EventEdit(name="Other")
    assert changed(replace(TIMED, attendees=()), attendees=()) == EventEdit()
    for other in (same[:1], (same[0], replace(same[1], name="Bob"))):
        assert len(invitees(changed(before, attendees=other))) == len(other)
    alone = scene(replace(before, organizer=None), abilities=Abilities(names_organizer=True))
    named = replace(alone, email="ada@example.org")
    assert settle(EventDraft(attendees=same), named).edit.organizer is UNSET


def test_an_organizer_that_is_written_back_is_none_given() -> None:
    """K26: at Google another one moves the event, which needs that one's calendar."""
    assert changed(invited(BO), organizer=Person(email="BO@example.org")).organizer is UNSET
    renamed = Person(email="bo@example.org", name="Bob")
    assert changed(invited(BO), organizer=renamed).organizer == renamed


def test_the_organizers_other_lists_replace() -> None:
    assert changed(invited(ADA), attendees=()).attendees == ()
    alone = (Guest(email="ada@example.org", name="Ada"),)  # no status: no answer
    assert len(invitees(changed(invited(ADA), attendees=alone))) == 1
    both = (YES, Guest(email="bo@example.org"))
    assert changed(invited(ADA), attendees=both).reply is UNSET


def test_who_is_not_invited_cannot_answer() -> None:
    before = Event(uid="a", start=TIMED.start, end=TIMED.end, organizer=ADA, attendees=(BO,))
    refused("attendees", before, attendees=(YES,))
    refused("status", before, reply=Answer.ACCEPTED)
    assert changed(invited(BO), reply=Answer.DECLINED).reply == Reply(
        email="ada@example.org", answer=Answer.DECLINED
    )
    refused("attendees", invited(ADA), attendees=(BO_SAYS,), answer_only=True)


def test_who_may_only_answer_never_changes_the_list() -> None:
    """R7: also as the organizer."""
    edit = changed(invited(ADA), attendees=(YES, BO_SAYS), answer_only=True)
    assert edit == EventEdit(reply=Reply(email="ada@example.org", answer=Answer.ACCEPTED))


def test_some_are_invited_and_some_dismissed() -> None:
    """C10: the others stay."""
    guests = (Guest(email="cy@example.org", name="Cy"),)
    edit = changed(invited(ADA), invite=guests, dismiss=frozenset({"bo@example.org"}))
    assert [one.email for one in invitees(edit)] == ["ada@example.org", "cy@example.org"]


@pytest.mark.parametrize("name", ["", "bo", "@example.org", "bo@", "b o@example.org", "<bo@x.org>"])
def test_an_address_that_is_none_is_refused(name: str) -> None:
    refused("attendees", attendees=(Guest(email=name),))
    refused("organizer", organizer=Person(email=name))


def test_an_organizer_is_written_where_it_is_needed() -> None:
    """With the first attendees, unless one is there or given, or nobody knows an address."""
    able = Abilities(names_organizer=True)
    draft = EventDraft(attendees=(Guest(email="bo@example.org"),))
    where = scene(TIMED, abilities=able, email="ada@example.org")
    assert settle(draft, where).edit.organizer == Person(email="ada@example.org")
    assert settle(EventDraft(name="x"), where).edit.organizer is UNSET
    assert settle(draft, scene(TIMED, abilities=able)).edit.organizer is UNSET
    assert settle(draft, scene(TIMED, email="ada@example.org")).edit.organizer is UNSET
    where = scene(invited(ADA), abilities=able, email="ada@example.org")
    assert settle(draft, where).edit.organizer is UNSET
    given = EventDraft(attendees=draft.attendees, organizer=Person(email=" bo@example.org"))
    where = scene(TIMED, abilities=able, email="ada@example.org")
    assert settle(given, where).edit.organizer == Person(email="bo@example.org")


def test_where_nobody_is_invited_yet_ones_own_address_is_a_list_like_any() -> None:
    told = invitees(changed(TIMED, attendees=(YES,)))
    assert [(one.email, one.answer) for one in told] == [("Ada@Example.org", Answer.ACCEPTED)]
