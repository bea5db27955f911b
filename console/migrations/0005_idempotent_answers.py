"""Answers that are given again for the same idempotency key, and the count of a key's requests in the present minute."""

import console.shared.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("console", "0004_sign_ins")]

    operations = [
        migrations.CreateModel(
            name="IdempotentAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("caller", models.CharField(max_length=32)),
                ("key", models.CharField(max_length=128)),
                ("request_digest", models.CharField(max_length=64)),
                ("attempt", models.PositiveIntegerField(default=1)),
                ("claimed_at", models.DateTimeField()),
                ("status", models.PositiveSmallIntegerField(null=True)),
                ("sealed_answer", console.shared.fields.SealedField(editable=False, owner="answer_owner")),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["claimed_at"], name="idempotent_answer_age")],
                "constraints": [models.UniqueConstraint(fields=("caller", "key"), name="idempotent_answer_once")],
            },
        ),
        migrations.AddField(
            model_name="apikey",
            name="minute",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="apikey",
            name="requests_in_minute",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
    ]
