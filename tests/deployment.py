"""Django's deployment checks on a production configuration: `python tests/deployment.py`. Any warning fails."""

import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> int:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NAMEPLATE_", "DJANGO_"))}
    with tempfile.TemporaryDirectory() as folder:
        production = {
            "NAMEPLATE_MODE": "production",
            "NAMEPLATE_DATA_DIR": folder,
            "NAMEPLATE_SECRET_KEY": secrets.token_urlsafe(60),
            "NAMEPLATE_KEY_RING_FILE": str(Path(folder) / "keyring.json"),
            "NAMEPLATE_ALLOWED_HOSTS": "console.example.com",
        }
        made = subprocess.run([sys.executable, "manage.py", "make_key_ring"], env=kept | production, stdout=subprocess.DEVNULL, check=False)
        checked = subprocess.run(
            [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"], env=kept | production, check=False
        )
    return made.returncode or checked.returncode


if __name__ == "__main__":
    sys.exit(main())
