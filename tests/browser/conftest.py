"""One browser a test process, a fresh context a test, all of them on one event loop."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.api.serving import Api, serving
from tests.browser.chromium import chromium
from tests.browser.looks import WIDE

HERE = Path(__file__).parent
PATIENCE = pytest.mark.timeout(240)  # the first test starts the browser; pictures take their time
ONE_LOOP = pytest.mark.asyncio(loop_scope="session")  # the browser's connection lives on it

A_WHILE = 20_000  # milliseconds
expect.set_options(timeout=A_WHILE)

OpenPage = Callable[..., Awaitable[Page]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(PATIENCE)
            item.add_marker(ONE_LOOP, append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser) -> AsyncIterator[OpenPage]:
    """Open a page in a context of its own: another person's browser, with what it prefers.

    A script of ours that throws, or breaks the page's policy, fails the test.
    """
    complaints = list[str]()

    async with AsyncExitStack() as stack:

        async def opened(**options: Any) -> Page:  # noqa: ANN401 - of a context
            context = await browser.new_context(
                viewport=WIDE.viewport, color_scheme=WIDE.scheme, reduced_motion="reduce", **options
            )
            stack.push_async_callback(context.close)
            context.set_default_timeout(A_WHILE)
            context.on("weberror", lambda error: complaints.append(str(error.error)))
            context.on("console", lambda line: _complain(complaints, line.type, line.text))
            return await context.new_page()

        yield opened
    assert complaints == []


@pytest_asyncio.fixture(loop_scope="session")
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """Everything but the provider and the clock is real."""
    async with serving(tmp_path) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="session")
async def page(open_page: OpenPage) -> Page:
    """A person's browser: wide, light, with scripts."""
    return await open_page()


def _complain(complaints: list[str], kind: str, text: str) -> None:
    if kind == "error" and "Content Security Policy" in text:
        complaints.append(text)
