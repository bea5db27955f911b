"""Groups: sets of permissions. Five of them are the roles, whose names stay."""

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError, transaction

from console import audit
from console.errors import Conflict, NotFound
from console.people import authority, permissions, roles
from console.shared.actors import Actor


class GroupNameTaken(Conflict):
    code = "group_name_taken"
    default_message = "There is a group of this name already."


class RoleStays(Conflict):
    code = "role_stays"
    default_message = "The five roles keep their names and cannot be deleted. What they may do can be changed."


@transaction.atomic
def add(name: str, given: Sequence[Permission], *, by: Actor, at: datetime) -> Group:
    """Raises GroupNameTaken or NotYours."""
    names = frozenset(permissions.name_of(permission) for permission in given)
    authority.need_to_hold(by, names)
    group = Group(name=name.strip())
    _stored(group)
    group.permissions.set(given)
    audit.record("group.add", group, by=by, at=at, after={"permissions": sorted(names)})
    return group


@transaction.atomic
def change(group_id: int, name: str, given: Sequence[Permission], *, by: Actor, at: datetime) -> None:
    """Its name and permissions. Raises NotFound, RoleStays, GroupNameTaken, OwnRights, NotYours or BeyondYourRights."""
    group = _locked(group_id, by)
    if group.name in roles.ROLES and name.strip() != group.name:
        raise RoleStays(field="name")
    old_name, before = group.name, roles.held_by(group)
    after = frozenset(permissions.name_of(permission) for permission in given)
    authority.need_to_hold(by, after ^ before)
    group.name = name.strip()
    _stored(group)
    group.permissions.set(given)
    if (old_name, before) != (group.name, after):
        facts = {"name": old_name, "permissions": sorted(before - after)}
        audit.record("group.change", group, by=by, at=at, before=facts, after={"name": group.name, "permissions": sorted(after - before)})


@transaction.atomic
def remove(group_id: int, *, reason: str, by: Actor, at: datetime) -> None:
    """Its people lose what they had by it alone. Raises NotFound, RoleStays, OwnRights or NotYours."""
    group = _locked(group_id, by)
    if group.name in roles.ROLES:
        raise RoleStays
    before = roles.held_by(group)
    authority.need_to_hold(by, before)
    facts = {"permissions": sorted(before), "people": sorted(group.user_set.values_list("username", flat=True))}
    audit.record("group.delete", group, by=by, at=at, before=facts, reason=reason)
    group.delete()


def is_own(group: Group, user_id: int | None) -> bool:
    return user_id is not None and group.user_set.filter(pk=user_id, is_superuser=False).exists()


def _locked(group_id: int, by: Actor) -> Group:
    """Raises OwnRights for a group that the person is in: what it may do, they may do."""
    group = Group.objects.select_for_update().filter(pk=group_id).first()
    if group is None:
        raise NotFound
    if is_own(group, by.user_id):
        raise authority.OwnRights
    return group


def _stored(group: Group) -> None:
    try:
        with transaction.atomic():
            group.save(update_fields=["name"] if group.pk else None)
    except IntegrityError as error:
        raise GroupNameTaken(field="name") from error
