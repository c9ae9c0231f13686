"""`manage.py demo_accounts`: who can sign in to the demo, with password and second factor."""

import json
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from financing.demo.people import ACCOUNTS, PASSWORD, totp_secret
from financing.demo.seeding import is_seeded
from sipo_portal.accounts.models import SECOND_FACTOR_ROLES


class Command(BaseCommand):
    help = "List the demo accounts; --json for programs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO_DATA or not is_seeded():
            raise CommandError("There is no demo data: run seed_demo with DEMO_DATA=1 first.")
        rows = [
            {
                "address": urljoin(settings.PUBLIC_ADDRESS, account.address),
                "role": str(account.role),
                "tenant": account.tenant,
                "name": account.name,
                "email": account.email,
                "password": PASSWORD,
                "totp_secret": totp_secret(account.email)
                if account.role in SECOND_FACTOR_ROLES
                else None,
            }
            for account in ACCOUNTS
        ]
        if options["json"]:
            self.stdout.write(json.dumps(rows, ensure_ascii=False, indent=2))
            return
        for row in rows:
            self.stdout.write(
                f"{row['role']:<18} {row['email']:<28} {row['password']}  "
                f"{row['totp_secret'] or '-':<34} {row['address']:<36} {row['tenant']}"
            )
