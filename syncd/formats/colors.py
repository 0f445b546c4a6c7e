"""The nearest of the colours that a provider has."""

from collections.abc import Mapping

from syncd.model.errors import InvalidError


def nearest(color: str, palette: Mapping[str, str]) -> str | None:
    """Return the name of what looks most like ``#RRGGBB``; raises InvalidError for none."""
    try:
        wanted = _rgb(color)
    except ValueError:
        raise InvalidError("a colour is written #RRGGBB", field="color") from None

    def distance(name: str) -> int:
        return sum(
            (one - other) ** 2 for one, other in zip(_rgb(palette[name]), wanted, strict=True)
        )

    return min(palette, key=distance, default=None)


def _rgb(color: str) -> tuple[int, int, int]:
    digits = color.removeprefix("#")
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)
