"""How the tests of the pages go about: who is signed in, what is posted where."""

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from devices.models import PreImportedDevice, Upload
from products.models import Product
from tests import cast

LIST = "/devices/preimporteddevice/"
IMPORT, EXPORT = f"{LIST}import/", f"{LIST}export/"


def boss() -> Client:
    client = Client()
    client.force_login(cast.administrator())
    return client


def staff(*permissions: str) -> Client:
    user = get_user_model().objects.create_user("sam", password=cast.PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=[*permissions, "see_every_product"]))
    client = Client()
    client.force_login(user)
    return client


def page(row: PreImportedDevice | Upload) -> str:
    return reverse(f"admin:devices_{row._meta.model_name}_change", args=[row.pk])


def act(client: Client, row: PreImportedDevice | Upload, action: str, **data: str) -> object:
    return client.post(reverse(f"admin:devices_{row._meta.model_name}_{action}", args=[row.pk]), data, follow=True)


def send(client: Client, product: Product, data: bytes, name: str = "list.xlsx") -> object:
    return client.post(IMPORT, {"product": product.pk, "authentication": "", "import_file": SimpleUploadedFile(name, data)}, follow=True)
