"""A backup is one that was restored: on another database, with the key ring's copy, and every secret opens."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from console import backups
from devices.models import PreImportedDevice
from products.models import ProductSecret
from tests import cast, processes
from tests.cast import NOON

pytestmark = [pytest.mark.storage, pytest.mark.django_db(transaction=True)]


def manage(*words: str, **changes: str) -> subprocess.CompletedProcess[str]:
    env = processes.environment(**changes)
    return subprocess.run([sys.executable, "manage.py", *words], env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def other_place(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Settings of a console that stands elsewhere, with an empty database of its own."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    shutil.copy(settings.NAMEPLATE_KEY_RING_FILE, folder / "keyring.json")
    if connection.vendor == "sqlite":
        yield {"NAMEPLATE_DATA_DIR": str(folder), "DATABASE_URL": f"sqlite:///{folder / 'nameplate.sqlite3'}"}
        return
    name = f"restored_{uuid4().hex[:12]}"
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
    url = urlsplit(processes.database_url("default"))
    yield {"NAMEPLATE_DATA_DIR": str(folder), "DATABASE_URL": url._replace(path=f"/{name}").geturl()}
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def restore(backup: Path, place: dict[str, str]) -> None:
    """The lines of docs/operations.md."""
    data = Path(place["NAMEPLATE_DATA_DIR"])
    if connection.vendor == "sqlite":
        shutil.copy(backup / "default.sqlite3", data / "nameplate.sqlite3")
    else:
        command = ["pg_restore", "--no-owner", f"--dbname={place['DATABASE_URL']}", str(backup / "default.dump")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    subprocess.run(["tar", "-C", str(data), "-xf", str(backup / "files.tar")], check=True)


def test_a_restored_backup_has_every_row_and_opens_every_secret(tmp_path: Path, other_place: dict[str, str]) -> None:
    product = cast.kettle()
    for number in range(50):
        cast.row(product, f"4C11AE{number:06X}")
    stored = Path(settings.MEDIA_ROOT) / "uploads" / "one"
    stored.mkdir(parents=True, exist_ok=True)
    (stored / "file").write_bytes(b"an encrypted workbook")
    call_command("backup", str(tmp_path / "backup"))
    shutil.rmtree(stored)
    restore(tmp_path / "backup", other_place)
    assert manage("setup", **other_place).returncode == 0
    checked = manage("check_secrets", "--all", **other_place)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "devices.PreImportedDevice.sealed_secret in default: 50 tried, all open" in checked.stdout
    assert (Path(other_place["NAMEPLATE_DATA_DIR"]) / "files" / "uploads" / "one" / "file").read_bytes() == b"an encrypted workbook"


def test_another_key_ring_is_found_out_after_the_restore(tmp_path: Path, other_place: dict[str, str]) -> None:
    cast.kettle()
    call_command("backup", str(tmp_path / "backup"))
    restore(tmp_path / "backup", other_place)
    (Path(other_place["NAMEPLATE_DATA_DIR"]) / "keyring.json").unlink()
    assert manage("make_key_ring", **other_place).returncode == 0
    checked = manage("check_secrets", **other_place)
    assert checked.returncode != 0
    assert "products.ProductSecret.sealed in default: 1 tried, 1 DO NOT OPEN" in checked.stdout
    assert "does not belong to this database" in checked.stderr


def test_the_backup_says_what_it_is_and_holds_no_key(tmp_path: Path, capsys: Any) -> None:
    cast.kettle()
    folder = tmp_path / "backup"
    call_command("backup", str(folder))
    facts = json.loads((folder / "backup.json").read_text())
    ring = json.loads(Path(settings.NAMEPLATE_KEY_RING_FILE).read_text())
    assert facts["parts"]["files.tar"]["sha256"] and facts["tables"]["products"]
    assert facts["keys"][0] in capsys.readouterr().out
    keys = [text for text in json.dumps(ring).split('"') if len(text) > 30]
    assert keys
    assert not [file.name for file in folder.iterdir() for key in keys if key.encode() in file.read_bytes()]
    assert {oct(file.stat().st_mode & 0o077) for file in folder.iterdir() if file.suffix != ".json"} == {"0o0"}


def test_it_refuses_a_folder_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "old.dump").touch()
    with pytest.raises(CommandError, match="not empty"):
        call_command("backup", str(tmp_path))
    assert os.listdir(tmp_path) == ["old.dump"]


def test_a_sample_finds_what_an_older_ring_cannot_open() -> None:
    product = cast.kettle()
    cast.row(product, "4C11AE000001")
    row = PreImportedDevice.objects.get()
    PreImportedDevice.objects.filter(pk=row.pk).update(sealed_secret=bytes(row.sealed_secret)[:-1] + bytes([row.sealed_secret[-1] ^ 1]))
    assert ProductSecret.objects.exists()
    with pytest.raises(CommandError, match="put the right copy back"):
        call_command("check_secrets")


@pytest.mark.parametrize("going", ["uploads/one/file", "uploads/one"])
def test_files_may_come_and_go_while_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: object, going: str) -> None:
    """A half-written file gets its name, an expired one is deleted, and the backup is the one of all the others."""
    settings.MEDIA_ROOT = tmp_path / "media"  # type: ignore[attr-defined]
    for name in ("uploads/one/file", "uploads/two/file"):
        (tmp_path / "media" / name).parent.mkdir(parents=True)
        (tmp_path / "media" / name).write_bytes(b"words")
    real: Any = tarfile.TarFile.gettarinfo
    gone = tmp_path / "media" / going

    def gettarinfo(archive: tarfile.TarFile, name: Any = None, *more: Any, **named: Any) -> Any:
        if Path(name) == gone:
            shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
        return real(archive, name, *more, **named)

    monkeypatch.setattr(tarfile.TarFile, "gettarinfo", gettarinfo)
    backups.make(tmp_path / "backup", at=NOON)
    with tarfile.open(tmp_path / "backup" / "files.tar") as archive:
        names = archive.getnames()
    assert "files/uploads/two/file" in names
    assert "files/uploads/one/file" not in names
