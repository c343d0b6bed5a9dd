"""Settings: one TOML file, a few environment variables, secrets by reference.

The only reader of files, environment and secrets. All faults are reported together.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from platformdirs import user_config_path, user_data_path
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    model_validator,
)

from connectors.faults import in_words

APP = "firstline"
CONFIG_VARIABLE, DATA_VARIABLE = "FIRSTLINE_CONFIG", "FIRSTLINE_DATA"
DATABASE = "firstline.db"
LAST_PORT = 65535
LONGEST_PORT = len(str(LAST_PORT))
CREDENTIAL = re.compile(
    r"token|passw|passphrase|pass$|pwd|secret|credential|bearer|jwt|cookie|keys?$"
    r"|(^|[_.-])auth(orization)?$",
    re.IGNORECASE,
)
SCHEME = re.compile(r"^(?:bearer|basic|token|apikey)\s+", re.IGNORECASE)  # of a header's value
PASSWORD = re.compile(r"://[^/@:\s]*:([^/@\s]+)@")  # of an address
SLACK_VARIABLES = {
    "bot_token": "SLACK_BOT_TOKEN",
    "app_token": "SLACK_APP_TOKEN",
    "signing_secret": "SLACK_SIGNING_SECRET",
}


class ConfigError(Exception):
    """The settings cannot be used; `str()` says what is wrong and where."""


class QdrantSettings(BaseModel):
    """A Qdrant server instead of the embedded engine."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    api_key: str | None = None


class SlackSettings(BaseModel):
    """The workspace. `channel` is where alerts are answered, `approvers` a user group's handle.

    Without a `bot_token` there is none to be on call in, and the rest stands for when there is.
    With an `app_token` Slack tells us through Socket Mode, else over HTTP by `signing_secret`.
    `api_url` is another one for GovSlack, or for a Slack on loopback. `link_hosts` are hosts that
    evidence may link to, beside those of the connectors. Without `streaming`, whoever asks sees a
    card from the beginning. `incident_channels` tells whether an incident may have a channel of its
    own. What other apps write in the channels of `watch` are alerts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    bot_token: SecretStr | None = None
    app_token: SecretStr | None = None
    signing_secret: SecretStr | None = Field(default=None, min_length=1)
    channel: str = "#incidents"
    approvers: str = "sre"
    api_url: str = "https://slack.com/api/"
    link_hosts: tuple[str, ...] = ()
    streaming: bool = True
    incident_channels: bool = False
    watch: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _a_way_in(self) -> Self:
        if self.bot_token and self.app_token is None and self.signing_secret is None:
            raise ValueError("app_token (Socket Mode) or signing_secret (HTTP) is missing")
        return self


class PolicySettings(BaseModel):
    """Which actions are allowed: the team's rules, or the shipped ones where `file` is null.

    `environment` is what rules call the place that this firstline acts on.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Path | None = None
    environment: str = Field(default="production", min_length=1, max_length=80)


class AuditSettings(BaseModel):
    """Where the signing key and the checkpoints lie: apart from the data, best on other disks.

    `slack` tells whether checkpoints are also posted in Slack's channel.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: Path | None = None
    slack: bool = True
    checkpoints: Path | None = None


class TimingSettings(BaseModel):
    """Seconds; `assistant.flow.Timing` says what each is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    look_after_s: float = Field(default=6.0, ge=0)

    settle_s: float = Field(default=2.0, ge=0)
    every_s: float = Field(default=5.0, gt=0)
    patience_s: float = Field(default=180.0, gt=0)
    approval_s: float = Field(default=900.0, gt=0)
    grace_s: float = Field(default=60.0, ge=0)


def _host_and_port(said: str) -> str:
    host, _, port = said.rpartition(":")
    number = int(port) if port.isascii() and port.isdecimal() and len(port) <= LONGEST_PORT else -1
    if not host or ":" in host or not 0 <= number <= LAST_PORT:
        raise ValueError(f"write host:port, as 127.0.0.1:8377, with a port up to {LAST_PORT}")
    return said


class Settings(BaseModel):
    """All settings. `connectors` and `actuators` map an entry point's name to its own settings.

    `listen` is host:port for webhooks and health checks.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: Path
    connectors: dict[str, dict[str, object]] = Field(default_factory=dict)
    actuators: dict[str, dict[str, object]] = Field(default_factory=dict)
    slack: SlackSettings | None = None
    timing: TimingSettings = Field(default_factory=TimingSettings)
    listen: Annotated[str, AfterValidator(_host_and_port)] = "127.0.0.1:8377"
    runbooks: Path | None = None
    qdrant: QdrantSettings | None = None
    telemetry_endpoint: str | None = None
    audit: AuditSettings = Field(default_factory=AuditSettings)
    policy: PolicySettings = Field(default_factory=PolicySettings)
    _file: Path | None = PrivateAttr(default=None)

    def model_post_init(self, context: object, /) -> None:
        """Remember the file that the settings come from, for sentences that name it."""
        self._file = context if isinstance(context, Path) else None

    @property
    def no_connectors(self) -> str:
        """What to say, and to do, where no source is named."""
        file = self._file or "the settings"
        return (
            f'no connectors are configured: write "[connectors.otlp]" and on a second line '
            f'"port = 4318" into {file}, or another one of docs/connectors.md'
        )

    @property
    def index_folder(self) -> Path:
        return self.data / "index"

    @property
    def database(self) -> Path:
        return self.data / DATABASE

    @property
    def pictures(self) -> Path:
        return self.data / "pictures"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        host, _, port = self.listen.rpartition(":")
        return host, int(port)

    @property
    def has_workspace(self) -> bool:
        """Whether there is a Slack to be on call in."""
        return self.slack is not None and self.slack.bot_token is not None

    @property
    def link_hosts(self) -> frozenset[str]:
        """The hosts that a message may link to: those of the connectors, and those named."""
        named = self.slack.link_hosts if self.slack is not None else ()
        return frozenset({*named, *_hosts(self.connectors)})

    @property
    def signing_key(self) -> Path:
        return self.audit.key or self.audit_folder / "signing.key"

    @property
    def checkpoints(self) -> Path:
        return self.audit.checkpoints or self.audit_folder / "checkpoints"

    @property
    def audit_folder(self) -> Path:
        """Where key and checkpoints lie unless the settings name other places."""
        return self.data.with_name(f"{self.data.name}.audit")

    @property
    def shelf(self) -> Path:
        """Where runbooks lie that were made from incidents and accepted."""
        return self.data / "runbooks"


def load(config: Path | None = None, data: Path | None = None) -> Settings:
    """Return the settings of the file at `config` (or the usual place); raises `ConfigError`."""
    path = config or _named(CONFIG_VARIABLE) or user_config_path(APP) / "firstline.toml"
    said = _read(path, must_exist=config is not None or _named(CONFIG_VARIABLE) is not None)
    folder = data or _named(DATA_VARIABLE)
    if folder is not None:
        said["data"] = folder
    said.setdefault("data", user_data_path(APP))
    slack = _slack(said.get("slack"))
    if slack:
        said["slack"] = slack
    faults: list[str] = []
    resolved = _resolved(said, "", faults)
    try:
        settings = Settings.model_validate(resolved, context=path)
    except ValidationError as error:
        faults += [f"{where}: {said}" for where, said in in_words(error)]
    else:
        faults += _shared(settings)
        if not faults:
            return settings
    raise ConfigError(f"{path}: {'; '.join(faults)}")


def _shared(settings: Settings) -> list[str]:
    """Return a fault for each credential that is used to look and to act as well.

    That looking changes nothing is worth something only where the backend itself sees to it.
    """
    looking = {value: where for where, value in _credentials(settings.connectors, "connectors")}
    return [
        f"{where}: it is the credential of {looking[value]} as well; looking needs an identity "
        "that can only read, and acting one of its own"
        for where, value in _credentials(settings.actuators, "actuators")
        if value in looking
    ]


def _hosts(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _hosts(inner)
    elif isinstance(value, str) and value.startswith(("http://", "https://")):
        yield from [host] if (host := urlsplit(value).hostname) else []


def _credentials(value: object, where: str, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield where a credential stands, and what it is, judged by the `name` of its setting.

    A list's members have the list's name. A password within an address is one as well.
    """
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _credentials(inner, f"{where}.{key}", str(key))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _credentials(inner, f"{where}.{number}", name)
    elif isinstance(value, str) and value:
        if CREDENTIAL.search(name):
            yield where, SCHEME.sub("", value)
        elif found := PASSWORD.search(value):
            yield where, found[1]


def _slack(said: object) -> object:
    """Take Slack's tokens from the variables that its own tools use, unless the file has them."""
    known = {
        key: value
        for key, variable in SLACK_VARIABLES.items()
        if (value := os.environ.get(variable))  # noqa: TID251 — the one reader of the environment
    }
    named = said if isinstance(said, dict) else {}
    # One of them alone is no workspace, and no reason to refuse what needs none.
    whole = len(SLACK_VARIABLES.keys() & {*known, *named}) > 1 and "bot_token" in {*known, *named}
    return {**known, **named} if whole else said


def _named(variable: str) -> Path | None:
    value = os.environ.get(variable)  # noqa: TID251 — the one reader of the environment
    return Path(value) if value else None


def _read(path: Path, *, must_exist: bool) -> dict[str, object]:
    try:
        return dict(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        if must_exist:
            raise ConfigError(f"{path}: there is no such file") from error
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as TOML: {error}") from error


def _resolved(value: object, where: str, faults: list[str]) -> object:
    """Replace `env:NAME` and `file:PATH` by what they point to; add what is missing to `faults`."""
    if isinstance(value, Mapping):
        return {k: _resolved(v, f"{where}.{k}".lstrip("."), faults) for k, v in value.items()}
    if isinstance(value, list):
        return [_resolved(v, f"{where}.{i}", faults) for i, v in enumerate(value)]
    if not isinstance(value, str):
        return value
    if value.startswith("env:"):
        found = os.environ.get(value[4:])  # noqa: TID251 — the one reader of the environment
        if found is None:
            faults.append(f"{where}: the environment variable {value[4:]} is not set")
        return found or ""
    if value.startswith("file:"):
        try:
            return Path(value[5:]).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            faults.append(f"{where}: the file {value[5:]} cannot be read")
    return value
