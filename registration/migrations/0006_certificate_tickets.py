from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registration", "0005_certificate_codes"),
    ]

    operations = [
        migrations.CreateModel(
            name="CertificateTicket",
            fields=[
                ("digest", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("chain", models.JSONField()),
                ("expires_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "certificate ticket",
                "verbose_name_plural": "certificate tickets",
                "default_permissions": (),
                "indexes": [models.Index(fields=["expires_at"], name="certificate_ticket_expiry")],
            },
        ),
    ]
