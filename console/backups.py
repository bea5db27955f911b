"""A backup in one folder: every database, the files, and a page that says what belongs together. Never the key ring: the lock and its
key do not travel together."""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

from console.errors import Conflict, Unavailable
from console.shared import keyring
from console.words import say

MANIFEST = "backup.json"
MIB = 1 << 20


class FolderNotEmpty(Conflict):
    """Two backups in one folder would be none."""

    code = "folder_not_empty"


class DumpFailed(Unavailable):
    """The database's own program did not do it."""

    code = "dump_failed"


def make(folder: Path, *, at: datetime) -> dict[str, Any]:
    """Writes it while the console runs, and returns what `backup.json` says. Databases first, then the files: a row may name a file that
    came later and is made again, never the other way round. Raises FolderNotEmpty or DumpFailed."""
    if folder.exists() and any(folder.iterdir()):
        raise FolderNotEmpty(say("{folder} is not empty: name a new folder.", folder=str(folder)))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    written = [_database(alias, folder) for alias in settings.DATABASES] + [_files(folder)]
    facts = {
        "made_at": at.isoformat(timespec="seconds"),
        "keys": list(keyring.current().ids()),
        "tables": dict(_newest_migrations()),
        "parts": {file.name: {"bytes": file.stat().st_size, "sha256": _sha256(file)} for file in written},
    }
    (folder / MANIFEST).write_text(json.dumps(facts, indent=2) + "\n")
    return facts


def _database(alias: str, folder: Path) -> Path:
    if connections[alias].vendor == "sqlite":
        return _sqlite(str(connections[alias].settings_dict["NAME"]), folder / f"{alias}.sqlite3")
    return _postgresql(connections[alias].settings_dict, folder / f"{alias}.dump")


def _sqlite(source: str, target: Path) -> Path:
    """By SQLite's own backup: a copy of the file may be torn while somebody writes."""
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
    target.chmod(0o600)
    return target


def _postgresql(facts: dict[str, Any], target: Path) -> Path:
    program = shutil.which("pg_dump")
    if program is None:
        raise DumpFailed("pg_dump is not here: install postgresql-client of the server's version.")
    login = {"PGHOST": facts["HOST"], "PGPORT": facts["PORT"], "PGUSER": facts["USER"], "PGPASSWORD": facts["PASSWORD"]}
    env = os.environ | {name: str(value) for name, value in login.items() if value}
    command = [program, "--format=custom", f"--file={target}", f"--dbname={facts['NAME']}"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DumpFailed(say("pg_dump failed: {words}", words=done.stderr.strip()[-300:]))
    target.chmod(0o600)
    return target


def _files(folder: Path) -> Path:
    """Uploaded workbooks and activation code files, encrypted as they are. What goes in this moment is left out."""
    target, root = folder / "files.tar", Path(settings.MEDIA_ROOT)
    with tarfile.open(target, "w") as archive:
        for place, _folders, names in os.walk(root):
            for path in (Path(place), *(Path(place, name) for name in sorted(names))):
                with suppress(FileNotFoundError):
                    archive.add(path, arcname=str("files" / path.relative_to(root)), recursive=False)
    target.chmod(0o600)
    return target


def _newest_migrations() -> Iterator[tuple[str, str]]:
    """App and newest migration: what code the tables belong to."""
    yield from sorted(MigrationRecorder(connections["default"]).applied_migrations())


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while block := content.read(MIB):
            digest.update(block)
    return digest.hexdigest()
