"""Mails of notices: at least once each, through the outbox; called by the task."""

from urllib.parse import urljoin

from django.conf import settings
from django.core.mail import send_mail
from django.urls import reverse
from django.utils import timezone

from sipo_portal.notices.models import Notice
from sipo_portal.notices.texts import mail_of


def send_notice_mail(notice_id: int) -> None:
    """Mail one notice to its recipient, in their language. Mailed, gone or closed: nothing.

    Called inside a transaction, whose commit notes that it was mailed: a worker that dies between
    the two mails again.
    """
    notice = (
        Notice.objects.select_for_update(of=("self",))
        .select_related("recipient")
        .filter(pk=notice_id, mailed_at=None)
        .first()
    )
    if notice is None or not notice.recipient.is_active:
        return
    subject, text = mail_of(
        notice.kind,
        notice.payload,
        address=_address(notice),
        language=notice.recipient.language,
    )
    send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [notice.recipient.email])
    notice.mailed_at = timezone.now()
    notice.save(update_fields=["mailed_at"])


def _address(notice: Notice) -> str:
    """The way through the notice, which marks it as read; none where the portal's is not set."""
    if not settings.PUBLIC_ADDRESS:
        return ""
    path = reverse("notices:open", args=[notice.pk])
    return str(urljoin(settings.PUBLIC_ADDRESS, path))
