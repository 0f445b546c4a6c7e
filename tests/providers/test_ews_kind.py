"""Exchange is in the registry without weight, and says what it lacks (api.md R22, K25, K27)."""

import subprocess
import sys

import pytest

from syncd.model.brands import brand_of
from syncd.model.errors import MisconfiguredError
from syncd.providers.ews import KIND
from syncd.providers.kind import Rim
from tests.fakes.clock import FakeClock

HEAVY = {"exchangelib", "requests", "urllib3", "lxml", "syncd.providers.ews.adapter"}


def test_listing_the_providers_imports_nothing_heavy() -> None:
    listed = "import sys; from syncd.providers.registry import KINDS; print(*sys.modules)"
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", listed], check=True, capture_output=True, text=True
    )
    assert not HEAVY & set(done.stdout.split())


def test_without_the_extra_the_operator_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "exchangelib", None)
    rim = Rim(session=lambda: pytest.fail("asked for"), clock=FakeClock())
    with pytest.raises(MisconfiguredError, match=r"pip install 'syncd\[exchange\]'"):
        KIND.start(rim)


def test_it_goes_by_the_names_that_the_dialects_know() -> None:
    """R22."""
    brand = brand_of("ews")
    assert (KIND.service, KIND.service_name) == (brand.service, brand.service_name)
    assert (KIND.provider_name, KIND.provider_service) == ("exchange", "exchange")


def test_an_address_is_refused_unless_the_operator_admits_it() -> None:
    """O5: an adapter that is given no guard reaches public addresses only."""
    rim = Rim(session=lambda: pytest.fail("asked for"), clock=FakeClock())
    assert rim.admits("8.8.8.8", 443)
    for private in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1"):
        assert not rim.admits(private, 443)
