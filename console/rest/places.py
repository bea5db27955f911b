"""What stands for a row in an address: the words that the field uses, or a number."""

from django.urls import register_converter
from django.urls.converters import IntConverter

from console.rest.document import NUMBER, WORD


class Word:
    """A ProductKey, the code of a data center, the name of a format."""

    regex = WORD

    def to_python(self, value: str) -> str:
        return value

    to_url = to_python


class Number(IntConverter):
    regex = NUMBER


register_converter(Word, "word")
register_converter(Number, "number")
