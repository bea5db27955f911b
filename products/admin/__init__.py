"""The products' part of the console."""

from products.admin import (
    attention,
    authority,
    certificate_attention,
    code_grant,
    data_center,
    issued_certificate,
    product,
    revocation_attention,
    revocation_list,
)

__all__ = [
    "attention",
    "authority",
    "certificate_attention",
    "code_grant",
    "data_center",
    "issued_certificate",
    "product",
    "revocation_attention",
    "revocation_list",
]
