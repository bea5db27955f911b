"""The console's own settings, in a data folder that is thrown away. DATABASE_URL and REDIS_URL decide on what the tests run."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

for name in [name for name in os.environ if name.startswith("NAMEPLATE_")]:
    del os.environ[name]
_folder = Path(tempfile.mkdtemp(prefix="nameplate-test-"))
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ["NAMEPLATE_DATA_DIR"] = str(_folder)
os.environ["NAMEPLATE_LOG_LEVEL"] = "WARNING"
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright keeps an event loop in the thread of the tests.

_process = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
if _process and os.environ.get("REDIS_URL"):
    # Each test process has a broker of its own, or one's worker would take the other's messages.
    os.environ["REDIS_URL"] = f"{os.environ['REDIS_URL'].rpartition('/')[0]}/{int(_process) + 1}"

from console.crypto import sealing  # noqa: E402
from console.jobs import job_folders  # noqa: E402
from console.settings import *  # noqa: E402, F403

NAMEPLATE_KEY_RING_FILE.write_text(sealing.new_ring().dump())  # noqa: F405
for _jobs in (STATIC_ROOT, *job_folders(_folder)):  # noqa: F405
    _jobs.mkdir(parents=True)

for _alias in DATABASES.values():  # noqa: F405
    if _alias["ENGINE"].endswith("sqlite3"):
        # In a file, since the running server and other threads must see it too.
        _alias["TEST"] = {"NAME": str(_folder / "test.sqlite3")}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}  # noqa: F405
WHITENOISE_AUTOREFRESH = True
"""Each test client would look through all static files otherwise; a real server does so once."""
NAMEPLATE_RECORD_AT_ONCE = True
