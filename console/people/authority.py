"""Who may change whom: nobody hands out what they have not, touches a person who may do more, or changes their own rights."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Q, QuerySet

from console.errors import Conflict, Forbidden
from console.people import permissions, roles
from console.shared.actors import Actor


class BeyondYourRights(Forbidden):
    code = "beyond_your_rights"
    default_message = "This person may do something that you may not. Ask somebody who may do it all."


class NotYours(Forbidden):
    code = "not_yours_to_give"
    default_message = "You can only hand out what you may do yourself."


class OwnRights(Forbidden):
    code = "own_rights"
    default_message = "Nobody changes their own rights. Ask another administrator."


class LastAdministrator(Conflict):
    code = "last_administrator"
    default_message = "This is the last administrator. Make somebody else one first."


def may_touch(giver: Any, person: Any) -> bool:
    """Whether `giver` may change this person at all. A superuser is touched by superusers alone."""
    if giver.is_superuser:
        return True
    return not person.is_superuser and rights_of(person) <= giver.get_all_permissions()


def need_authority(by: Actor, person: User, *, over_oneself: bool = False) -> None:
    """Raises OwnRights or BeyondYourRights. The system may do everything."""
    if by.user_id is None:
        return
    if by.user_id == person.pk and not over_oneself:
        raise OwnRights
    if by.user_id != person.pk and not may_touch(_person(by), person):
        raise BeyondYourRights


def need_to_hold(by: Actor, given: frozenset[str]) -> None:
    """Raises NotYours where some of these permissions are not the giver's own."""
    if by.user_id is not None and not given <= _person(by).get_all_permissions():
        raise NotYours(field="role")


def rights_of(person: Any) -> frozenset[str]:
    """Every permission that the person has when enabled."""
    groups = Q(group__user=person) | Q(user=person)
    found = Permission.objects.filter(groups).select_related("content_type").distinct()
    return frozenset(permissions.name_of(permission) for permission in found)


def rights_of_groups(groups: QuerySet[Group]) -> frozenset[str]:
    found = Permission.objects.filter(group__in=groups).select_related("content_type").distinct()
    return frozenset(permissions.name_of(permission) for permission in found)


def administrators() -> QuerySet[User]:
    """Everybody who can manage people now: superusers and those of the role."""
    holders = User.groups.through.objects.filter(group__name=roles.ADMINISTRATOR).values("user_id")
    return User.objects.filter(is_active=True, is_staff=True).filter(Q(is_superuser=True) | Q(pk__in=holders))


def lock_administrators() -> None:
    """So that two of them do not take each other's role at the same moment; locks their rows in the order of their keys."""
    list(administrators().order_by("pk").select_for_update().values_list("pk", flat=True))


def need_an_administrator() -> None:
    """At the end of what may have taken the last one. Raises LastAdministrator."""
    if not administrators().exists():
        raise LastAdministrator


def _person(by: Actor) -> Any:
    people: Any = get_user_model()._default_manager
    return people.get(pk=by.user_id)
