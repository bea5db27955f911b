"""What the first start makes: folders, tables, administrator, home data center. Each step finds what is there and leaves it alone."""

import secrets
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import transaction

from console.errors import Conflict
from console.jobs import job_folders
from console.shared import keyring
from console.shared.actors import SYSTEM
from console.words import say
from devices.models import ReceiptKey
from devices.services import receipt_chain
from products.models import DataCenter, ProductSecret
from products.services import data_centers

ADMINISTRATOR = "admin"


class KeyRingLost(Conflict):
    """There are sealed secrets and no key ring."""

    code = "key_ring_lost"


def make_folders() -> None:
    """The data folder and those in it, for this user alone."""
    for folder in (settings.DATA_DIR, Path(settings.MEDIA_ROOT), *job_folders(settings.DATA_DIR)):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def make_tables() -> None:
    for alias in settings.DATABASES:
        call_command("migrate", database=alias, interactive=False, verbosity=0)


def make_key_ring() -> bool:
    """True if it was made now. Raises KeyRingLost where the tables hold secrets that no new ring would open."""
    file = keyring.path()
    if file is not None and not file.exists() and (ProductSecret.objects.exists() or ReceiptKey.objects.exists()):
        words = (
            "The key ring {file} is missing, but the database holds secrets sealed with it. "
            "Put its copy back: a new one would open none of them."
        )
        raise KeyRingLost(say(words, file=file))
    return keyring.make_if_missing()


@transaction.atomic
def make_administrator() -> str:
    """The generated password, or nothing if anybody can sign in already. It is stored nowhere but as Django's hash."""
    users = get_user_model()._default_manager
    if users.filter(is_superuser=True).exists():
        return ""
    password = secrets.token_urlsafe(12)
    get_user_model().objects.create_superuser(ADMINISTRATOR, "", password)
    return password


def make_home(*, at: datetime) -> None:
    """A data center for all hosts that no other one claims."""
    if not DataCenter.objects.filter(is_home=True).exists():
        data_centers.save(DataCenter(is_home=True), code="home", name="Main", database="default", hosts=[], by=SYSTEM, at=at)


def make_receipt_key(*, at: datetime) -> None:
    """The key that signs receipts is there before the first one, so that its public half can be handed over in time."""
    receipt_chain.make_first_key(at=at)
