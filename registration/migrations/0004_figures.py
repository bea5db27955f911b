"""Registrations and refusals by the hour, the devices of each list as they were last counted, and an index of the log's addresses."""

import django.db.models.deletion
from django.db import migrations, models

CODES = [
    ("accepted", "Accepted"), ("malformed", "Malformed request"), ("product_unknown", "Product unknown"),
    ("product_not_published", "Product not published"), ("bad_signature", "Bad signature"), ("unknown_algorithm", "Unknown algorithm"),
    ("outside_window", "Outside the time window"), ("nonce_used", "Nonce used before"),
    ("per_product_secret_off", "Per-product secret disabled"), ("dynamic_registration_off", "Dynamic registration off"),
    ("bad_device_name", "Bad DeviceName"), ("device_disabled", "Device disabled"), ("already_activated", "Already activated"),
    ("already_registered", "Already registered"), ("wrong_authentication", "Authenticates otherwise"), ("not_imported", "Not imported"),
    ("auto_create_limit", "Limit of automatic creation"), ("preregistration_free_off", "Preregistration-free not allowed"),
    ("client_limit", "Five ClientIDs are active"), ("client_id_switched", "Another ClientID was chosen"),
    ("client_unknown", "ClientID unknown"), ("client_forbidden", "ClientID forbidden"), ("client_id_taken", "MQTT client id taken"),
    ("device_unknown", "Device unknown"), ("bad_credential", "Wrong DeviceSecret or DeviceToken"), ("ended", "Connection ended"),
    ("unavailable", "Unavailable"), ("internal", "Internal error"),
]  # fmt: skip
EVENTS = [("registration", "Registration"), ("connection", "Connection"), ("disconnection", "Disconnection")]


def data_center():
    return models.ForeignKey(
        db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="products.datacenter"
    )


def number():
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


class Migration(migrations.Migration):
    dependencies = [("products", "0003_access"), ("registration", "0003_connections")]

    operations = [
        migrations.CreateModel(
            name="HourlyFigure",
            fields=[
                ("id", number()),
                ("hour", models.DateTimeField(verbose_name="hour")),
                ("product_id", models.BigIntegerField(default=0, verbose_name="product")),
                ("event", models.CharField(choices=EVENTS, max_length=16, verbose_name="event")),
                ("code", models.CharField(choices=CODES, max_length=32, verbose_name="decision")),
                ("count", models.PositiveBigIntegerField(default=0, verbose_name="entries")),
                ("data_center", data_center()),
            ],
            options={
                "verbose_name": "hourly figure",
                "verbose_name_plural": "hourly figures",
                "default_permissions": (),
                "indexes": [models.Index(fields=["hour"], name="hourly_figure_hour")],
                "constraints": [
                    models.UniqueConstraint(fields=("data_center", "hour", "product_id", "event", "code"), name="hourly_figure_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="FleetFigure",
            fields=[
                ("id", number()),
                ("product_id", models.BigIntegerField(verbose_name="product")),
                ("registered", models.PositiveIntegerField(default=0, verbose_name="registered")),
                ("activated", models.PositiveIntegerField(default=0, verbose_name="activated")),
                ("online", models.PositiveIntegerField(default=0, verbose_name="online")),
                ("disabled", models.PositiveIntegerField(default=0, verbose_name="disabled")),
                ("data_center", data_center()),
            ],
            options={
                "verbose_name": "figure of a device list",
                "verbose_name_plural": "figures of device lists",
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("data_center", "product_id"), name="fleet_figure_once")],
            },
        ),
        migrations.CreateModel(
            name="FigureState",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("counted_to", models.BigIntegerField(default=0)),
                ("counted_at", models.DateTimeField(null=True)),
                ("seen_to", models.BigIntegerField(default=0)),
                ("seen_at", models.DateTimeField(null=True)),
                ("writers", models.JSONField(default=list)),
                ("fleet_at", models.DateTimeField(null=True)),
                ("fleet_seconds", models.FloatField(default=0)),
            ],
            options={
                "verbose_name": "state of the figures",
                "verbose_name_plural": "states of the figures",
                "default_permissions": (),
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="figure_state_one_row")],
            },
        ),
        migrations.AddIndex(
            model_name="devicelogentry",
            index=models.Index(
                condition=models.Q(("address__isnull", False)), fields=["data_center", "address", "id"], name="device_log_address"
            ),
        ),
    ]
