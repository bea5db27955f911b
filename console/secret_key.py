"""Django's secret key: given, or made once in the data folder, so that a first start needs nothing and sessions outlive a restart."""

import os
import secrets
from pathlib import Path

from console.environment import Environment


def secret_key(environment: Environment) -> str:
    """The key; empty in production when none is given, and then nothing starts."""
    given = environment.secret_key.get_secret_value()
    if given or environment.production:
        return given or "unset-and-refused"
    return _kept_in(environment.data_dir / "secret_key")


def _kept_in(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except FileNotFoundError:
        return _make(file)


def _make(file: Path) -> str:
    """Two processes may start at once: whoever links the file first decides, and both read that one."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(secrets.token_urlsafe(48))
    try:
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return file.read_text(encoding="ascii")
