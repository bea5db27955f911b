"""The search of the whole console, by keyboard from every page: a name, an SN, a MAC address, a batch, a key, a fingerprint.

Every question is answered by an index, exactly or by a beginning, and reads a handful of rows: half a million devices cost what fifty do.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from unfold.dataclasses import SearchResult

from console.crypto.certificates import fingerprints
from console.navigation import sections
from devices.admin.device import device_key
from devices.models import Batch, ClientIdentity, Device, MacPool, PreImportedDevice, SerialNumber
from products.models import CertificateAuthority, DataCenter, IssuedCertificate, Product
from products.services import access

A_FEW: Final = 6
"""Of each kind."""
SHORTEST: Final = 2
"""Characters; one letter is the beginning of half the fleet."""


class Finder(NamedTuple):
    """`permission`: who may find such things."""

    permission: str
    find: Callable[[Any, str], Iterator[SearchResult]]


def find(request: Any, text: str) -> list[SearchResult]:
    """What the person may see that is called so, the most exact kinds first."""
    text = text.strip()
    if len(text) < SHORTEST:
        return []
    found = [result for finder in FINDERS if request.user.has_perm(finder.permission) for result in finder.find(request.user, text)]
    return [*found, *_places(request, text)]


def _places(request: Any, text: str) -> Iterator[SearchResult]:
    for place in (item for section in sections(request) for item in section["items"]):
        if text.casefold() in str(place["title"]).casefold():
            yield SearchResult(str(place["title"]), _("Page"), str(place["link"]), place["icon"])


def _batches(user: Any, text: str) -> Iterator[SearchResult]:
    """B000017, or its bare number."""
    digits = text[1:] if text[:1] in "bB" else text
    if not digits.isdecimal() or len(digits) > 18:
        return
    for batch in access.only(Batch.objects.select_related("product").filter(pk=int(digits)), user):
        yield SearchResult(batch.number, _("Production batch of {product}").format(product=batch.product.name), _page(batch), "inventory_2")


def _products(user: Any, text: str) -> Iterator[SearchResult]:
    """Some hundreds of rows: searched anywhere in the name."""
    rows = access.only(Product.objects.all(), user, field="pk").filter(Q(key__istartswith=text) | Q(name__icontains=text))
    for product in rows.order_by("name")[:A_FEW]:
        yield SearchResult(product.name, _("Product {key}").format(key=product.key), _page(product), "category")


def _rows(user: Any, text: str) -> Iterator[SearchResult]:
    rows = access.only(PreImportedDevice.objects.matching(text), user).select_related("product").order_by()
    for row in rows[:A_FEW]:
        words = _with_sn(_("Pre-import list, {product}").format(product=row.product.name), row.sn)
        yield SearchResult(row.device_name, words, _page(row), "playlist_add_check")


def _devices(user: Any, text: str) -> Iterator[SearchResult]:
    names = dict(access.only(Product.objects.all(), user, field="pk").values_list("pk", "name"))
    for center in DataCenter.objects.all():
        for device in access.only(Device.objects.at(center).matching(text), user).order_by()[:A_FEW]:
            words = _("Device in {center}, {product}").format(center=center.name, product=names.get(device.product_id, ""))
            yield SearchResult(device.device_name, _with_sn(words, device.sn), _device_page(device, center), "developer_board")


def _client_ids(user: Any, text: str) -> Iterator[SearchResult]:
    for center in DataCenter.objects.all():
        rows = ClientIdentity.objects.using(center.database).filter(client_id=text, device__data_center_id=center.pk)
        for identity in rows.select_related("device"):
            if access.may_see(user, identity.device.product_id):
                words = _("ClientID of {name} in {center}").format(name=identity.device.device_name, center=center.name)
                yield SearchResult(identity.client_id, words, _device_page(identity.device, center), "fingerprint")


def _issued(user: Any, text: str) -> Iterator[SearchResult]:
    """By SHA-256, also one that its device presents no more."""
    digits = fingerprints.read(text)
    rows = IssuedCertificate.objects.filter(sha256=digits) if digits else IssuedCertificate.objects.none()
    for certificate in access.only(rows, user).select_related("product").order_by()[:A_FEW]:
        words = _("Issued certificate, {product}").format(product=certificate.product.name)
        yield SearchResult(certificate.device_name, words, _page(certificate), "workspace_premium")


def _serial_numbers(user: Any, text: str) -> Iterator[SearchResult]:
    rows = access.only(SerialNumber.objects.filter(sn__startswith=text.upper()), user).select_related("product").order_by()
    for number in rows[:A_FEW]:
        bound = _("on {name}").format(name=number.device_name) if number.device_name else _("free")
        words = _("Generated SN of {product}, {state}").format(product=number.product.name, state=bound)
        yield SearchResult(number.sn, words, reverse("admin:devices_serialnumberrun_change", args=[number.run_id]), "qr_code_2")


def _pools(user: Any, text: str) -> Iterator[SearchResult]:
    for pool in MacPool.objects.filter(name__icontains=text)[:A_FEW]:
        yield SearchResult(pool.name, _("MAC pool"), _page(pool), "tag")


def _centers(user: Any, text: str) -> Iterator[SearchResult]:
    called = Q(name__icontains=text) | Q(code__istartswith=text) | Q(hosts__host__istartswith=text)
    for center in DataCenter.objects.filter(called).distinct()[:A_FEW]:
        yield SearchResult(center.name, _("Data center"), _page(center), "dns")


def _authorities(user: Any, text: str) -> Iterator[SearchResult]:
    """By name, subject, or the beginning of a fingerprint, with or without colons."""
    if not access.sees_every_product(user):
        return
    found = CertificateAuthority.objects.filter(Q(name__icontains=text) | Q(subject__icontains=text))
    digits = fingerprints.beginning(text)
    for authority in (found | CertificateAuthority.objects.with_fingerprint(digits) if digits else found)[:A_FEW]:
        yield SearchResult(authority.name, _("CA certificate"), _page(authority), "verified_user")


def _people(user: Any, text: str) -> Iterator[SearchResult]:
    for person in get_user_model()._default_manager.filter(username__istartswith=text)[:A_FEW]:
        yield SearchResult(person.get_username(), _("User"), _page(person), "group")


def _with_sn(words: str, sn: str | None) -> str:
    return f"{words} · SN {sn}" if sn else words


def _device_page(device: Device, center: DataCenter) -> str:
    device.data_center = center
    return reverse("admin:devices_device_change", args=[device_key(device)])


def _page(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


FINDERS: tuple[Finder, ...] = (
    Finder("devices.view_batch", _batches),
    Finder("products.view_product", _products),
    Finder("devices.view_device", _devices),
    Finder("devices.view_preimporteddevice", _rows),
    Finder("devices.view_device", _client_ids),
    Finder("products.view_issuedcertificate", _issued),
    Finder("devices.view_serialnumberrun", _serial_numbers),
    Finder("devices.view_macpool", _pools),
    Finder("products.view_datacenter", _centers),
    Finder("products.view_certificateauthority", _authorities),
    Finder("auth.view_user", _people),
)
