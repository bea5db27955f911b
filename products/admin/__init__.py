"""The products' part of the console."""

from products.admin import attention, code_grant, data_center, product

__all__ = ["attention", "code_grant", "data_center", "product"]
