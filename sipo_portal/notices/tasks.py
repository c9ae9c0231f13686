"""Work of notices that runs in Celery, reached through the outbox."""

from sipo_portal.notices.mails import send_notice_mail
from sipo_portal.outbox.tasks import outbox_task


@outbox_task("notices.send_mail")
def send_mail_task(notice_id: int) -> None:
    send_notice_mail(notice_id)
