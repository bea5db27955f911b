"""The pre-import list, device lists, batches with their files, MAC pools, uploads."""

import console.shared.fields
import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("products", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AutoCreation",
            fields=[
                (
                    "product",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="products.product",
                    ),
                ),
                ("created", models.PositiveIntegerField(default=0, verbose_name="created automatically")),
            ],
            options={
                "verbose_name": "automatic creation",
                "verbose_name_plural": "automatic creations",
            },
        ),
        migrations.CreateModel(
            name="MacPool",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=64, verbose_name="name")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("MA-L", "MA-L (24-bit prefix)"),
                            ("MA-M", "MA-M (28-bit prefix)"),
                            ("MA-S", "MA-S (36-bit prefix)"),
                            ("private", "Private (locally administered)"),
                        ],
                        max_length=8,
                        verbose_name="block",
                    ),
                ),
                ("prefix", models.CharField(blank=True, max_length=9, verbose_name="prefix")),
                ("first", models.BigIntegerField(verbose_name="first address")),
                ("last", models.BigIntegerField(verbose_name="last address")),
                ("next", models.BigIntegerField(verbose_name="next address")),
                ("stride", models.PositiveSmallIntegerField(default=1, verbose_name="stride")),
            ],
            options={
                "verbose_name": "MAC pool",
                "verbose_name_plural": "MAC pools",
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(fields=("name",), name="mac_pool_name_unique"),
                    models.CheckConstraint(
                        condition=models.Q(("first__gte", 0), ("first__lte", models.F("last")), ("last__lt", 281474976710656)),
                        name="mac_pool_range",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("next__gte", models.F("first")),
                            ("next__lte", django.db.models.expressions.CombinedExpression(models.F("last"), "+", models.F("stride"))),
                        ),
                        name="mac_pool_next_in_range",
                    ),
                    models.CheckConstraint(condition=models.Q(("stride__gte", 1), ("stride__lte", 16)), name="mac_pool_stride"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Upload",
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
                (
                    "purpose",
                    models.CharField(
                        choices=[("pre_import", "Pre-import"), ("batch", "Batch production")], max_length=12, verbose_name="purpose"
                    ),
                ),
                (
                    "stage",
                    models.CharField(
                        choices=[("check", "Check"), ("commit", "Import")], default="check", max_length=8, verbose_name="stage"
                    ),
                ),
                (
                    "authentication",
                    models.CharField(
                        choices=[("dynamic", "Dynamic"), ("static", "Static"), ("x509", "X.509")],
                        default="dynamic",
                        max_length=8,
                        verbose_name="authentication",
                    ),
                ),
                ("file_name", models.CharField(max_length=200, verbose_name="file")),
                ("path", models.CharField(blank=True, max_length=200)),
                ("sealed_key", console.shared.fields.SealedField(editable=False, owner="key_owner")),
                ("token", models.CharField(max_length=32)),
                ("size", models.BigIntegerField(verbose_name="size in bytes")),
                ("sha256", models.CharField(max_length=64, verbose_name="SHA-256")),
                ("good_rows", models.PositiveIntegerField(default=0, verbose_name="good rows")),
                ("bad_rows", models.PositiveIntegerField(default=0, verbose_name="bad rows")),
                ("report", models.JSONField(blank=True, default=dict)),
                ("expires_at", models.DateTimeField(verbose_name="kept until")),
                (
                    "product",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="products.product",
                        verbose_name="product",
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
                "verbose_name": "uploaded workbook",
                "verbose_name_plural": "uploaded workbooks",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="Batch",
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
                (
                    "flashing_method",
                    models.CharField(
                        choices=[("per_device", "Per-device secret"), ("per_product", "Per-product secret")],
                        default="per_device",
                        max_length=12,
                        verbose_name="flashing method",
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[("automatic", "Automatic generation"), ("upload", "Batch upload")],
                        max_length=12,
                        verbose_name="DeviceNames",
                    ),
                ),
                ("made", models.PositiveIntegerField(default=0, verbose_name="devices made")),
                ("mac_first", models.BigIntegerField(editable=False, null=True)),
                ("mac_stride", models.PositiveSmallIntegerField(default=1, editable=False)),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
                ("first_download_at", models.DateTimeField(blank=True, null=True, verbose_name="first download")),
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
                (
                    "mac_pool",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="devices.macpool",
                        verbose_name="MAC pool",
                    ),
                ),
                (
                    "upload",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="devices.upload",
                        verbose_name="workbook",
                    ),
                ),
            ],
            options={
                "verbose_name": "production batch",
                "verbose_name_plural": "production records",
                "ordering": ["-id"],
                "permissions": [
                    ("cancel_batch", "Can cancel a production batch"),
                    ("download_activation_codes", "Can download activation codes"),
                ],
                "default_permissions": ("add", "view"),
            },
        ),
        migrations.CreateModel(
            name="BatchFile",
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
                (
                    "format",
                    models.CharField(
                        choices=[("csv", "CSV"), ("xlsx", "Excel"), ("aligenie", "AliGenie chips (six columns)")],
                        max_length=16,
                        verbose_name="format",
                    ),
                ),
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
        migrations.CreateModel(
            name="Device",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("device_name", models.CharField(max_length=64, verbose_name="DeviceName")),
                ("nickname", models.CharField(blank=True, max_length=64, verbose_name="device name")),
                ("sn", models.CharField(blank=True, max_length=64, verbose_name="SN")),
                (
                    "authentication",
                    models.CharField(
                        choices=[("dynamic", "Dynamic"), ("static", "Static"), ("x509", "X.509")],
                        max_length=8,
                        verbose_name="authentication",
                    ),
                ),
                (
                    "origin",
                    models.CharField(
                        choices=[("pre_import", "Pre-import list"), ("auto_created", "Created automatically")],
                        default="pre_import",
                        max_length=12,
                        verbose_name="origin",
                    ),
                ),
                ("sealed_secret", console.shared.fields.SealedField(editable=False, owner="secret_owner")),
                ("certificate_fingerprint", models.CharField(blank=True, max_length=64, verbose_name="certificate fingerprint")),
                ("enabled", models.BooleanField(default=True, verbose_name="enabled")),
                ("created_at", models.DateTimeField(verbose_name="added")),
                ("registered_at", models.DateTimeField(blank=True, null=True, verbose_name="registered")),
                ("activated_at", models.DateTimeField(blank=True, null=True, verbose_name="activated")),
                ("last_online_at", models.DateTimeField(blank=True, null=True, verbose_name="last online")),
                ("last_offline_at", models.DateTimeField(blank=True, null=True, verbose_name="last offline")),
                (
                    "data_center",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="products.datacenter",
                        verbose_name="data center",
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="products.product",
                        verbose_name="product",
                    ),
                ),
            ],
            options={
                "verbose_name": "device",
                "verbose_name_plural": "devices",
                "ordering": ["-id"],
                "permissions": [("reveal_device_secret", "Can read DeviceSecrets")],
                "indexes": [
                    models.Index(fields=["data_center", "product", "id"], name="device_product"),
                    models.Index(fields=["data_center", "id"], name="device_center"),
                    models.Index(
                        fields=["data_center", "device_name"], name="device_by_name", opclasses=["int8_ops", "varchar_pattern_ops"]
                    ),
                    models.Index(condition=models.Q(("sn", ""), _negated=True), fields=["data_center", "sn"], name="device_by_sn"),
                    models.Index(
                        condition=models.Q(("activated_at__isnull", False)), fields=["data_center", "activated_at"], name="device_activated"
                    ),
                    models.Index(condition=models.Q(("enabled", False)), fields=["data_center", "id"], name="device_disabled"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("data_center", "product", "device_name"), name="device_name_unique"),
                    models.CheckConstraint(
                        condition=models.Q(("last_online_at", None), ("activated_at__isnull", False), _connector="OR"),
                        name="device_online_only_activated",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PreImportedDevice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("device_name", models.CharField(max_length=64, verbose_name="DeviceName")),
                ("nickname", models.CharField(blank=True, max_length=64, verbose_name="device name")),
                ("sn", models.CharField(blank=True, max_length=64, null=True, verbose_name="SN")),
                (
                    "authentication",
                    models.CharField(
                        choices=[("dynamic", "Dynamic"), ("static", "Static"), ("x509", "X.509")],
                        default="dynamic",
                        max_length=8,
                        verbose_name="authentication",
                    ),
                ),
                ("sealed_secret", console.shared.fields.SealedField(editable=False, owner="secret_owner")),
                ("certificate_fingerprint", models.CharField(blank=True, max_length=64, verbose_name="certificate fingerprint")),
                ("created_at", models.DateTimeField(verbose_name="added")),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="devices.batch",
                        verbose_name="batch",
                    ),
                ),
                (
                    "product",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="products.product",
                        verbose_name="product",
                    ),
                ),
            ],
            options={
                "verbose_name": "pre-imported device",
                "verbose_name_plural": "pre-import list",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(condition=models.Q(("batch__isnull", False)), fields=["batch", "id"], name="pre_import_batch"),
                    models.Index(fields=["product", "id"], name="pre_import_product"),
                    models.Index(fields=["device_name"], name="pre_import_name", opclasses=["varchar_pattern_ops"]),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("product", "device_name"), name="pre_import_name_unique"),
                    models.UniqueConstraint(condition=models.Q(("sn__isnull", False)), fields=("sn",), name="pre_import_sn_unique"),
                    models.CheckConstraint(condition=models.Q(("sn", ""), _negated=True), name="pre_import_sn_not_empty"),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.UniqueConstraint(fields=("token",), name="upload_token_unique"),
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.CheckConstraint(condition=models.Q(("size__gte", 0)), name="upload_size_not_negative"),
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(fields=["state", "heartbeat_at"], name="batch_state"),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(condition=models.Q(("total__gt", 0)), name="batch_total_positive"),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(condition=models.Q(("made__lte", models.F("done"))), name="batch_made_at_most_done"),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(condition=models.Q(("done__lte", models.F("total"))), name="batch_done_at_most_total"),
        ),
    ]
