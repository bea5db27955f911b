"""Products: make, change, publish, withdraw, read the secret, grant activation codes."""

from drf_spectacular.utils import OpenApiExample

from console.rest.endpoints import Call, Endpoint, operation
from console.rest.forms import ReasonForm
from console.rest.paging import PageQuery
from products.api import finding
from products.api.forms import (
    GrantForm,
    GrantRow,
    NewProductForm,
    ProductChange,
    ProductQuery,
    ProductRow,
    ProductSecretShown,
)
from products.models import CodeGrant, Product
from products.services import access, products, supply

TAG = "Products"
VIEW, ADD, CHANGE = "products.view_product", "products.add_product", "products.change_product"
TOASTER = {"name": "Toaster", "wire_protocol": "native", "network_protocol": "mqtt", "device_name_kind": "mac"}


class Products(Endpoint):
    @operation(name="list_products", summary="List products", tag=TAG, permission=VIEW, answer=ProductRow, many=True, query=ProductQuery)
    def get(self, call: Call) -> object:
        found = access.only(Product.objects.all(), call.user, field="pk")
        wanted = {name: call.query[name] for name in ("status", "wire_protocol") if name in call.query}
        if "name" in call.query:
            wanted["name__startswith"] = call.query["name"]
        return found.filter(**wanted)

    @operation(
        name="create_product",
        summary="Make a product",
        tag=TAG,
        permission=ADD,
        body=NewProductForm,
        answer=ProductRow,
        status=201,
        once=True,
        words="It is in development, all switches off. Its ProductSecret is read separately. For those who see every product.",
        examples=(OpenApiExample("A toaster", request_only=True, value=TOASTER),),
    )
    def post(self, call: Call) -> Product:
        finding.require_every_product(call)
        return products.create(products.NewProduct(**call.data), by=call.by, at=call.at)


class OneProduct(Endpoint):
    @operation(name="get_product", summary="A product", tag=TAG, permission=VIEW, answer=ProductRow)
    def get(self, call: Call, key: str) -> Product:
        return finding.product(call, key)

    @operation(
        name="change_product",
        summary="Change a product's facts",
        tag=TAG,
        permission=CHANGE,
        body=ProductChange,
        answer=ProductRow,
        once=True,
        words="The wire protocol, the ProductKey and the ProductSecret stay.",
        examples=(OpenApiExample("A smaller quota", request_only=True, value={"device_quota": 20000}),),
    )
    def patch(self, call: Call, key: str) -> Product:
        return products.change(finding.product(call, key).pk, dict(call.data), by=call.by, at=call.at)


class Publish(Endpoint):
    @operation(name="publish_product", summary="Publish a product", tag=TAG, permission=CHANGE, answer=ProductRow, once=True)
    def post(self, call: Call, key: str) -> Product:
        products.publish(finding.product(call, key).pk, by=call.by, at=call.at)
        return finding.product(call, key)


class Withdraw(Endpoint):
    @operation(
        name="withdraw_product",
        summary="Withdraw a product",
        tag=TAG,
        permission=CHANGE,
        body=ReasonForm,
        answer=ProductRow,
        once=True,
        words="No production and no registration any more; connected devices stay.",
    )
    def post(self, call: Call, key: str) -> Product:
        products.withdraw(finding.product(call, key).pk, reason=call.data["reason"], by=call.by, at=call.at)
        return finding.product(call, key)


class Secret(Endpoint):
    @operation(
        name="reveal_product_secret",
        summary="Read the ProductSecret",
        tag=TAG,
        permission="products.view_productsecret",
        answer=ProductSecretShown,
        guarded=True,
        words="The newest live one. Each reading is audited.",
    )
    def post(self, call: Call, key: str) -> dict[str, str]:
        product = finding.product(call, key)
        return {"product_key": product.key, "product_secret": products.reveal_secret(product, by=call.by, at=call.at)}


class Grants(Endpoint):
    @operation(
        name="list_code_grants",
        summary="List grants of activation codes",
        tag=TAG,
        permission="products.view_codegrant",
        answer=GrantRow,
        many=True,
        query=PageQuery,
    )
    def get(self, call: Call, key: str) -> object:
        return CodeGrant.objects.filter(product=finding.product(call, key)).select_related("product", "granted_by")

    @operation(
        name="grant_codes",
        summary="Grant activation codes",
        tag=TAG,
        permission="products.add_codegrant",
        body=GrantForm,
        answer=GrantRow,
        status=201,
        once=True,
        examples=(OpenApiExample("An order", request_only=True, value={"quantity": 5000, "note": "PO 4711"}),),
    )
    def post(self, call: Call, key: str) -> CodeGrant:
        return supply.grant_codes(finding.product(call, key), **call.data, by=call.by, at=call.at)
