"""The keys of a run's table are sorted in memory: a million proposals fit in this much."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("financing", "0016_sharded_runs"),
    ]

    operations = [
        migrations.RunSQL(
            "ALTER FUNCTION financing_key_partition(bigint) SET maintenance_work_mem = '256MB'",
            "ALTER FUNCTION financing_key_partition(bigint) RESET maintenance_work_mem",
        ),
    ]
