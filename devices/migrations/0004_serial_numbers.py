"""Generated serial numbers."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("devices", "0003_reset_and_undo")]

    operations = []
