"""Every setting comes from the environment; this page is the whole list.

A field is read from NAMEPLATE_<FIELD> or, where it says so, from a name without prefix. A setting marked secret is also
read from the file that <NAME>_FILE names, so that it need not stand in the environment. The README's table is tested
against these fields.
"""

import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

BASE_DIR = Path(__file__).resolve().parent.parent
PREFIX = "NAMEPLATE_"

Words = Annotated[tuple[str, ...], NoDecode]
"""A list in the environment: words parted by commas."""


def name_of(field: str, info: FieldInfo) -> str:
    """The environment variable that sets a field."""
    alias = info.validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else PREFIX + field.upper()


def is_secret(info: FieldInfo) -> bool:
    return "SecretStr" in str(info.annotation)


class SecretFiles(EnvSettingsSource):
    """Reads a secret from the file named by <NAME>_FILE; one trailing line end is not part of it."""

    def __call__(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for field, info in self.settings_cls.model_fields.items():
            name = name_of(field, info)
            file = os.environ.get(name + "_FILE", "")
            if is_secret(info) and file and field != "key_ring":
                found[name if info.validation_alias else field] = read_secret(name, file)
        return found


def read_secret(name: str, file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE names {file}, which cannot be read: {error.strerror}.") from error


class Environment(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, env_ignore_empty=True, hide_input_in_errors=True)

    mode: Literal["embedded", "production"] = Field(
        "embedded", description="`embedded` starts with nothing prepared; `production` refuses to start with an unsafe setting."
    )
    debug: bool = Field(False, description="Django's debug pages. Refused in production.")
    data_dir: Path = Field(BASE_DIR / "var", description="Folder of everything the console keeps by itself: SQLite, jobs, key ring, files.")
    secret_key: SecretStr = Field(SecretStr(""), description="Django's secret key. Embedded: made once in the data folder.")
    key_ring: SecretStr = Field(SecretStr(""), description="The key ring as text (JSON), instead of a file.")
    key_ring_file: Path | None = Field(None, description="File of the key ring. Default: `keyring.json` in the data folder.")

    allowed_hosts: Words = Field(
        (), description="Host names of the console, parted by commas. Embedded: this machine only. Device doors answer any host."
    )
    trusted_origins: Words = Field(
        (), description="Origins (`https://console.example`) whose forms are accepted, if a proxy changes the host."
    )
    https: bool | None = Field(
        None, description="Console pages over HTTPS only: secure cookies, redirect, HSTS. Default: on in production."
    )
    trusted_proxies: Words = Field(
        (),
        description="Addresses of proxies whose X-Forwarded-For, -Proto and PROXY protocol are believed; `*` if only a proxy reaches us.",
    )

    database_url: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("DATABASE_URL"),
        description="`postgres://user:password@host/name`. Default: SQLite in the data folder. "
        "`DATABASE_URL_<ALIAS>` adds a data center's own database.",
    )
    redis_url: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("REDIS_URL"),
        description="`redis://host:6379/0`, the broker of background jobs. Default: a folder in the data folder.",
    )

    bind: str = Field("127.0.0.1:8000", description="Address and port of the web server.")
    web_workers: int = Field(2, ge=1, le=64, description="Processes of each web listener.")
    web_threads: int = Field(4, ge=1, le=64, description="Threads in each web process.")
    job_lease_seconds: float = Field(
        20.0, ge=1, le=600, description="A background job without a sign of life for so long is given to another worker."
    )
    batch_chunk_rows: int = Field(
        0,
        ge=0,
        le=50_000,
        description="Devices that a production batch stores at a time. 0: 20,000 on PostgreSQL, 250 on SQLite, whose other writers wait.",
    )
    batch_file_days: int = Field(7, ge=1, le=365, description="How long a file of activation codes is kept, encrypted, once it was made.")
    job_workers: int = Field(2, ge=1, le=64, description="Background jobs at the same time.")
    tls_bind: str = Field("127.0.0.1:8443", description="Address and port of the TLS listener, if there is a certificate.")
    tls_cert: Path | None = Field(None, description="PEM file of the certificate and its chain. Opens the TLS listener.")
    tls_key: Path | None = Field(None, description="PEM file of the certificate's key.")
    tls_profile: Literal["modern", "legacy"] = Field(
        "modern",
        description="`legacy` admits RSA key exchange with CBC for C firmware that knows nothing else; it wants an RSA certificate.",
    )

    mqtt_bind: str = Field("127.0.0.1:1883", description="Address and port at which devices register over MQTT; `off` for none.")
    mqtt_tls_bind: str = Field("127.0.0.1:8883", description="The same over TLS, if there is a certificate; `off` for none.")
    mqtt_tls_profile: Literal["standard", "legacy-rsa-cbc"] = Field(
        "standard",
        description="`legacy-rsa-cbc` admits RSA key exchange with CBC for C firmware that knows nothing else: such a device has no "
        "forward secrecy. It wants an RSA certificate.",
    )
    mqtt_proxy_protocol: bool = Field(
        False, description="Every MQTT connection begins with a PROXY protocol header (v1 or v2) of a proxy in NAMEPLATE_TRUSTED_PROXIES."
    )
    mqtt_upstream: str = Field(
        "",
        description="Where MQTT connections go that are no registrations: `embedded`, the broker within the registrar; `host:port` of "
        "another; `off`, they are refused. Default: `embedded`, and `off` in production.",
    )
    mqtt_upstream_proxy_protocol: bool = Field(False, description="That broker is told the device's address (PROXY protocol v2).")
    mqtt_read_seconds: float = Field(10.0, gt=0, le=120, description="Seconds in which TLS and the CONNECT of a device must be through.")
    mqtt_connections: int = Field(4_000, ge=1, le=1_000_000, description="MQTT connections at the same time; further ones are closed.")
    mqtt_waiting_per_address: int = Field(
        200, ge=1, le=1_000_000, description="Of these, without a CONNECT yet from one address (not that of a trusted proxy)."
    )
    mqtt_threads: int = Field(4, ge=1, le=64, description="MQTT registrations decided at the same time; each holds a database connection.")

    second_factor: Literal["off", "optional", "required"] = Field(
        "optional",
        description="`optional`: who has set up an authenticator app signs in with its code too; `required`: everybody must set one up "
        "before anything else works; `off`: the password is enough.",
    )
    session_idle_minutes: int = Field(
        60, ge=1, le=720, description="A session without a request for so long is over. Every session is over after twelve hours."
    )

    code_channel: Literal["log", "totp", "mail", "sms"] = Field(
        "log", description="How the one-time code reaches the operator: server log, authenticator app, mail or SMS."
    )
    sms_gateway: str = Field("", description="Dotted path of the class that sends an SMS, for the channel `sms`.")
    sms_numbers: Words = Field((), description="Phone numbers for the channel `sms`, parted by commas: `admin=+4915112345,li=+8613912345`.")
    email_url: SecretStr = Field(
        SecretStr(""), description="`smtp://user:password@host:587` (or `smtps://`). Default: mail is printed in the log."
    )
    email_from: str = Field("nameplate@localhost", description="Sender of mail.")

    product_cache_seconds: float = Field(
        1.0, ge=0, le=60, description="How long a process may act on a product's switches before it reads them again."
    )
    signed_hosts: Words = Field(
        (), description="Further host names that devices sign (Tencent), if a proxy in front of us changes the Host header."
    )
    tencent_window_seconds: int = Field(
        0, ge=0, description="How far the clock of a Tencent device may be off. 0: any distance, as firmware without a clock needs."
    )
    log_days: int = Field(180, ge=0, description="Days that entries of the device log are kept. 0: for ever.")
    connection_days: int = Field(
        180, ge=0, description="Days that ended connections and carried-out orders to cut one off are kept. 0: for ever."
    )
    unused_client_id_days: int = Field(30, ge=0, description="Days after which a ClientID that never connected is forgotten. 0: never.")
    record_queue: int = Field(
        20_000,
        ge=100,
        description="Log entries of connections that a process keeps for each database while it does not take them; beyond it they are "
        "dropped and counted, and who came and left at twice as many.",
    )

    time_zone: str = Field("UTC", description="Time zone in which the console shows times; stored times are UTC.")
    metrics_token: SecretStr = Field(
        SecretStr(""), description="Whoever shows it as `Authorization: Bearer` reads /metrics. Default: this machine alone."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least severe line that is logged.")
    log_format: Literal["text", "json"] = Field("text", description="Lines for people, or one JSON object a line.")

    @field_validator("allowed_hosts", "trusted_origins", "trusted_proxies", "sms_numbers", "signed_hosts", mode="before")
    @classmethod
    def _split_words(cls, value: object) -> object:
        return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value

    @field_validator("mqtt_bind", "mqtt_tls_bind")
    @classmethod
    def _off(cls, value: str) -> str:
        return "" if value == "off" else value

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, SecretFiles(settings_cls)

    @property
    def production(self) -> bool:
        return self.mode == "production"

    @property
    def https_only(self) -> bool:
        return self.production if self.https is None else self.https

    @property
    def key_ring_path(self) -> Path:
        return (self.key_ring_file or self.data_dir / "keyring.json").expanduser().absolute()

    @property
    def mqtt_beyond(self) -> str:
        """`embedded`, "host:port", or empty."""
        chosen = self.mqtt_upstream or ("off" if self.production else "embedded")
        return "" if chosen == "off" else chosen

    @property
    def hosts(self) -> list[str]:
        return list(self.allowed_hosts) or ([] if self.production else ["localhost", "127.0.0.1", "[::1]"])

    @property
    def mail(self) -> "Mail":
        url = urlsplit(self.email_url.get_secret_value())
        if not url.hostname:
            return Mail("console", "localhost", 25, "", "", ssl=False, starttls=False)
        over_ssl = url.scheme == "smtps"
        user, password = unquote(url.username or ""), unquote(url.password or "")
        return Mail(
            "smtp", url.hostname, url.port or (465 if over_ssl else 587), user, password, ssl=over_ssl, starttls=bool(user) and not over_ssl
        )

    @cached_property
    def databases(self) -> dict[str, dict[str, Any]]:
        """Django's DATABASES: the center's and those of the data centers that have their own."""
        found = {"default": self._database(self.database_url.get_secret_value())}
        for name, url in _further_databases(os.environ):
            found[name] = self._database(url)
        return found

    def _database(self, url: str) -> dict[str, Any]:
        config: dict[str, Any] = dict(dj_database_url.parse(url or f"sqlite:///{self.data_dir / 'nameplate.sqlite3'}"))
        if config["ENGINE"].endswith("sqlite3"):
            config["OPTIONS"] = SQLITE_OPTIONS
            return config
        return config | {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}


def _further_databases(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Alias and URL of each DATABASE_URL_<ALIAS>, also where it stands in a file (DATABASE_URL_<ALIAS>_FILE)."""
    for name in sorted(variables):
        alias = name.removeprefix("DATABASE_URL_").lower()
        if not name.startswith("DATABASE_URL_") or alias == "file":
            continue
        if alias.endswith("_file"):
            yield alias.removesuffix("_file"), read_secret(name.removesuffix("_FILE"), variables[name])
        else:
            yield alias, variables[name]


class Mail(NamedTuple):
    """Where mail goes; `backend` is the last part of Django's module name."""

    backend: str
    host: str
    port: int
    user: str
    password: str
    ssl: bool
    starttls: bool


SQLITE_OPTIONS: Mapping[str, Any] = {
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
}


def load() -> Environment:
    """The environment, or ImproperlyConfigured naming the variable; a wrong value is not repeated, it may be a secret."""
    try:
        return Environment()
    except ValidationError as error:
        raise ImproperlyConfigured("; ".join(_complaint(one) for one in error.errors())) from None


def _complaint(error: Mapping[str, Any]) -> str:
    field = str(error["loc"][0])
    info = Environment.model_fields.get(field)
    return f"{name_of(field, info) if info else field}: {error['msg']}"
