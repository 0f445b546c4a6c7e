"""How a page looks: wide and narrow, light and dark, without a serious fault of accessibility."""

import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Page, ViewportSize

from tests import node

ARTEFACTS = Path(os.environ.get("SYNCD_ARTEFACTS") or Path(__file__).parent / "artefacts")
GRAVE = frozenset({"serious", "critical"})


@dataclass(frozen=True, slots=True)
class Look:
    """A window's size and what its person prefers."""

    name: str
    width: int
    height: int
    scheme: Literal["light", "dark"]

    @property
    def viewport(self) -> ViewportSize:
        return {"width": self.width, "height": self.height}


WIDE = Look("wide-light", 1280, 800, "light")
NARROW = Look("narrow-light", 390, 844, "light")
LOOKS = (WIDE, Look("wide-dark", 1280, 800, "dark"), NARROW, Look("narrow-dark", 390, 844, "dark"))


async def looks_well(page: Page, name: str) -> None:
    """Look at a page in every way: a picture of each, accessible, nothing to scroll sideways."""
    for look in LOOKS:
        await page.set_viewport_size(look.viewport)
        await page.emulate_media(color_scheme=look.scheme)
        await screenshot(page, f"{name}-{look.name}")
        await assert_accessible(page)
        await assert_fits(page)
    await page.set_viewport_size(WIDE.viewport)
    await page.emulate_media(color_scheme=WIDE.scheme)


async def screenshot(page: Page, name: str) -> Path:
    """Keep a picture of the whole page among the artefacts."""
    assert re.fullmatch(r"[a-z0-9-]+", name)
    path = ARTEFACTS / f"{name}.png"
    await page.screenshot(path=path, full_page=True, animations="disabled")
    return path


async def assert_accessible(page: Page) -> None:
    """Let axe-core judge the page: none of its serious or critical rules is broken."""
    found = await violations(page)
    assert not found, "\n".join(found)


async def violations(page: Page) -> list[str]:
    """Return what axe-core finds grave: rule, element, and why."""
    await page.evaluate(_axe())
    found: Any = await page.evaluate("() => axe.run()")
    return [
        f"{rule['id']}: {' '.join(one['target'])}: {one['failureSummary']}"
        for rule in found["violations"]
        if rule["impact"] in GRAVE
        for one in rule["nodes"]
    ]


async def assert_fits(page: Page) -> None:
    """Nobody has to scroll sideways."""
    wider: int = await page.evaluate(
        "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wider <= 0, f"{page.url} is {wider} px wider than its window"


@cache
def _axe() -> str:
    return (node.installed() / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
