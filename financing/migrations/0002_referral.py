from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("financing", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Referral",
            fields=[],
            options={
                "verbose_name": "referral",
                "verbose_name_plural": "referrals",
                "ordering": ["-referred_at", "pk"],
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("financing.match",),
        ),
    ]
