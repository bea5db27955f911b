"""The search of the pre-import list goes by the beginning of a DeviceName too."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("devices", "0004_device_names_found_by_prefix")]

    operations = [
        migrations.RemoveIndex(model_name="preimporteddevice", name="pre_import_name"),
        migrations.AddIndex(
            model_name="preimporteddevice",
            index=models.Index(fields=["device_name"], name="pre_import_name", opclasses=["varchar_pattern_ops"]),
        ),
    ]
