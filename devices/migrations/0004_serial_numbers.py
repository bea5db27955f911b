"""Generated serial numbers."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0003_reset_and_undo"),
        ("products", "0003_access"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SerialNumberRun",
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
                ("prefix", models.CharField(blank=True, max_length=24, verbose_name="prefix")),
                (
                    "alphabet",
                    models.CharField(
                        choices=[
                            ("clear", "Capital letters and digits without look-alikes (no 0, 1, I, O)"),
                            ("capitals", "All capital letters and digits"),
                            ("digits", "Digits"),
                        ],
                        default="clear",
                        max_length=8,
                        verbose_name="characters",
                    ),
                ),
                ("length", models.PositiveSmallIntegerField(verbose_name="random characters")),
                ("check_character", models.BooleanField(default=False, verbose_name="check character")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
                (
                    "product",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="products.product", verbose_name="product"
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
                "verbose_name": "run of serial numbers",
                "verbose_name_plural": "runs of serial numbers",
                "ordering": ["-id"],
                "permissions": [
                    ("cancel_serialnumberrun", "Can cancel a run and void serial numbers"),
                    ("download_serialnumbers", "Can download serial numbers and labels"),
                ],
                "default_permissions": ("add", "view"),
            },
        ),
        migrations.CreateModel(
            name="SerialNumber",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sn", models.CharField(max_length=64, verbose_name="SN")),
                ("device_name", models.CharField(blank=True, max_length=64, verbose_name="DeviceName")),
                ("bound_at", models.DateTimeField(blank=True, null=True, verbose_name="bound")),
                ("voided_at", models.DateTimeField(blank=True, null=True, verbose_name="voided")),
                (
                    "bound_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="bound by",
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="products.product",
                        verbose_name="product",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="devices.serialnumberrun",
                        verbose_name="run",
                    ),
                ),
            ],
            options={
                "verbose_name": "serial number",
                "verbose_name_plural": "serial numbers",
                "ordering": ["-id"],
                "permissions": [("bind_serialnumber", "Can bind serial numbers to devices")],
                "default_permissions": (),
            },
        ),
        migrations.AddIndex(
            model_name="serialnumberrun",
            index=models.Index(fields=["state", "heartbeat_at"], name="serial_number_run_state"),
        ),
        migrations.AddConstraint(
            model_name="serialnumberrun",
            constraint=models.CheckConstraint(condition=models.Q(("total__gt", 0)), name="serial_number_run_total_positive"),
        ),
        migrations.AddConstraint(
            model_name="serialnumberrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("done__lte", models.F("total"))), name="serial_number_run_done_at_most_total"
            ),
        ),
        migrations.AddIndex(
            model_name="serialnumber",
            index=models.Index(fields=["run", "id"], name="serial_number_run"),
        ),
        migrations.AddIndex(
            model_name="serialnumber",
            index=models.Index(fields=["product", "id"], name="serial_number_product"),
        ),
        migrations.AddIndex(
            model_name="serialnumber",
            index=models.Index(condition=models.Q(("device_name", ""), _negated=True), fields=["run"], name="serial_number_bound"),
        ),
        migrations.AddIndex(
            model_name="serialnumber",
            index=models.Index(condition=models.Q(("voided_at__isnull", False)), fields=["run"], name="serial_number_void"),
        ),
        migrations.AddIndex(
            model_name="serialnumber",
            index=models.Index(
                condition=models.Q(("device_name", ""), _negated=True), fields=["product", "bound_at"], name="serial_number_bound_when"
            ),
        ),
        migrations.AddIndex(
            model_name="serialnumber",
            index=models.Index(
                condition=models.Q(("device_name", ""), _negated=True),
                fields=["bound_by", "product", "bound_at"],
                name="serial_number_bound_by",
            ),
        ),
        migrations.AddIndex(
            model_name="serialnumber",
            index=models.Index(fields=["sn"], name="serial_number_beginning", opclasses=["varchar_pattern_ops"]),
        ),
        migrations.AddConstraint(
            model_name="serialnumber",
            constraint=models.UniqueConstraint(fields=("sn",), name="serial_number_unique"),
        ),
        migrations.AddConstraint(
            model_name="serialnumber",
            constraint=models.UniqueConstraint(
                condition=models.Q(("device_name", ""), _negated=True), fields=("product", "device_name"), name="serial_number_one_a_device"
            ),
        ),
        migrations.AddConstraint(
            model_name="serialnumber",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("bound_at", None), ("device_name", "")),
                    models.Q(models.Q(("device_name", ""), _negated=True), ("bound_at__isnull", False)),
                    _connector="OR",
                ),
                name="serial_number_bound_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="serialnumber",
            constraint=models.CheckConstraint(
                condition=models.Q(("voided_at", None), ("device_name", ""), _connector="OR"), name="serial_number_void_is_on_nothing"
            ),
        ),
    ]
