"""The search of the device lists goes by the beginning of a DeviceName, which PostgreSQL's collated index cannot answer."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("devices", "0003_devices_found_by_state")]

    operations = [
        migrations.RemoveIndex(model_name="device", name="device_by_name"),
        migrations.AddIndex(
            model_name="device",
            index=models.Index(
                fields=["data_center", "device_name"], name="device_by_name", opclasses=["int8_ops", "varchar_pattern_ops"]
            ),
        ),
    ]
