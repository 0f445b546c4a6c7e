"""The settings: one TOML file, the environment above it, read once and frozen (design §7).

``SYNCD_<SECTION>__<KEY>`` wins over the file. Whatever is wrong is one MisconfiguredError that
names file (or variable), key and remedy.
"""

import re
from contextlib import AbstractContextManager
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    field_serializer,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from syncd.model.errors import MisconfiguredError
from syncd.runtime.addresses import database_address, listening_at, reached_at, web_address
from syncd.runtime.faults import explain, naming, unknown_variables
from syncd.runtime.places import config_file, parse_toml, state_directory

SIX_HOURS = 21600
_LONGEST = 366 * 86400  # seconds; what is longer is a mistake, and past what a clock can count
_MOST = 10**9
_DAYS = 36_500


class Section(BaseModel, frozen=True, extra="forbid"):
    """A table of the file."""

    @field_validator("*", mode="before")
    @classmethod
    def _printable(cls, value: object) -> object:
        return printable(value)


def printable(value: object) -> object:
    """Return a value; raises ValueError for text that no path and no address can hold."""
    if isinstance(value, str) and not value.isprintable():
        raise ValueError("must hold no control characters")
    return value


class Server(Section):
    """``[server]``: where syncd answers, and what its links say."""

    listen: str = "127.0.0.1:8470"
    public_url: str = "http://127.0.0.1:8470"
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()

    @field_validator("listen")
    @classmethod
    def _listens(cls, listen: str) -> str:
        return listening_at(listen)

    @field_validator("public_url")
    @classmethod
    def _links(cls, url: str) -> str:
        return web_address(url).rstrip("/")


class Store(Section):
    """``[store]``: the database."""

    url: str = "sqlite:///{state_dir}/syncd.db"

    @field_validator("url")
    @classmethod
    def _known(cls, url: str) -> str:
        return database_address(url)

    @field_serializer("url", when_used="json")
    def shown(self, url: str) -> str:
        """Return the address without its password, as ``syncd check`` shows it."""
        return without_password(url)


class Vault(Section):
    """``[vault]``: the keys that seal credentials."""

    key_file: str = ""


class Pace(Section):
    """``[poll.<provider>]``: what differs for one provider."""

    interval_seconds: int | None = Field(default=None, ge=5, le=_LONGEST)
    reconcile_seconds: int | None = Field(default=None, ge=60, le=_LONGEST)


class SlowFeed(Pace):
    """``[poll.caldav]`` and those like it: change feeds that deserve a second look sooner."""

    reconcile_seconds: int | None = Field(default=SIX_HOURS, ge=60, le=_LONGEST)


class ApplePace(SlowFeed):
    """``[poll.icloud]``: iCloud is asked once a minute at most (IC6)."""

    interval_seconds: int | None = Field(default=None, ge=60, le=_LONGEST)


class Poll(Section):
    """``[poll]``: how often profiles are looked at."""

    interval_seconds: int = Field(default=60, ge=5, le=_LONGEST)
    reconcile_seconds: int = Field(default=86400, ge=60, le=_LONGEST)
    disconnect_proof_seconds: int = Field(default=900, ge=0, le=_LONGEST)
    invalid_grant_gap_seconds: int = Field(default=60, ge=0, le=_LONGEST)
    google: Pace = Pace()
    graph: SlowFeed = SlowFeed()
    ews: Pace = Pace()
    caldav: SlowFeed = SlowFeed()
    icloud: ApplePace = ApplePace()


class Hints(Section):
    """``[hints]``: providers that call when a calendar has changed (P16)."""

    enabled: bool = True
    interval_seconds: int = Field(default=300, ge=5, le=_LONGEST)


class OAuthClient(Section):
    """What the operator registered at a provider; addresses as the provider documents them."""

    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    extra_scopes: str = ""


class Google(OAuthClient):
    """``[providers.google]``; every address can be another's, such as a proxy's (P14)."""

    authorize_url: str = "https://accounts.google.com/o/oauth2/v2/auth"
    token_url: str = "https://oauth2.googleapis.com/token"  # noqa: S105
    revoke_url: str = "https://oauth2.googleapis.com/revoke"
    api_url: str = "https://www.googleapis.com/calendar/v3"
    people_url: str = "https://people.googleapis.com/v1"
    directory_url: str = "https://admin.googleapis.com/admin/directory/v1"
    delegated_scopes: str = "https://www.googleapis.com/auth/calendar"
    requests_per_minute: int = Field(default=10_000, ge=1, le=_MOST)
    profile_requests_per_minute: int = Field(default=600, ge=1, le=_MOST)

    @field_validator("authorize_url", "token_url", "revoke_url", "api_url")
    @classmethod
    def _needed(cls, url: str) -> str:
        return web_address(url)

    @field_validator("people_url", "directory_url")
    @classmethod
    def _wanted(cls, url: str) -> str:
        return url and web_address(url)


class Graph(OAuthClient):
    """``[providers.graph]``: Microsoft 365 and Outlook.com."""

    authorize_url: str = "https://login.microsoftonline.com/common/oauth2/v2.0/authorize"
    token_url: str = "https://login.microsoftonline.com/common/oauth2/v2.0/token"  # noqa: S105
    api_url: str = "https://graph.microsoft.com/v1.0"

    @field_validator("authorize_url", "token_url", "api_url")
    @classmethod
    def _needed(cls, url: str) -> str:
        return web_address(url)


class Exchange(Section):
    """``[providers.ews]``: where a server's own authority gives tokens, such as AD FS."""

    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    token_url: str = ""

    @field_validator("token_url")
    @classmethod
    def _wanted(cls, url: str) -> str:
        return url and web_address(url)


class Icloud(Section):
    """``[providers.icloud]``."""

    url: str = "https://caldav.icloud.com/"
    contacts_url: str = "https://contacts.icloud.com/"

    @field_validator("url", "contacts_url")
    @classmethod
    def _needed(cls, url: str) -> str:
        return web_address(url)


class Providers(Section):
    """``[providers.<name>]``: what adapters need to know."""

    google: Google = Google()
    graph: Graph = Graph()
    ews: Exchange = Exchange()
    caldav: Section = Section()
    icloud: Icloud = Icloud()

    def texts(self) -> dict[str, dict[str, str]]:
        """Return every key by provider, as plain text."""
        return {
            name: {
                key: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
                for key, value in section
            }
            for name, section in self
        }


class Limits(Section):
    """``[limits]``: how much one token, or one address without a token, may ask (R16).

    And how many webhooks a user or an application, and subscriptions (K43) an account may have.
    """

    requests_per_second: int = Field(default=500, ge=1, le=_MOST)
    burst: int = Field(default=5000, ge=1, le=_MOST)
    requests_at_once: int = Field(default=100, ge=1, le=_MOST)
    subscriptions_per_owner: int = Field(default=1000, ge=1, le=_MOST)


class Outbound(Section):
    """``[outbound]``: where requests that users cause may go."""

    allow_private: tuple[IPv4Network | IPv6Network, ...] = ()


class Nats(Section):
    """``[nats]``: the operator's NATS JetStream, which is told everything (N24).

    ``url`` is one address or several with commas between; no secret stands in it.
    """

    url: str = ""
    stream: str = Field(default="syncd", pattern=r"^[A-Za-z0-9_-]{1,255}$")
    subject: str = Field(default="syncd", pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$")
    credentials_file: str = ""
    token_file: str = ""

    @property
    def servers(self) -> tuple[str, ...]:
        """Return the addresses one by one."""
        return tuple(one.strip() for one in self.url.split(",") if one.strip())

    @field_validator("url")
    @classmethod
    def _reaches(cls, url: str) -> str:
        for one in filter(None, map(str.strip, url.split(","))):
            parts = urlsplit(one)
            if parts.scheme not in {"nats", "tls"} or not parts.hostname or " " in one:
                raise ValueError(
                    "must be nats://host:port or tls://host:port, several with commas between"
                )
            if "@" in parts.netloc:
                raise ValueError(
                    "must hold no user, password or token: set nats.credentials_file or "
                    "nats.token_file"
                )
            parts.port  # noqa: B018 - raises ValueError for what is no port
        return url.strip()


class Retention(Section):
    """``[retention]``: how far back streams reach."""

    days: int = Field(default=30, ge=1, le=_DAYS)
    activities: int = Field(default=0, ge=0, le=10**15)


class Log(Section):
    """``[log]``: what is written to stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"


def without_password(url: str) -> str:
    """Return the address of a database as it may be shown."""
    told = re.sub(r"(://[^/?#:@]*):[^/?#]*@", r"\1:***@", url)
    return re.sub(r"([?&]password=)[^&]*", r"\1***", told)


class Settings(BaseSettings):
    """Everything that can be set; ``state_dir`` is resolved, ``{state_dir}`` filled in."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="SYNCD_", env_nested_delimiter="__"
    )

    state_dir: Path = Path("/var/lib/syncd")
    server: Server = Server()
    store: Store = Store()
    vault: Vault = Vault()
    poll: Poll = Poll()
    hints: Hints = Hints()
    limits: Limits = Limits()
    outbound: Outbound = Outbound()
    nats: Nats = Nats()
    retention: Retention = Retention()
    providers: Providers = Providers()
    log: Log = Log()
    _file: Path | None = PrivateAttr(default=None)

    @field_validator("state_dir", mode="before")
    @classmethod
    def _printable(cls, value: object) -> object:
        return printable(value)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the environment above the file, and nothing else beside them."""
        del env_settings, dotenv_settings, file_secret_settings
        return _Environment(settings_cls), init_settings

    @property
    def store_url(self) -> str:
        """Return the database's URL with the state directory filled in."""
        return self.store.url.replace("{state_dir}", str(self.state_dir))

    def remember(self, file: Path | None) -> None:
        """Remember what was read, for ``naming``."""
        self._file = file

    def naming(self) -> AbstractContextManager[None]:
        """Let MisconfiguredError that names a key name where it was set, too."""
        return naming(self._file)

    @property
    def lock_file(self) -> Path:
        """Return the file whose lock makes a process the only writer (S3)."""
        return self.state_dir / "syncd.lock"

    @property
    def admin_socket(self) -> Path:
        """Return where the command line reaches the daemon."""
        return self.state_dir / "admin.sock"


class _Environment(EnvSettingsSource):
    """Lists may be given as JSON, or simply with commas."""

    def decode_complex_value(
        self,
        field_name: str,
        field: FieldInfo,
        value: Any,  # noqa: ANN401 - the base class's
    ) -> Any:  # noqa: ANN401 - the base class's
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return [part.strip() for part in str(value).split(",") if part.strip()]


def load(path: Path | None = None) -> Settings:
    """Read the settings; without ``path`` the default file, if there is one.

    Raises MisconfiguredError.
    """
    file = config_file(path)
    given = {} if file is None else parse_toml(file)
    if wrong := unknown_variables(Settings):
        raise MisconfiguredError("\n".join(wrong))
    try:
        read = Settings(**given)
    except ValidationError as error:
        raise MisconfiguredError(explain(error, Settings, file)) from None
    read.remember(file)
    state_dir = state_directory(read.state_dir if "state_dir" in read.model_fields_set else None)
    return read.model_copy(update={"state_dir": state_dir, "server": _linked(read.server)})


def _linked(server: Server) -> Server:
    """Return it with links that lead to where it listens, unless they are set."""
    if "public_url" in server.model_fields_set:
        return server
    return server.model_copy(update={"public_url": reached_at(server.listen) or server.public_url})
