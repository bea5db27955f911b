"""The products' part of the console."""

from products.admin import code_grant, data_center, product

__all__ = ["code_grant", "data_center", "product"]
