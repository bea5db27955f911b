"""Two CA certificates of one key (a CA that was renewed) have a revocation list each, which may name the same certificate."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("products", "0008_signed_by_intermediate_cas"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="revokedserial",
            name="revoked_serial_once",
        ),
        migrations.AddConstraint(
            model_name="revokedserial",
            constraint=models.UniqueConstraint(fields=("issuer_spki", "serial", "source", "authority"), name="revoked_serial_once"),
        ),
        migrations.AddConstraint(
            model_name="revokedserial",
            constraint=models.UniqueConstraint(
                condition=models.Q(("source", "list"), _negated=True),
                fields=("issuer_spki", "serial", "source"),
                name="revoked_serial_once_by_us",
            ),
        ),
    ]
