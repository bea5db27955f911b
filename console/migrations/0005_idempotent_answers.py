"""Answers that are given again for the same idempotency key."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("console", "0004_sign_ins")]

    operations = []
