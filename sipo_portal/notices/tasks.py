"""Work of notices that runs in Celery, reached through the outbox."""

from django.utils.translation import gettext_lazy as _

from sipo_portal.notices.mails import send_notice_mail
from sipo_portal.outbox.tasks import outbox_task


@outbox_task("notices.send_mail", label=_("Mail a notice"))
def send_mail_task(notice_id: int) -> None:
    send_notice_mail(notice_id)
