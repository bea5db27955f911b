"""What the web server runs."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")

_django = get_wsgi_application()

import console.urls  # noqa: E402, F401  (loads every page once, before the web processes are forked; the settings must be there first)
from console.doors import Doors  # noqa: E402
from console.refusals import refuse_unsafe_start  # noqa: E402
from registration.api.device_urls import VIEWS  # noqa: E402

application = Doors(_django, VIEWS)

refuse_unsafe_start()
