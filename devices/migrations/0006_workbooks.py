"""What a checked workbook keeps."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("devices", "0005_download_codes")]

    operations = []
