"""Saved filters and chosen columns."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("console", "0005_idempotent_answers")]

    operations = []
