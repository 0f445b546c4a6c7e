"""Whatever is wrong with a value is told by file, key and remedy before anything is begun."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from syncd.model.errors import MisconfiguredError
from syncd.runtime.cli.app import app
from syncd.runtime.listening import api_socket
from syncd.runtime.lock import only_writer
from syncd.runtime.settings import load

HUGE = "999999999999999999"


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("state_dir", ['"/tmp/a\\u0000b"']),
        ("server.listen", ['"a b:80"', '"http://127.0.0.1:0"', '"127.0.0.1:\u0663"',
                           '"a\\u0000:1"']),
        ("server.public_url", ['"https://"', '"https://a b"', '"https://x.example/?a=1"',
                               '"https://x.example/#a"', '"https://x.example:99999"',
                               '"https://x.example:port"', '"https://u:p@x.example"',
                               '"https://[::1"', '"https://x.example/\\r\\nA: b"']),
        ("store.url", ['"sqlite:///"', '"sqlite:////"', '"sqlite:///:memory:"',
                       '"sqlite:////tmp/x.db?mode=ro"', '"sqlite:////tmp/a\\u0000b"',
                       '"postgresql://[::1/syncd"', '"postgresql://db:99999/syncd"']),
        ("vault.key_file", ['"a\\u0000b"']),
        ("poll.interval_seconds", [HUGE, "1e300"]),
        ("poll.reconcile_seconds", [HUGE]),
        ("poll.disconnect_proof_seconds", [HUGE]),
        ("poll.invalid_grant_gap_seconds", [HUGE]),
        ("poll.google.interval_seconds", [HUGE]),
        ("poll.caldav.reconcile_seconds", [HUGE]),
        ("poll.icloud.interval_seconds", [HUGE]),
        ("hints.interval_seconds", [HUGE]),
        ("limits.requests_per_second", [HUGE]),
        ("limits.burst", [HUGE]),
        ("limits.requests_at_once", [HUGE]),
        ("limits.subscriptions_per_owner", [HUGE]),
        ("nats.url", ['"nats://a b:4222"', '"nats://[::1"', '"nats://h:port"']),
        ("nats.token_file", ['"a\\u0000b"']),
        ("retention.days", [HUGE]),
        ("retention.activities", [HUGE]),
        ("providers.google.authorize_url", ['"nourl"', '""']),
        ("providers.google.token_url", ['"ftp://x"', '""']),
        ("providers.google.revoke_url", ['"x"']),
        ("providers.google.api_url", ['"https://x:port/"', '"https://[::1"']),
        ("providers.google.people_url", ['"x"']),
        ("providers.google.directory_url", ['"https://x y"']),
        ("providers.google.requests_per_minute", [HUGE]),
        ("providers.graph.authorize_url", ['""']),
        ("providers.graph.token_url", ['"x"']),
        ("providers.graph.api_url", ['"graph"']),
        ("providers.ews.token_url", ['"x"']),
        ("providers.icloud.url", ['""', '"caldav.icloud.com"']),
        ("providers.icloud.contacts_url", ['"x"']),
    ],
)  # fmt: skip
def test_a_value_that_cannot_work_is_refused_by_name(
    key: str, values: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "syncd.toml"
    for value in values:
        file.write_text(f"{key} = {value}\n", encoding="utf-8")
        with pytest.raises(MisconfiguredError) as refused:
            load(file)
        (line,) = str(refused.value).splitlines()
        assert line.startswith(f"{file}: {key}: "), line
        assert line.endswith(f"; change {key}, or remove it for the default"), line


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("server.listen", "[::1]:0"),
        ("server.listen", "unix:/run/syncd/a b.sock"),
        ("server.public_url", "https://x.example/sub/"),
        ("store.url", "sqlite:////srv/a b/syncd.db"),
        ("store.url", "postgresql:///syncd?host=/run/postgresql"),
        ("providers.google.people_url", ""),
        ("providers.ews.token_url", ""),
    ],
)
def test_what_can_work_is_taken(key: str, value: str, tmp_path: Path) -> None:
    file = tmp_path / "syncd.toml"
    file.write_text(f'{key} = "{value}"\n', encoding="utf-8")
    assert load(file) is not None


def test_a_state_directory_that_cannot_be_one_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with (
            pytest.raises(MisconfiguredError, match=r"^state_dir: .*; change state_dir"),
            only_writer(path / "syncd.lock"),
        ):
            pass


def test_a_socket_that_cannot_be_one_is_refused_by_name(tmp_path: Path) -> None:
    for listen in (f"unix:{tmp_path}", f"unix:{tmp_path}/no/x.sock", "a" * 80 + ":0"):
        with pytest.raises(MisconfiguredError, match=r"; (stop|change).*server\.listen$"):
            api_socket(listen)


def test_what_check_says_of_an_option_names_the_key(tmp_path: Path) -> None:
    file = tmp_path / "syncd.toml"
    file.write_text('store.url = "postgresql://db/x?foo=bar"\n', encoding="utf-8")
    told = CliRunner().invoke(app, ["-c", str(file), "check"])
    assert isinstance(told.exception, MisconfiguredError)
    assert "store.url: PostgreSQL has no option 'foo'" in str(told.exception)


def test_a_password_among_the_options_is_not_repeated(tmp_path: Path) -> None:
    file = tmp_path / "syncd.toml"
    file.write_text('store.url = "sqlite:///x?password=hush"\n', encoding="utf-8")
    with pytest.raises(MisconfiguredError) as refused:
        load(file)
    assert "hush" not in str(refused.value)
