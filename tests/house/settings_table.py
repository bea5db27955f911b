"""The README's table of settings, written from the fields themselves: `python -m tests.house.settings_table` renews it."""

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from console.environment import BASE_DIR, Environment, is_secret, name_of
from tests.house.source import ROOT

START, END = "<!-- settings: written by `python -m tests.house.settings_table` -->", "<!-- end of settings -->"
README = ROOT / "README.md"


def table() -> str:
    rows = [f"| `{name_of(field, info)}` | {default(info)} | {what(info)} |" for field, info in Environment.model_fields.items()]
    return "\n".join(["| Variable | Default | Meaning |", "|---|---|---|", *rows])


def default(info: FieldInfo) -> str:
    value = info.default
    if is_secret(info) or value in (None, PydanticUndefined, "", ()):
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"`{','.join(value) if isinstance(value, tuple) else str(value).removeprefix(f'{BASE_DIR}/')}`"


def what(info: FieldInfo) -> str:
    secret = " *Secret.*" if is_secret(info) else ""
    return f"{info.description}{secret}".replace("|", "\\|")


def documented(text: str) -> str:
    """What stands between the marks."""
    return text.partition(START)[2].partition(END)[0].strip()


if __name__ == "__main__":
    before, _start, rest = README.read_text().partition(START)
    README.write_text(f"{before}{START}\n\n{table()}\n\n{END}{rest.partition(END)[2]}")
