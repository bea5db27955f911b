"""The five roles that a console starts with: one line for each permission, one column for each role.

A role is a group of Django's. It is made when it is missing, and from then on an administrator may change it; `restore` brings it back.
A permission without a line fails a test, so that nobody forgets to say who holds a new one.
"""

from datetime import datetime

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from console import audit
from console.people import permissions
from console.shared.actors import Actor

ADMINISTRATOR = "Administrator"
ROLES = ("Viewer", "Operator", "Production", "Security", ADMINISTRATOR)
_TABLE = """
                                        Viewer  Operator  Production  Security  Administrator
products.see_every_product                 x        x          .          x           x
products.view_product                      x        x          .          x           x
products.add_product                       .        x          .          .           x
products.change_product                    .        x          .          .           x
products.view_productsecret                .        .          .          x           x
products.view_codegrant                    x        x          .          x           x
products.add_codegrant                     .        x          .          .           x
products.view_datacenter                   x        x          .          x           x
products.add_datacenter                    .        .          .          .           x
products.change_datacenter                 .        .          .          .           x
products.view_broker                       x        x          .          x           x
products.add_broker                        .        .          .          .           x
products.change_broker                     .        .          .          .           x
products.delete_broker                     .        .          .          .           x
products.reveal_hook_secret                .        .          .          x           x
products.view_certificateauthority         x        x          .          x           x
products.add_certificateauthority          .        .          .          x           x
products.change_certificateauthority       .        .          .          x           x
products.delete_certificateauthority       .        .          .          x           x
products.accept_without_proof              .        .          .          .           x
products.view_issuingca                    x        x          .          x           x
products.change_issuingca                  .        .          .          x           x
products.view_issuedcertificate            x        x          .          x           x
products.revoke_issuedcertificate          .        .          .          x           x

devices.view_preimporteddevice             x        x          .          x           x
devices.add_preimporteddevice              .        x          .          .           x
devices.change_preimporteddevice           .        x          .          .           x
devices.delete_preimporteddevice           .        x          .          .           x
devices.view_upload                        x        x          .          x           x
devices.view_batch                         x        x          x          x           x
devices.add_batch                          .        x          .          .           x
devices.cancel_batch                       .        x          .          .           x
devices.undo_batch                         .        x          .          .           x
devices.download_activation_codes          .        .          x          x           x
devices.view_receipt                       x        x          x          x           x
devices.view_receiptkey                    x        x          x          x           x
devices.rotate_receiptkey                  .        .          .          x           x
devices.view_downloadcode                  x        x          .          x           x
devices.add_downloadcode                   .        .          .          x           x
devices.delete_downloadcode                .        .          .          x           x
devices.view_macpool                       x        x          .          x           x
devices.add_macpool                        .        x          .          .           x
devices.delete_macpool                     .        x          .          .           x
devices.view_serialnumberrun               x        x          x          x           x
devices.add_serialnumberrun                .        x          .          .           x
devices.cancel_serialnumberrun             .        x          .          .           x
devices.download_serialnumbers             .        x          x          .           x
devices.bind_serialnumber                  .        x          x          .           x
devices.view_device                        x        x          .          x           x
devices.change_device                      .        x          .          .           x
devices.delete_device                      .        x          .          .           x
devices.reset_device                       .        .          .          x           x
devices.switch_client_id                   .        .          .          x           x
devices.change_pin                         .        .          .          x           x
devices.revoke_device_certificate          .        .          .          x           x
devices.reveal_device_secret               .        .          .          x           x

registration.view_devicelogentry           x        x          .          x           x

console.view_auditentry                    .        .          .          x           x
console.view_apikey                        .        .          .          x           x
console.add_apikey                         .        .          .          x           x
console.delete_apikey                      .        .          .          x           x
auth.view_user                             .        .          .          .           x
auth.add_user                              .        .          .          .           x
auth.change_user                           .        .          .          .           x
auth.view_group                            .        .          .          .           x
auth.add_group                             .        .          .          .           x
auth.change_group                          .        .          .          .           x
auth.delete_group                          .        .          .          .           x
"""


def table() -> dict[str, frozenset[str]]:
    """The roles that hold each permission ("app.codename")."""
    lines = (line.split() for line in _TABLE.splitlines() if line and not line.startswith(" "))
    return {name: frozenset(role for role, mark in zip(ROLES, marks, strict=True) if mark == "x") for name, *marks in lines}


def permissions_of(role: str) -> frozenset[str]:
    return frozenset(name for name, roles in table().items() if role in roles)


@transaction.atomic
def make_missing(*, by: Actor, at: datetime) -> list[str]:
    """The roles that were made now. One that exists is left as it is."""
    there = set(Group.objects.filter(name__in=ROLES).values_list("name", flat=True))
    missing = [role for role in ROLES if role not in there]
    for role in missing:
        group = Group.objects.create(name=role)
        group.permissions.set(_rows(role))
        audit.record("group.add", group, by=by, at=at, after={"permissions": sorted(permissions_of(role))})
    return missing


@transaction.atomic
def restore(*, by: Actor, at: datetime) -> list[str]:
    """Every role as the table has it; returns those that were made or changed."""
    changed = make_missing(by=by, at=at)
    for group in Group.objects.filter(name__in=ROLES).order_by("pk").select_for_update():
        before, after = held_by(group), permissions_of(group.name)
        if before != after:
            group.permissions.set(_rows(group.name))
            gone, new = {"permissions": sorted(before - after)}, {"permissions": sorted(after - before)}
            audit.record("group.restore", group, by=by, at=at, before=gone, after=new)
            changed.append(group.name)
    return changed


def held_by(group: Group) -> frozenset[str]:
    return frozenset(permissions.name_of(permission) for permission in group.permissions.select_related("content_type"))


def _rows(role: str) -> list[Permission]:
    wanted = permissions_of(role)
    return [permission for permission in permissions.grantable() if permissions.name_of(permission) in wanted]
