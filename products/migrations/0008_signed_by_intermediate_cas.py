"""A certificate that a CA outside has signed by an intermediate one is revoked by that one's key."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("products", "0007_effects_of_revocation"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="issuedcertificate",
            name="issued_certificate_serial_unique",
        ),
        migrations.AddField(
            model_name="issuedcertificate",
            name="issuer_spki",
            field=models.CharField(blank=True, default="", max_length=64, verbose_name="public key of the CA"),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="issuedcertificate",
            constraint=models.UniqueConstraint(fields=("serial", "issuing_ca", "issuer_spki"), name="issued_certificate_serial_unique"),
        ),
    ]
