"""The audit is searched by person, action, address and target."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("console", "0005_idempotent_answers")]

    operations = [
        migrations.AlterField("auditentry", "action", models.CharField(max_length=64, verbose_name="action")),
        migrations.AddIndex("auditentry", models.Index(fields=["action", "-id"], name="audit_action")),
        migrations.AddIndex("auditentry", models.Index(fields=["actor_name", "-id"], name="audit_actor")),
        migrations.AddIndex("auditentry", models.Index(fields=["address", "-id"], name="audit_address")),
        migrations.AddIndex("auditentry", models.Index(fields=["target_id", "-id"], name="audit_target_number")),
        migrations.AddIndex(
            "auditentry",
            models.Index(fields=["target_label", "-id"], name="audit_label", opclasses=["varchar_pattern_ops", "int8_ops"]),
        ),
    ]
