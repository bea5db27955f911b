"""Download codes, and batches undone."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("devices", "0004_serial_numbers")]

    operations = []
