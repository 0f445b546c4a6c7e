"""What is remembered of recent polls, and how little that is."""

from sys import getsizeof

from syncd.engine import diary
from syncd.engine.diary import KEPT, Diary
from syncd.model.ids import ProfileId

ADA, BOB = ProfileId(1), ProfileId(2)


def write(book: Diary, profile: ProfileId, number: int, outcome: str = "ok") -> None:
    book.note(profile, ended=number, seconds=number / 8, activities=number, outcome=outcome)


def test_the_last_polls_are_kept_oldest_first() -> None:
    book = Diary()
    assert book.of(ADA) == ()
    for number in range(KEPT + 5):
        write(book, ADA, number, outcome="unavailable" if number == 7 else "ok")
    write(book, BOB, 1, outcome="not_found")
    looks = book.of(ADA)
    assert [one.activities for one in looks] == list(range(5, KEPT + 5))
    assert [one.activities for one in looks if one.outcome == "unavailable"] == [7]
    assert (looks[-1].ended, looks[-1].seconds) == (KEPT + 4, (KEPT + 4) / 8)
    assert [one.outcome for one in book.of(BOB)] == ["not_found"]


def test_it_costs_little_and_never_more() -> None:
    book = Diary()
    for number in range(KEPT * 3):
        write(book, ADA, number)
    assert getsizeof(book._rings[ADA]) < 2000
    for number in range(diary.MOST_PROFILES + 10):
        write(book, ProfileId(number), 1)
    assert len(book._rings) == diary.MOST_PROFILES
    assert len(book._turns) == diary.MOST_PROFILES
