"""Names and habits that the house does not have."""

import re

from tests.house.source import APPS, files, imports, name, python_files

EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "handler", "handlers", "misc"}
DOORS = (
    "django.contrib.admin",
    "django.http",
    "django.shortcuts",
    "django.views",
    "django.forms",
    "rest_framework",
    "celery",
    "import_export",
    "unfold",
)
SIGNALS = ("django.dispatch", "django.db.models.signals", "django.core.signals", "django.contrib.auth.signals")
# Written in two parts, so that this file does not name them.
REGISTRIES = re.compile(
    "|".join(
        ["pypi" + r"\.org", "files" + r"\.pythonhosted", "--(extra-)?" + "index-url", "registry" + r"\.npmjs", "find" + r"-links [/h]"]
    )
)


def test_no_module_is_a_drawer_for_anything() -> None:
    assert not [name(path) for path in python_files(*APPS) if EMPTY_NAMES & {path.stem, *path.parent.parts}]


def test_services_know_no_door() -> None:
    services = [path for path in python_files(*APPS) if "services" in path.parts]
    assert services
    assert not [(name(path), found) for path in services for found in imports(path) if found.startswith(DOORS)]


def test_there_are_no_signals_of_models() -> None:
    assert not [(name(path), found) for path in python_files(*APPS) for found in imports(path) if found.startswith(SIGNALS)]


def test_models_have_no_rules_in_save() -> None:
    from django.apps import apps
    from django.db.models import Model

    assert not [model for model in apps.get_models() if model.__module__.split(".")[0] in APPS and model.save is not Model.save]


def test_no_file_names_a_package_registry() -> None:
    texts = [path for path in files() if path.suffix not in {".png", ".xlsx", ".mo", ".ico", ".woff2"}]
    found = [(name(path), hit.group()) for path in texts if (hit := REGISTRIES.search(path.read_text(errors="replace")))]
    assert not found
