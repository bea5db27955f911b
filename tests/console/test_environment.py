"""Settings come from the environment, and a wrong one is named."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from console.environment import load
from console.secret_key import secret_key


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NAMEPLATE_DATA_DIR", str(tmp_path / "var"))


def test_everything_stands_in_the_data_folder_by_default(tmp_path: Path) -> None:
    found = load()
    assert found.databases["default"]["NAME"] == str(tmp_path / "var" / "nameplate.sqlite3")
    assert found.key_ring_path == tmp_path / "var" / "keyring.json"
    assert found.hosts == ["localhost", "127.0.0.1", "[::1]"]


def test_sqlite_is_safe_for_several_writers(tmp_path: Path) -> None:
    options = load().databases["default"]["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    assert options["timeout"] == 20
    assert "journal_mode=WAL" in options["init_command"]


def test_a_database_url_leads_to_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://olga:s%40fe@db.example:5433/fleet")
    database = load().databases["default"]
    assert (database["USER"], database["PASSWORD"], database["HOST"], database["PORT"]) == ("olga", "s@fe", "db.example", 5433)
    assert database["CONN_MAX_AGE"] is None
    assert database["CONN_HEALTH_CHECKS"] is True


def test_a_data_center_can_have_a_database_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgres://db.frankfurt/devices\n")
    monkeypatch.setenv("DATABASE_URL_SHANGHAI", "postgres://db.shanghai/devices")
    monkeypatch.setenv("DATABASE_URL_FRANKFURT_FILE", str(tmp_path / "url"))
    found = load().databases
    assert set(found) == {"default", "shanghai", "frankfurt"}
    assert found["frankfurt"]["HOST"] == "db.frankfurt"


def test_a_secret_can_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from the file\n")
    (tmp_path / "database").write_text("postgres://db.example/fleet\n")
    monkeypatch.setenv("NAMEPLATE_SECRET_KEY_FILE", str(tmp_path / "secret"))
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "database"))
    assert load().secret_key.get_secret_value() == "from the file"
    assert load().databases["default"]["HOST"] == "db.example"


def test_it_refuses_a_secret_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NAMEPLATE_SECRET_KEY_FILE", str(tmp_path / "nothing"))
    with pytest.raises(ImproperlyConfigured, match="NAMEPLATE_SECRET_KEY_FILE"):
        load()


@pytest.mark.parametrize(
    ("name", "value"), [("NAMEPLATE_MODE", "prod"), ("NAMEPLATE_WEB_WORKERS", "none"), ("NAMEPLATE_TLS_PROFILE", "old")]
)
def test_it_refuses_a_value_it_does_not_know_and_does_not_repeat_it(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=name) as refused:
        load()
    assert f"'{value}'" not in str(refused.value).replace("'embedded'", "")


def test_lists_are_words_parted_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAMEPLATE_ALLOWED_HOSTS", "console.example, 192.0.2.1 ,")
    assert load().hosts == ["console.example", "192.0.2.1"]


def test_no_secret_shows_when_the_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAMEPLATE_SECRET_KEY", "do-not-show-me")
    monkeypatch.setenv("DATABASE_URL", "postgres://olga:do-not-show-me@db/fleet")
    assert "do-not-show-me" not in repr(load())


def test_mail_goes_where_the_url_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().mail.backend == "console"
    monkeypatch.setenv("NAMEPLATE_EMAIL_URL", "smtp://post:p%40ss@mail.example")
    mail = load().mail
    assert (mail.backend, mail.host, mail.port, mail.user, mail.password, mail.starttls, mail.ssl) == (
        "smtp", "mail.example", 587, "post", "p@ss", True, False)  # fmt: skip


def test_the_secret_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    first = secret_key(load())
    assert len(first) >= 50
    assert secret_key(load()) == first
    assert (tmp_path / "var" / "secret_key").stat().st_mode & 0o777 == 0o600


def test_an_mqtt_listener_can_be_off(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (load().mqtt_bind, load().mqtt_tls_bind) == ("127.0.0.1:1883", "127.0.0.1:8883")
    monkeypatch.setenv("NAMEPLATE_MQTT_BIND", "off")
    monkeypatch.setenv("NAMEPLATE_MQTT_TLS_BIND", "off")
    assert (load().mqtt_bind, load().mqtt_tls_bind) == ("", "")


@pytest.mark.parametrize(
    ("mode", "chosen", "beyond"),
    [
        ("embedded", "", "embedded"),
        ("production", "", ""),
        ("production", "embedded", "embedded"),
        ("embedded", "off", ""),
        ("embedded", "10.0.0.5:1883", "10.0.0.5:1883"),
    ],
)
def test_the_embedded_broker_is_there_unless_it_is_production(monkeypatch: pytest.MonkeyPatch, mode: str, chosen: str, beyond: str) -> None:
    monkeypatch.setenv("NAMEPLATE_MODE", mode)
    monkeypatch.setenv("NAMEPLATE_MQTT_UPSTREAM", chosen)
    assert load().mqtt_beyond == beyond


def test_it_refuses_an_unknown_tls_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAMEPLATE_MQTT_TLS_PROFILE", "anything")
    with pytest.raises(ImproperlyConfigured, match="NAMEPLATE_MQTT_TLS_PROFILE"):
        load()
