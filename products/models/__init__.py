"""What may be made, where, how many."""

from products.models.access import ProductAccess
from products.models.authority import AuthorityProduct, AuthorityState, CertificateAuthority, CertificatePolicy, IdentitySource
from products.models.broker import GATEWAYS, Broker, BrokerKind
from products.models.code_grant import CodeGrant
from products.models.data_center import DataCenter, DataCenterHost
from products.models.issuing import DeviceKeyKind, IssuedCertificate, IssuingCA, IssuingKind, RevocationReason
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
from products.models.revocation import PublishedList, RevocationList, RevocationNews, RevocationSource, RevokedSerial

__all__ = [
    "GATEWAYS",
    "AuthorityProduct",
    "AuthorityState",
    "Broker",
    "BrokerKind",
    "CertificateAuthority",
    "CertificatePolicy",
    "CodeGrant",
    "DataCenter",
    "DataCenterHost",
    "DeviceKeyKind",
    "DeviceNameKind",
    "FlashingMethod",
    "IdentitySource",
    "IssuedCertificate",
    "IssuingCA",
    "IssuingKind",
    "NetworkProtocol",
    "Product",
    "ProductAccess",
    "ProductSecret",
    "ProductStatus",
    "PublishedList",
    "Reregistration",
    "RevocationList",
    "RevocationNews",
    "RevocationReason",
    "RevocationSource",
    "RevokedSerial",
    "WireProtocol",
]
