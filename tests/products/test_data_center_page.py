"""Data centers in the console."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from products.models import DataCenter
from products.services import data_centers
from tests import cast

pytestmark = pytest.mark.django_db
ADD = {"name": "Frankfurt", "code": "eu-frankfurt", "hosts": "Frankfurt.devices.test:443\n\nfra.devices.test\n", "database": "default"}


@pytest.fixture(autouse=True)
def administrator(client: Client) -> Any:
    cast.home()
    user = cast.administrator()
    client.force_login(user)
    return user


def test_a_data_center_is_added_with_its_host_names(client: Client) -> None:
    client.post(reverse("admin:products_datacenter_add"), ADD)
    center = DataCenter.objects.get(code="eu-frankfurt")
    assert list(center.hosts.values_list("host", flat=True)) == ["fra.devices.test", "frankfurt.devices.test"]
    assert not center.is_home
    data_centers.forget()
    assert data_centers.serving("fra.devices.test") == center


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"hosts": "no host name"}, "hosts"),
        ({"hosts": "shanghai.devices.test"}, "hosts"),
        ({"code": "not a code"}, "code"),
        ({"name": ""}, "name"),
        ({"database": "nowhere"}, "database"),
    ],
)
def test_each_error_names_its_field(client: Client, facts: dict[str, str], field: str) -> None:
    answer = client.post(reverse("admin:products_datacenter_add"), ADD | facts)
    assert list(answer.context["form"].errors) == [field]
    assert DataCenter.objects.count() == 1


def test_it_is_edited_and_made_home(client: Client) -> None:
    center = cast.frankfurt()
    edit = reverse("admin:products_datacenter_edit", args=[center.pk])
    assert "served by the home data center from then on" in client.get(edit).content.decode()
    client.post(edit, ADD | {"name": "Frankfurt am Main", "hosts": "fra.devices.test"})
    client.post(reverse("admin:products_datacenter_make_home", args=[center.pk]))
    center.refresh_from_db()
    assert (center.name, center.is_home) == ("Frankfurt am Main", True)
    assert list(center.hosts.values_list("host", flat=True)) == ["fra.devices.test"]
    assert DataCenter.objects.filter(is_home=True).count() == 1


def test_it_is_never_deleted(client: Client) -> None:
    center = cast.frankfurt()
    assert client.post(reverse("admin:products_datacenter_delete", args=[center.pk]), {"post": "yes"}).status_code == 403
