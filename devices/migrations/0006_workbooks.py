"""What a checked workbook keeps: who brought it, what its duplicates mean, and the workbook with its bad cells marked."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

STATES = [("queued", "Queued"), ("running", "Running"), ("done", "Done"), ("failed", "Failed"), ("cancelled", "Cancelled")]
DUPLICATES = [("stop", "Stop: they are bad rows"), ("skip", "Skip: they are left out")]


class Migration(migrations.Migration):
    dependencies = [("devices", "0005_download_codes"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.AddField(
            model_name="upload",
            name="duplicates",
            field=models.CharField(choices=DUPLICATES, default="stop", max_length=4, verbose_name="DeviceNames in the list already"),
        ),
        migrations.AddField(
            model_name="upload",
            name="received_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="uploaded"),
        ),
        migrations.AddField(
            model_name="upload",
            name="received_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="uploaded by",
            ),
        ),
        migrations.AddField(
            model_name="upload",
            name="skipped_rows",
            field=models.PositiveIntegerField(default=0, verbose_name="rows left out"),
        ),
        migrations.AddIndex(model_name="upload", index=models.Index(fields=["sha256"], name="upload_sha256")),
        migrations.CreateModel(
            name="MarkedWorkbook",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("state", models.CharField(choices=STATES, default="queued", max_length=12, verbose_name="state")),
                ("attempt", models.PositiveIntegerField(default=0, editable=False)),
                ("heartbeat_at", models.DateTimeField(editable=False, null=True)),
                ("requested_at", models.DateTimeField(verbose_name="requested")),
                ("started_at", models.DateTimeField(blank=True, null=True, verbose_name="started")),
                ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="ended")),
                ("total", models.PositiveIntegerField(default=0, verbose_name="rows")),
                ("done", models.PositiveIntegerField(default=0, verbose_name="rows done")),
                ("cancel_requested", models.BooleanField(default=False, editable=False)),
                ("failure", models.TextField(blank=True, verbose_name="failure")),
                ("findings", models.CharField(max_length=40)),
                ("language", models.CharField(max_length=16)),
                ("path", models.CharField(blank=True, max_length=200)),
                ("size", models.BigIntegerField(default=0, verbose_name="size in bytes")),
                ("sha256", models.CharField(blank=True, max_length=64, verbose_name="SHA-256")),
                ("downloads", models.PositiveIntegerField(default=0, verbose_name="downloads")),
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="requested by",
                    ),
                ),
                (
                    "upload",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="marked",
                        to="devices.upload",
                        verbose_name="uploaded workbook",
                    ),
                ),
            ],
            options={
                "verbose_name": "marked workbook",
                "verbose_name_plural": "marked workbooks",
                "ordering": ["id"],
                "default_permissions": (),
            },
        ),
    ]
