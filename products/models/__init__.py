"""What may be made, where, how many."""

from products.models.access import ProductAccess
from products.models.broker import Broker, BrokerKind
from products.models.code_grant import CodeGrant
from products.models.data_center import DataCenter, DataCenterHost
from products.models.product import (
    DeviceNameKind,
    FlashingMethod,
    NetworkProtocol,
    Product,
    ProductSecret,
    ProductStatus,
    Reregistration,
    WireProtocol,
)

__all__ = [
    "Broker",
    "BrokerKind",
    "CodeGrant",
    "DataCenter",
    "DataCenterHost",
    "DeviceNameKind",
    "FlashingMethod",
    "NetworkProtocol",
    "Product",
    "ProductAccess",
    "ProductSecret",
    "ProductStatus",
    "Reregistration",
    "WireProtocol",
]
