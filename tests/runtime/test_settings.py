"""One file, the environment above it, frozen; whatever is wrong is a sentence (design §7)."""

import os
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import ValidationError

from syncd.model.errors import MisconfiguredError
from syncd.runtime.fanout import target_of
from syncd.runtime.settings import load
from syncd.runtime.wiring import plan_of, push_base


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("SYNCD_") or name == "STATE_DIRECTORY":
            monkeypatch.delenv(name)


def written(folder: Path, text: str) -> Path:
    path = folder / "syncd.toml"
    path.write_text(text)
    return path


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(MisconfiguredError) as refused:
        load(written(folder, text))
    return str(refused.value)


def test_an_empty_file_gives_the_defaults_of_the_design(tmp_path: Path) -> None:
    settings = load(written(tmp_path, ""))
    assert settings.server.listen == "127.0.0.1:8470"
    assert (settings.poll.interval_seconds, settings.poll.reconcile_seconds) == (60, 86400)
    assert settings.poll.caldav.reconcile_seconds == settings.poll.icloud.reconcile_seconds == 21600
    assert settings.poll.disconnect_proof_seconds == 900
    assert settings.poll.invalid_grant_gap_seconds == 60
    assert (settings.retention.days, settings.retention.activities) == (30, 0)
    assert settings.outbound.allow_private == ()


def test_the_file_overrides_and_a_provider_has_its_own_pace(tmp_path: Path) -> None:
    text = "[poll]\ninterval_seconds = 90\n[poll.caldav]\ninterval_seconds = 30\n"
    settings = load(written(tmp_path, text))
    assert settings.poll.interval_seconds == 90
    assert settings.poll.caldav.interval_seconds == 30
    assert settings.poll.caldav.reconcile_seconds == 21600
    assert settings.poll.google.interval_seconds is None


def test_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCD_POLL__CALDAV__INTERVAL_SECONDS", "20")
    monkeypatch.setenv("SYNCD_SERVER__LISTEN", "127.0.0.1:9000")
    text = "[poll]\ninterval_seconds = 90\n[poll.caldav]\ninterval_seconds = 30\n"
    settings = load(written(tmp_path, text))
    assert settings.poll.caldav.interval_seconds == 20
    assert settings.poll.interval_seconds == 90
    assert settings.server.listen == "127.0.0.1:9000"


@pytest.mark.parametrize("text", ['["10.0.0.0/8", "fd00::/8"]', "10.0.0.0/8, fd00::/8"])
def test_a_list_in_the_environment_is_json_or_has_commas(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNCD_OUTBOUND__ALLOW_PRIVATE", text)
    allowed = load(written(tmp_path, "")).outbound.allow_private
    assert allowed == (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def test_settings_are_frozen(tmp_path: Path) -> None:
    settings = load(written(tmp_path, ""))
    with pytest.raises(ValidationError):
        settings.poll = settings.poll  # type: ignore[misc]
    with pytest.raises(ValidationError):
        settings.poll.interval_seconds = 7  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "named", "remedy"),
    [
        ("[poll]\nintervall_seconds = 5\n", "poll.intervall_seconds", "poll.interval_seconds"),
        ("[poll.caldaw]\ninterval_seconds = 5\n", "poll.caldaw", "poll.caldav"),
        ('[servr]\nlisten = "127.0.0.1:1"\n', "servr", "mean server?"),
        ('statedir = "/x"\n', "statedir", "state_dir"),
        ("[zebra]\nx = 1\n", "zebra", "remove it"),
        ('[server]\nkey_file = "/x"\n', "server.key_file", "vault.key_file"),
    ],
)
def test_an_unknown_key_is_an_error_that_names_the_nearest_one(
    text: str, named: str, remedy: str, tmp_path: Path
) -> None:
    told = refusal(tmp_path, text)
    assert str(tmp_path / "syncd.toml") in told
    assert f": {named}: there is no such setting" in told
    assert remedy in told


@pytest.mark.parametrize(
    ("text", "named", "why"),
    [
        ("[poll]\ninterval_seconds = 1\n", "poll.interval_seconds", "greater than or equal to 5"),
        ('[poll]\ninterval_seconds = "soon"\n', "poll.interval_seconds", "valid integer"),
        ('[outbound]\nallow_private = ["10.0.0.0/99"]\n', "outbound.allow_private", "10.0.0.0/99"),
        ('[server]\nlisten = "8470"\n', "server.listen", "host:port"),
        ('[server]\npublic_url = "example.org"\n', "server.public_url", "https://"),
        ('[log]\nlevel = "loud"\n', "log.level", "'debug'"),
        ('[store]\nurl = "mysql://db/x"\n', "store.url", "sqlite:/// or postgresql://"),
        ('[outbound]\nallow_private = "10.0.0.0/8"\n', "outbound.allow_private", "be a list"),
        ("poll = 5\n", "poll", "remove it for the default"),
    ],
)
def test_a_wrong_value_names_file_key_and_remedy(
    text: str, named: str, why: str, tmp_path: Path
) -> None:
    told = refusal(tmp_path, text)
    assert f"{tmp_path / 'syncd.toml'}: {named}: " in told
    assert why in told
    assert f"change {named}, or remove it" in told


def test_an_address_with_a_password_is_not_repeated(tmp_path: Path) -> None:
    told = refusal(tmp_path, '[store]\nurl = "mysql://syncd:hush@db/x"\n')
    assert "store.url: must begin with" in told
    assert "hush" not in told


@pytest.mark.parametrize("value", ["4711", '["4711"]'])
def test_a_secret_of_another_kind_is_not_repeated(value: str, tmp_path: Path) -> None:
    told = refusal(tmp_path, f"[providers.google]\nclient_secret = {value}\n")
    assert "providers.google.client_secret: input should be a valid string; change" in told
    assert "4711" not in told


def test_a_port_of_the_database_that_is_none_is_told(tmp_path: Path) -> None:
    told = refusal(tmp_path, '[store]\nurl = "postgresql://db:port/syncd"\n')
    assert "store.url: must have a number for its port" in told


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    told = refusal(tmp_path, "[poll]\ninterval_seconds = 1\n[retention]\ndays = 0\nweeks = 1\n")
    assert len(told.splitlines()) == 3


def test_what_is_not_toml_names_the_line(tmp_path: Path) -> None:
    assert "line 2" in refusal(tmp_path, "[poll]\ninterval_seconds = \n")


def test_a_wrong_variable_is_named_instead_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNCD_POLL__INTERVAL_SECONDS", "1")
    monkeypatch.setenv("SYNCD_POLL__INTERVALL", "9")
    told = refusal(tmp_path, "")
    assert "SYNCD_POLL__INTERVAL_SECONDS: input should be greater" in told
    assert "SYNCD_POLL__INTERVALL: there is no such setting" in told
    assert "did you mean SYNCD_POLL__INTERVAL_SECONDS?" in told


def test_a_variable_with_one_underscore_too_few_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNCD_POLL_INTERVAL_SECONDS", "90")
    monkeypatch.setenv("SYNCD_SOMETHING_ELSE", "is not ours")
    told = refusal(tmp_path, "")
    assert told == (
        "SYNCD_POLL_INTERVAL_SECONDS: there is no such setting; "
        "did you mean SYNCD_POLL__INTERVAL_SECONDS?"
    )


def test_a_variable_of_an_unknown_section_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNCD_VALUT__KEY_FILE", "/x")
    assert "did you mean SYNCD_VAULT__KEY_FILE?" in refusal(tmp_path, "")


def test_a_key_of_the_vault_in_the_environment_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNCD_VAULT__KEY", "c2VjcmV0")
    told = refusal(tmp_path, "")
    assert "SYNCD_VAULT__KEY: there is no such setting" in told
    assert "c2VjcmV0" not in told


def test_a_variable_without_a_section_is_none_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNCD_TESTS", "nightly")
    load(written(tmp_path, ""))


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(MisconfiguredError, match="syncd init"):
        load(tmp_path / "missing.toml")


def test_the_state_directory_fills_the_database_address(tmp_path: Path) -> None:
    settings = load(written(tmp_path, f'state_dir = "{tmp_path}/state"\n'))
    assert settings.store_url == f"sqlite:///{tmp_path}/state/syncd.db"
    assert settings.admin_socket.parent == settings.lock_file.parent == tmp_path / "state"


def test_systemd_names_the_state_directory_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/private/syncd")
    file = written(tmp_path, 'state_dir = "/elsewhere"\n')
    assert load(file).state_dir == Path("/var/lib/private/syncd")
    monkeypatch.setenv("SYNCD_STATE_DIR", "/named")
    assert load(file).state_dir == Path("/named")


@pytest.mark.parametrize(("user", "place"), [(0, "/var/lib/syncd"), (1000, "/home/ada/.local")])
def test_without_a_word_the_place_depends_on_the_user(
    user: int, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert str(load(written(tmp_path, "")).state_dir).startswith(place)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 60),
        ("[poll]\ninterval_seconds = 5\n", 60),
        ("[poll]\ninterval_seconds = 90\n", 90),
        ("[poll]\ninterval_seconds = 90\n[poll.icloud]\ninterval_seconds = 61\n", 61),
    ],
)
def test_icloud_is_asked_once_a_minute_at_most_ic6(tmp_path: Path, text: str, seconds: int) -> None:
    plan = plan_of(load(written(tmp_path, text)))
    assert plan.interval("icloud") == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("", "http://127.0.0.1:8470"),
        ('listen = "127.0.0.1:9000"', "http://127.0.0.1:9000"),
        ('listen = "0.0.0.0:9000"', "http://127.0.0.1:9000"),
        ('listen = "[::]:9000"', "http://127.0.0.1:9000"),
        ('listen = "::1:9000"', "http://[::1]:9000"),
        ('listen = "unix:/run/x.sock"', "http://127.0.0.1:8470"),
        ('listen = "127.0.0.1:0"', "http://127.0.0.1:8470"),
        ('listen = "127.0.0.1:9000"\npublic_url = "https://x.example"', "https://x.example"),
    ],
)
def test_links_lead_to_where_syncd_listens_unless_they_are_set(
    text: str, links: str, tmp_path: Path
) -> None:
    assert load(written(tmp_path, f"[server]\n{text}\n")).server.public_url == links


def test_a_shorter_interval_for_icloud_is_refused_ic6(tmp_path: Path) -> None:
    told = refusal(tmp_path, "[poll.icloud]\ninterval_seconds = 59\n")
    assert "poll.icloud.interval_seconds" in told


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("", None),
        ('[server]\npublic_url = "http://syncd.example"\n', None),
        ('[server]\npublic_url = "https://syncd.example/"\n', "https://syncd.example/v1/push"),
        ('[server]\npublic_url = "https://syncd.example"\n[hints]\nenabled = false\n', None),
    ],
    ids=["default", "plain", "tls", "off"],
)
def test_providers_are_told_an_address_only_if_they_can_call_it(
    tmp_path: Path, text: str, base: str | None
) -> None:
    """P16: over https alone."""
    assert push_base(load(written(tmp_path, text))) == base


def test_how_often_a_calendar_is_looked_at_that_is_called_for(tmp_path: Path) -> None:
    assert plan_of(load(written(tmp_path, ""))).pushed_interval == timedelta(minutes=5)
    plan = plan_of(load(written(tmp_path, "[hints]\ninterval_seconds = 900\n")))
    assert plan.pushed_interval == timedelta(minutes=15)


@pytest.mark.parametrize(
    ("text", "named", "why"),
    [
        ('url = "http://nats:4222"', "nats.url", "nats://host:port or tls://host:port"),
        ('url = "nats://a:4222,b:4222"', "nats.url", "nats://host:port or tls://host:port"),
        ('url = "nats://ada:hush@nats:4222"', "nats.url", "must hold no user, password or token"),
        ('url = "nats://hush@nats:4222"', "nats.url", "nats.token_file"),
        ('url = "nats://nats:port"', "nats.url", "port"),
        ('subject = "syncd.>"', "nats.subject", "pattern"),
        ('stream = "a.b"', "nats.stream", "pattern"),
        ('servers = "nats://a:4222"', "nats.servers", "there is no such setting"),
        ('token_path = "hush"', "nats.token_path", "did you mean nats.token_file?"),
    ],
)
def test_where_nats_is_must_be_an_address_without_a_secret(
    text: str, named: str, why: str, tmp_path: Path
) -> None:
    """N24: secrets are files."""
    told = refusal(tmp_path, f"[nats]\n{text}\n")
    assert f"{tmp_path / 'syncd.toml'}: {named}: " in told
    assert why in told
    assert "hush" not in told


def test_nats_servers_may_be_several(tmp_path: Path) -> None:
    found = load(written(tmp_path, '[nats]\nurl = "nats://a:4222, tls://b.example"\n')).nats
    assert found.servers == ("nats://a:4222", "tls://b.example")
    assert (found.stream, found.subject) == ("syncd", "syncd")


@pytest.mark.parametrize(
    ("mode", "why"), [(None, "No such file"), (0o604, "others can read it; chmod 600")]
)
@pytest.mark.parametrize("key", ["credentials_file", "token_file"])
def test_a_file_of_secrets_must_be_there_and_private(
    key: str, mode: int | None, why: str, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    if mode is not None:
        secret.write_text("hush")
        secret.chmod(mode)
    text = f'[nats]\nurl = "nats://a:4222"\n{key} = "{secret}"\n'
    settings = load(written(tmp_path, text))
    with pytest.raises(MisconfiguredError) as refused:
        target_of(settings)
    assert f"nats.{key}: {secret}: " in str(refused.value)
    assert why in str(refused.value)
    assert "hush" not in str(refused.value)


def test_without_the_extra_nats_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(written(tmp_path, '[nats]\nurl = "nats://a:4222"\n'))
    monkeypatch.setattr("syncd.runtime.fanout.find_spec", lambda _: None)
    with pytest.raises(MisconfiguredError, match=r"pip install 'syncd\[nats\]'"):
        target_of(settings)
    assert target_of(load(written(tmp_path, ""))) is None
