"""Who a profile is among attendees."""

from dataclasses import replace
from typing import Any

import pytest

from syncd.model.own import ADDRESSES, has_declined, is_own, own_addresses, own_email
from tests.store.samples import a_profile

ADA = own_addresses(
    replace(
        a_profile(),
        login="Ada@Example.org",
        settings={ADDRESSES: "mailto:countess@example.org /principals/ada/"},
    )
)


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("ada@example.org", True),
        ("ADA@EXAMPLE.ORG", True),
        ("mailto:ada@example.org", True),
        ("Mailto:Countess@example.org", True),
        ("/principals/ada/", True),
        ("bo@example.org", False),
        ("ada", False),
        ("", False),
        (None, False),
    ],
)
def test_an_address_is_own_in_any_case_and_with_or_without_its_scheme(
    address: str | None,
    own: bool,  # noqa: FBT001 - a parameter
) -> None:
    assert is_own(address, ADA) is own


def test_a_profile_without_addresses_is_nobody() -> None:
    assert own_addresses(replace(a_profile(), login=" ")) == frozenset()


@pytest.mark.parametrize(
    ("answers", "declined"),
    [
        ([], False),
        ([("bo@example.org", "declined")], False),
        ([("ada@example.org", "declined"), ("bo@example.org", "accepted")], True),
        ([("ada@example.org", "tentative")], False),
        ([("ada@example.org", None)], False),
        ([("ada@example.org", "declined"), ("countess@example.org", "accepted")], False),
        ([("ada@example.org", "declined"), ("countess@example.org", "declined")], True),
    ],
)
def test_only_ones_own_answers_decline(answers: Any, declined: bool) -> None:  # noqa: ANN401, FBT001 - parameters
    assert has_declined(answers, ADA) is declined


@pytest.mark.parametrize(
    ("login", "told", "email"),
    [
        ("Ada@Example.org", "mailto:countess@example.org", "Ada@Example.org"),
        ("ada", "/principals/ada@home/ MAILTO:countess@example.org", "countess@example.org"),
        ("ada", "/principals/ada/", None),
    ],
)
def test_a_person_signs_with_the_login_or_the_first_address_that_is_told(
    login: str, told: str, email: str | None
) -> None:
    assert own_email(replace(a_profile(), login=login, settings={ADDRESSES: told})) == email
