"""People: who may sign in, and what they may do then. Nobody is ever deleted, since the audit and the batches name them."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from console import audit
from console.errors import Conflict, Invalid, NotFound
from console.people import authority, roles, sign_ins
from console.shared.actors import Actor
from products.models import Product, ProductAccess
from products.services import access

PASSWORD_BYTES = 12
FACTS = ("first_name", "last_name", "email")


class NameTaken(Conflict):
    code = "user_name_taken"
    default_message = "Somebody has this user name already."


class NoSecondFactor(Conflict):
    code = "no_second_factor"
    default_message = "This person has no second factor."


class AlreadySo(Conflict):
    code = "already_so"
    default_message = "Somebody else has just done this."


class ReasonNeeded(Invalid):
    code = "reason_needed"
    default_message = "Say why: the reason goes to the audit log."


@dataclass(frozen=True, slots=True)
class Rights:
    """`role`: one of the five, or none. `products`: those that somebody works with whose rights do not show every product."""

    role: str = ""
    groups: Sequence[Group] = ()
    products: Sequence[Product] = ()

    def rows(self) -> list[int]:
        """Primary keys of all its groups, the role's among them."""
        role = list(Group.objects.filter(name=self.role).values_list("pk", flat=True)) if self.role else []
        return [*role, *(group.pk for group in self.groups)]


@dataclass(frozen=True, slots=True)
class NewPerson:
    username: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    rights: Rights = field(default_factory=Rights)


@transaction.atomic
def add(new: NewPerson, *, by: Actor, at: datetime) -> tuple[User, str]:
    """A person with their rights, and the password of their first sign-in, stored nowhere. Raises Invalid, NameTaken or NotYours."""
    person = User(username=User.normalize_username(new.username.strip()), is_staff=True, email=new.email.strip())
    person.first_name, person.last_name = new.first_name.strip(), new.last_name.strip()
    password = _new_password(person)
    try:
        person.clean_fields()
        with transaction.atomic():
            person.save(force_insert=True)
    except ValidationError as error:
        name, words = next(iter(error.message_dict.items()))
        raise Invalid(words[0], field=name) from error
    except IntegrityError as error:
        raise NameTaken(field="username") from error
    _give(person, new.rights, by=by, at=at)
    audit.record("user.add", person, by=by, at=at, after=_rights_in_words(person))
    return person, password


@transaction.atomic
def edit(user_id: int, facts: dict[str, str], *, by: Actor, at: datetime) -> None:
    """Name and mail address, also one's own. Raises NotFound or BeyondYourRights."""
    person = _locked(user_id)
    authority.need_authority(by, person, over_oneself=True)
    before = {name: getattr(person, name) for name in FACTS if getattr(person, name) != facts[name].strip()}
    if before:
        changed = {name: facts[name].strip() for name in before}
        User.objects.filter(pk=person.pk).update(**changed)
        audit.record("user.edit", person, by=by, at=at, before=before, after=changed)


@transaction.atomic
def set_rights(user_id: int, rights: Rights, *, by: Actor, at: datetime) -> None:
    """One role, further groups and products in place of those before. Raises OwnRights, BeyondYourRights, NotYours or LastAdministrator."""
    authority.lock_administrators()
    person = _locked(user_id)
    authority.need_authority(by, person)
    before = _rights_in_words(person)
    _give(person, rights, by=by, at=at)
    authority.need_an_administrator()
    after = _rights_in_words(person)
    if before != after:
        audit.record("user.rights", person, by=by, at=at, before=before, after=after)


@transaction.atomic
def disable(user_id: int, *, reason: str, by: Actor, at: datetime) -> None:
    """They are signed out at their next click. Raises ReasonNeeded, OwnRights, BeyondYourRights, LastAdministrator or AlreadySo."""
    authority.lock_administrators()
    _switch(user_id, active=False, reason=_needed(reason), by=by, at=at)
    authority.need_an_administrator()


@transaction.atomic
def enable(user_id: int, *, by: Actor, at: datetime) -> None:
    """Raises OwnRights, BeyondYourRights or AlreadySo."""
    _switch(user_id, active=True, reason="", by=by, at=at)


@transaction.atomic
def renew_password(user_id: int, *, reason: str, by: Actor, at: datetime) -> str:
    """A new one, told once; every session of the person ends. Raises ReasonNeeded, OwnRights or BeyondYourRights."""
    person = _locked(user_id)
    authority.need_authority(by, person)
    password = _new_password(person)
    User.objects.filter(pk=person.pk).update(password=person.password)
    audit.record("user.renew_password", person, by=by, at=at, reason=_needed(reason))
    sign_ins.end_all(person, by=by, at=at)
    return password


@transaction.atomic
def end_sessions(user_id: int, *, by: Actor, at: datetime) -> int:
    """Wherever the person is signed in, they are out at their next click. Raises OwnRights or BeyondYourRights."""
    person = _locked(user_id)
    authority.need_authority(by, person)
    return sign_ins.end_all(person, by=by, at=at)


@transaction.atomic
def remove_second_factor(user_id: int, *, reason: str, by: Actor, at: datetime) -> None:
    """For somebody who lost their phone: the authenticator app and the recovery codes. Raises NoSecondFactor or as `disable`."""
    person = _locked(user_id)
    authority.need_authority(by, person)
    apps, _kinds = TOTPDevice.objects.filter(user=person).delete()
    codes, _kinds = StaticDevice.objects.filter(user=person).delete()
    if not apps and not codes:
        raise NoSecondFactor
    audit.record("user.remove_second_factor", person, by=by, at=at, reason=_needed(reason))


def has_second_factor(person: Any) -> bool:
    """An authenticator app or recovery codes that count."""
    return any(kind.objects.filter(user=person, confirmed=True).exists() for kind in (TOTPDevice, StaticDevice))


def role_of(person: Any) -> str:
    """One of the five, or nothing."""
    return next((group.name for group in person.groups.all() if group.name in roles.ROLES), "")


def _give(person: User, rights: Rights, *, by: Actor, at: datetime) -> None:
    """What was there already may stay, whoever gave it."""
    wanted = Group.objects.filter(pk__in=rights.rows())
    authority.need_to_hold(by, authority.rights_of_groups(wanted.exclude(user=person)))
    person.groups.set(wanted)
    access.choose(person, rights.products, by=by, at=at)


def _switch(user_id: int, *, active: bool, reason: str, by: Actor, at: datetime) -> None:
    person = _locked(user_id)
    authority.need_authority(by, person)
    if not User.objects.filter(pk=person.pk, is_active=not active).update(is_active=active):
        raise AlreadySo
    audit.record("user.enable" if active else "user.disable", person, by=by, at=at, reason=reason)
    if not active:
        sign_ins.end_all(person, by=by, at=at)


def _rights_in_words(person: User) -> dict[str, object]:
    names = sorted(person.groups.values_list("name", flat=True))
    role = next((name for name in names if name in roles.ROLES), "")
    return {"role": role, "groups": [name for name in names if name != role]}


def _new_password(person: User) -> str:
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    person.set_password(password)
    return password


def _needed(reason: str) -> str:
    if not reason.strip():
        raise ReasonNeeded(field="reason")
    return reason.strip()


def _locked(user_id: int) -> User:
    person = User.objects.select_for_update().filter(pk=user_id).first()
    if person is None:
        raise NotFound
    return person


def chosen_products(person: Any) -> list[Product]:
    return [row.product for row in ProductAccess.objects.filter(user=person).select_related("product").order_by("product__name")]
