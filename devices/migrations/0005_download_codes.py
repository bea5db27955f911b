"""Download codes, and batches undone."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0004_serial_numbers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BatchUndo",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("attempt", models.PositiveIntegerField(default=0, editable=False)),
                ("heartbeat_at", models.DateTimeField(editable=False, null=True)),
                ("requested_at", models.DateTimeField(verbose_name="requested")),
                ("started_at", models.DateTimeField(blank=True, null=True, verbose_name="started")),
                ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="ended")),
                ("total", models.PositiveIntegerField(default=0, verbose_name="rows")),
                ("done", models.PositiveIntegerField(default=0, verbose_name="rows done")),
                ("cancel_requested", models.BooleanField(default=False, editable=False)),
                ("failure", models.TextField(blank=True, verbose_name="failure")),
                ("reason", models.CharField(max_length=200, verbose_name="reason")),
                ("checked_at", models.DateTimeField(editable=False, null=True, verbose_name="checked")),
            ],
            options={
                "verbose_name": "undoing of a batch",
                "verbose_name_plural": "undoings of batches",
                "ordering": ["-id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="DownloadCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "format",
                    models.CharField(
                        choices=[
                            ("csv", "CSV"),
                            ("xlsx", "Excel"),
                            ("aligenie", "AliGenie chips (six columns)"),
                            ("data", "Batch data (Excel)"),
                        ],
                        max_length=16,
                        verbose_name="format",
                    ),
                ),
                ("digest", models.CharField(editable=False, max_length=64)),
                ("beginning", models.CharField(max_length=8, verbose_name="begins with")),
                ("note", models.CharField(max_length=200, verbose_name="for whom")),
                ("made_at", models.DateTimeField(verbose_name="made")),
                ("expires_at", models.DateTimeField(verbose_name="valid until")),
                ("uses_allowed", models.PositiveSmallIntegerField(default=1, verbose_name="times allowed")),
                ("uses", models.PositiveSmallIntegerField(default=0, verbose_name="times used")),
                ("last_used_at", models.DateTimeField(blank=True, null=True, verbose_name="last used")),
                ("last_used_address", models.CharField(blank=True, max_length=45, verbose_name="last used from")),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="revoked")),
                ("revoke_reason", models.CharField(blank=True, max_length=200, verbose_name="reason of the revocation")),
            ],
            options={
                "verbose_name": "download code",
                "verbose_name_plural": "download codes",
                "ordering": ["-id"],
                "default_permissions": ("add", "view", "delete"),
            },
        ),
        migrations.CreateModel(
            name="FailedRedemption",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.CharField(max_length=45)),
                ("at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "failed redemption",
                "verbose_name_plural": "failed redemptions",
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="batch",
            name="first_came_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="first device"),
        ),
        migrations.AddField(
            model_name="batch",
            name="first_came_name",
            field=models.CharField(blank=True, editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name="batch",
            name="first_came_to",
            field=models.CharField(blank=True, editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name="batch",
            name="first_download_by",
            field=models.CharField(blank=True, editable=False, max_length=150),
        ),
        migrations.AddField(
            model_name="batch",
            name="undo_began_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="batch",
            name="undone_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="undone"),
        ),
        migrations.AddField(
            model_name="batch",
            name="wish",
            field=models.CharField(editable=False, max_length=32, null=True),
        ),
        migrations.AlterField(
            model_name="batchfile",
            name="format",
            field=models.CharField(
                choices=[("csv", "CSV"), ("xlsx", "Excel"), ("aligenie", "AliGenie chips (six columns)"), ("data", "Batch data (Excel)")],
                max_length=16,
                verbose_name="format",
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(("undone_at", None), ("undo_began_at__isnull", False), _connector="OR"), name="batch_undone_began"
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(("undo_began_at", None), ("first_download_at", None), _connector="OR"),
                name="batch_undone_never_downloaded",
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.UniqueConstraint(fields=("wish",), name="batch_wish_once"),
        ),
        migrations.AddField(
            model_name="batchundo",
            name="batch",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="undos", to="devices.batch", verbose_name="batch"
            ),
        ),
        migrations.AddField(
            model_name="batchundo",
            name="requested_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="requested by",
            ),
        ),
        migrations.AddField(
            model_name="downloadcode",
            name="batch",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="download_codes", to="devices.batch", verbose_name="batch"
            ),
        ),
        migrations.AddField(
            model_name="downloadcode",
            name="made_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="made by",
            ),
        ),
        migrations.AddIndex(
            model_name="failedredemption",
            index=models.Index(fields=["address", "at"], name="failed_redemption_recent"),
        ),
        migrations.AddIndex(
            model_name="failedredemption",
            index=models.Index(fields=["at"], name="failed_redemption_at"),
        ),
        migrations.AddConstraint(
            model_name="batchundo",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "failed"), _negated=True), fields=("batch",), name="batch_undo_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="batchundo",
            constraint=models.CheckConstraint(condition=models.Q(("reason", ""), _negated=True), name="batch_undo_has_reason"),
        ),
        migrations.AddConstraint(
            model_name="downloadcode",
            constraint=models.UniqueConstraint(fields=("digest",), name="download_code_digest_unique"),
        ),
        migrations.AddConstraint(
            model_name="downloadcode",
            constraint=models.CheckConstraint(condition=models.Q(("uses_allowed__gte", 1)), name="download_code_allows_a_use"),
        ),
        migrations.AddConstraint(
            model_name="downloadcode",
            constraint=models.CheckConstraint(
                condition=models.Q(("uses__lte", models.F("uses_allowed"))), name="download_code_uses_within_allowed"
            ),
        ),
        migrations.AddConstraint(
            model_name="downloadcode",
            constraint=models.CheckConstraint(
                condition=models.Q(("expires_at__gt", models.F("made_at"))), name="download_code_expires_after_it_was_made"
            ),
        ),
    ]
