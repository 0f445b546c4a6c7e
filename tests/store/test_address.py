"""What an address of a database must be, told before anything is opened."""

from pathlib import Path

import pytest

from syncd.model.errors import MisconfiguredError
from syncd.store import open as opening
from tests.fakes.clock import FakeClock


async def test_without_the_driver_of_postgresql_the_remedy_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "find_spec", lambda _: None)
    with pytest.raises(MisconfiguredError, match=r"pip install 'syncd\[postgres\]'"):
        await opening.open_store("postgresql://db/x", state_dir=tmp_path, clock=FakeClock())


@pytest.mark.parametrize("url", ["mysql://db/x", "sqlite://", "nothing"])
async def test_another_database_is_a_fault_of_the_configuration(url: str, tmp_path: Path) -> None:
    with pytest.raises(MisconfiguredError, match=r"store\.url"):
        await opening.open_store(url, state_dir=tmp_path, clock=FakeClock())
