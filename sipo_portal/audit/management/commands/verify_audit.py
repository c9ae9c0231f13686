"""`manage.py verify_audit`: checks events, chain and head; exit code 1 when anything is wrong."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sipo_portal.audit.chain import verify
from sipo_portal.audit.models import AuditEvent, AuditSeal


class Command(BaseCommand):
    help = "Checks that no audit event was changed, removed, added by hand or exchanged."

    def handle(self, *args: Any, **options: Any) -> None:
        findings = 0
        for finding in verify():
            findings += 1
            self.stdout.write(
                f"{finding.code}: seal {finding.sequence or '-'}, event {finding.event or '-'}"
            )
        sealed, events = AuditSeal.objects.count(), AuditEvent.objects.count()
        self.stdout.write(f"{events} events, {sealed} sealed, {findings} findings")
        if findings:
            raise CommandError("The audit record is not whole.", returncode=1)
