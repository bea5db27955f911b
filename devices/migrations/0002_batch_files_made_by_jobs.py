"""A file of activation codes becomes a job of its own. None exists yet, so the table is made anew."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import console.shared.fields

STATES = [("queued", "Queued"), ("running", "Running"), ("done", "Done"), ("failed", "Failed"), ("cancelled", "Cancelled")]
FORMATS = [("csv", "CSV"), ("xlsx", "Excel"), ("aligenie", "AliGenie chips (six columns)")]


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("devices", "0001_initial"),
    ]

    operations = [
        migrations.DeleteModel(name="BatchFile"),
        migrations.CreateModel(
            name="BatchFile",
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
                ("format", models.CharField(choices=FORMATS, max_length=16, verbose_name="format")),
                ("sealed_key", console.shared.fields.SealedField(editable=False, owner="key_owner")),
                ("path", models.CharField(blank=True, max_length=200)),
                ("size", models.BigIntegerField(default=0, verbose_name="size in bytes")),
                ("sha256", models.CharField(blank=True, max_length=64, verbose_name="SHA-256")),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="kept until")),
                ("downloads", models.PositiveIntegerField(default=0, verbose_name="downloads")),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="files", to="devices.batch", verbose_name="batch"
                    ),
                ),
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
            ],
            options={
                "verbose_name": "activation code file",
                "verbose_name_plural": "activation code files",
                "ordering": ["id"],
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("batch", "format"), name="batch_file_format_unique")],
            },
        ),
        migrations.AlterModelOptions(
            name="batch",
            options={
                "default_permissions": ("add", "view"),
                "ordering": ["-id"],
                "permissions": [
                    ("cancel_batch", "Can cancel a production batch"),
                    ("download_activation_codes", "Can download activation codes"),
                ],
                "verbose_name": "production batch",
                "verbose_name_plural": "production records",
            },
        ),
    ]
