"""Sealed credentials: bound to their place, opened by any key of the ring (design decision 8)."""

from pathlib import Path

import pytest

from syncd.model.errors import MisconfiguredError
from syncd.ports.vault import Secret, credential_place
from syncd.runtime.vault import KeyRing, new_ring, open_ring, ring_file, write_ring

PLACE = credential_place(7, "password")
TEXT = "pässwörd ☂"


def ring(*names: str) -> KeyRing:
    return KeyRing({name: name.encode().ljust(32, b"x") for name in names})


def test_what_is_sealed_opens_at_its_place_and_shows_nothing() -> None:
    vault = ring("a")
    sealed = vault.seal(Secret(TEXT), place=PLACE)
    assert vault.open(sealed, place=PLACE).reveal() == TEXT
    version, key, _, _ = sealed.split(b":")
    assert (version, key) == (b"v1", b"a")
    assert TEXT.encode() not in sealed


@pytest.mark.parametrize("place", [credential_place(8, "password"), credential_place(7, "relink")])
def test_a_row_moved_elsewhere_does_not_open(place: str) -> None:
    vault = ring("a")
    sealed = vault.seal(Secret(TEXT), place=PLACE)
    with pytest.raises(MisconfiguredError, match="moved"):
        vault.open(sealed, place=place)


def test_two_seals_of_one_secret_differ() -> None:
    vault = ring("a")
    assert vault.seal(Secret(TEXT), place=PLACE) != vault.seal(Secret(TEXT), place=PLACE)


def test_any_changed_byte_is_noticed() -> None:
    vault = ring("a")
    sealed = vault.seal(Secret(TEXT), place=PLACE)
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(MisconfiguredError):
            vault.open(changed, place=PLACE)


def test_a_new_primary_key_seals_and_the_old_one_still_opens() -> None:
    sealed = ring("old").seal(Secret(TEXT), place=PLACE)
    both = ring("new", "old")
    assert both.open(sealed, place=PLACE).reveal() == TEXT
    assert both.seal(Secret(TEXT), place=PLACE).startswith(b"v1:new:")


def test_a_missing_key_is_named_so_that_it_can_be_restored() -> None:
    sealed = ring("old").seal(Secret(TEXT), place=PLACE)
    with pytest.raises(MisconfiguredError, match="sealed with key old"):
        ring("new").open(sealed, place=PLACE)


def test_a_new_ring_is_its_owners_alone_and_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "state" / "syncd.keys"
    write_ring(path)
    assert path.stat().st_mode & 0o777 == 0o600
    open_ring(path)
    with pytest.raises(FileExistsError):
        write_ring(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_ring_that_others_can_read_stops_the_start(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "syncd.keys"
    write_ring(path)
    path.chmod(mode)
    with pytest.raises(MisconfiguredError, match="chmod 600"):
        open_ring(path)


def test_a_credential_of_systemd_may_show_a_mask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "syncd.keys"
    write_ring(path)
    path.chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    open_ring(path)
    path.chmod(0o444)
    with pytest.raises(MisconfiguredError, match="others can read"):
        open_ring(path)


@pytest.mark.parametrize("text", ["", "one-word\n", "a !!!\n", "a c2hvcnQ=\n", "a b c\n"])
def test_a_broken_ring_stops_the_start(text: str, tmp_path: Path) -> None:
    path = tmp_path / "syncd.keys"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(MisconfiguredError):
        open_ring(path)


def test_a_missing_ring_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(MisconfiguredError, match="missing"):
        open_ring(tmp_path / "syncd.keys")


def test_the_ring_lies_as_set_else_with_systemd_else_beside_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    assert ring_file("/keys/mine", state) == Path("/keys/mine")
    assert ring_file("", state) == state / "syncd.keys"
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    assert ring_file("", state) == state / "syncd.keys"
    (credentials / "syncd.keys").write_text(new_ring())
    assert ring_file("", state) == credentials / "syncd.keys"
