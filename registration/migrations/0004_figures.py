"""Registrations and refusals by the hour."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("registration", "0003_connections")]

    operations = []
