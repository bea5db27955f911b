"""What the web server runs."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")

application = get_wsgi_application()

from console.refusals import refuse_unsafe_start  # noqa: E402  (the settings must be loaded first)

refuse_unsafe_start()
