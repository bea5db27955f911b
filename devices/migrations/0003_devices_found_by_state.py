"""The lists of activated and of disabled devices, and who may read DeviceSecrets."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0002_batch_files_made_by_jobs"),
        ("products", "0001_initial"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="device",
            options={
                "ordering": ["-id"],
                "permissions": [("reveal_device_secret", "Can read DeviceSecrets")],
                "verbose_name": "device",
                "verbose_name_plural": "devices",
            },
        ),
        migrations.AddIndex(
            model_name="device",
            index=models.Index(
                condition=models.Q(("activated_at__isnull", False)), fields=["data_center", "activated_at"], name="device_activated"
            ),
        ),
        migrations.AddIndex(
            model_name="device",
            index=models.Index(condition=models.Q(("enabled", False)), fields=["data_center", "id"], name="device_disabled"),
        ),
    ]
