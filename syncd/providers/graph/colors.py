"""Colours of categories, and those that a calendar can have (providers.md §9): pure."""

from collections.abc import Iterable, Mapping
from typing import Any

# what Outlook paints the preset colours of categories with, preset0 to preset24
_PRESETS = (
    *("#E7A1A2", "#F9BA89", "#F7DD8F", "#FCFA90", "#78D168", "#9FDCC9", "#C6D2B0", "#9DB7E8"),
    *("#B5A1E2", "#DAAEC2", "#DAD9DC", "#6B7994", "#BFBFBF", "#6F6F6F", "#4F4F4F", "#C11A25"),
    *("#E2620D", "#C79930", "#B9B300", "#368F2B", "#329B7A", "#778B45", "#2858A5", "#5C3FA3"),
    "#93446B",
)
CALENDAR_COLORS: Mapping[str, str] = {  # calendarColor, as Outlook on the web paints it
    "lightBlue": "#A6D1F5",
    "lightGreen": "#87D28E",
    "lightOrange": "#FCAB73",
    "lightGray": "#C0C0C0",
    "lightYellow": "#F5DA81",
    "lightTeal": "#77DCD8",
    "lightPink": "#F08CC0",
    "lightBrown": "#CBA287",
    "lightRed": "#F88C9B",
}


def palette_of(categories: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the colour of each category that has one, by its name."""
    presets = {f"preset{number}": color for number, color in enumerate(_PRESETS)}
    told = {str(one["displayName"]): presets.get(str(one.get("color"))) for one in categories}
    return {name: color for name, color in told.items() if color is not None}
