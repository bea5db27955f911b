"""Sessions as a person sees them."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("console", "0003_api_keys")]

    operations = []
