"""What a person is told of a sign-in that came to nothing."""

from dataclasses import dataclass

from syncd.model.errors import (
    InvalidError,
    OtherPersonError,
    RelinkRequiredError,
    SyncdError,
)
from syncd.model.profile import Profile

WRONG = 422  # the person's own fault, and so a guess


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What went wrong, for the page."""

    status: int
    message: str


UNAVAILABLE = Told(
    status=502,
    message="This syncd is not set up for this kind of calendar at present. Please tell whoever "
    "gave you the link.",
)
EXPIRED = Told(status=403, message="This page was open for too long. Please try again.")


def told_of(error: SyncdError, profile: Profile | None = None) -> Told:
    """Return what to say; ``profile`` is the one that was to be reconnected."""
    match error:
        case OtherPersonError() if profile is not None:
            sentence = f"This is another person's login. Please sign in as {profile.login}."
            return Told(status=WRONG, message=sentence)
        case RelinkRequiredError() | InvalidError():
            return Told(status=WRONG, message=str(error))
        case _:
            lost = "Nothing was changed or lost: please try again later."
            return Told(status=502, message=f"{error} {lost}")
