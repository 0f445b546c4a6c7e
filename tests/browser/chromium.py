"""Debian's Chromium, driven by Playwright; it needs no browser of Playwright's own."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright

PROGRAMS = ("/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome")
HINT = "there is no Chromium: apt-get install chromium"
SWITCHES = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--force-prefers-reduced-motion",
)


def program() -> str:
    """Return the browser's path; a test that lacks it is skipped, and fails in CI."""
    for name in PROGRAMS:
        if found := shutil.which(name):
            return found
    if os.environ.get("CI") == "true":
        raise RuntimeError(HINT)
    pytest.skip(HINT)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run a headless browser; its sandbox is off, which root and containers do not have."""
    path = program()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path, args=list(SWITCHES), chromium_sandbox=False
        )
        try:
            yield browser
        finally:
            await browser.close()
