"""One form posted many times with the session of one browser: at once, and once more afterwards.

Used by the tests of forms posted twice. What must come of it: one act, one row, one notice and
one mail for each person, and the same answer every time (QUALITY 2).
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.db import models, transaction
from django.test import Client
from django.urls import reverse

from financing.models import Match
from financing.services.referrals import refer_blind
from sipo_portal.accounts.models import User
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from sipo_portal.notices.models import Notice
from sipo_portal.outbox.models import OutboxMessage
from tests.factories.money import owner_of
from tests.factories.studies import staff_of
from tests.financing.at_once import at_once

TIMES = 12


@dataclass(frozen=True)
class Post:
    """What is posted by whom, and the verb of the audit that tells it once.

    `made`: the rows of which exactly one more must be there afterwards. `user` None: somebody
    without an account, whose browser opened `first_opens` before.
    """

    user: User | None
    url: str
    verb: str
    data: dict[str, Any] = field(default_factory=dict)
    made: models.QuerySet[Any] | None = None
    first_opens: str = ""


def of_match(match: Match, name: str, verb: str, made: Any = None, **data: Any) -> Post:
    """A form of the owner's pages of `match`."""
    url = reverse(f"financing:{name}", args=[match.pk])
    return Post(owner_of(match).user, url, verb, data, made)


def step(match: Match, action: str, verb: str, made: Any = None, **data: Any) -> Post:
    """A step of the lender on the referral's page."""
    url = reverse("admin:financing_referral_step", args=[match.pk, action])
    return Post(staff_of(match), url, verb, data, made)


def refer(match: Match) -> Match:
    """`match`, told to its institution, which finds only what was disclosed to it."""
    with transaction.atomic():
        refer_blind(actor=Actor.SYSTEM, match=match)
    return match


def browsers(post: Post) -> list[Client]:
    """So many clients that share one session."""
    first = Client(raise_request_exception=True)
    if post.user is not None:
        first.force_login(post.user)
    if post.first_opens:
        first.get(post.first_opens)
    made = [Client(raise_request_exception=True) for _each in range(TIMES)]
    for browser in made:
        browser.cookies = first.cookies
    return made


def posted_at_once(post: Post, clients: list[Client]) -> list[Any]:
    """The answers: status and where each leads."""
    answers = at_once([lambda browser=each: browser.post(post.url, post.data) for each in clients])
    failed = [answer for answer in answers if isinstance(answer, Exception)]
    assert failed == []
    return [answered(answer) for answer in answers]


def answered(answer: Any) -> tuple[int, str | None]:
    return answer.status_code, answer.headers.get("Location")


def refuse_more_than_one(post: Post) -> None:
    """Posts it at once, then again as after a lost answer, and asserts that it was one act."""
    before = post.made.count() if post.made is not None else 0
    clients = browsers(post)

    answers = posted_at_once(post, clients)

    assert {status for status, _location in answers} == {302}, answers
    assert len(set(answers)) == 1
    refuse_traces_of_two(post, before)
    assert answered(clients[0].post(post.url, post.data)) == answers[0]
    refuse_traces_of_two(post, before)


def refuse_traces_of_two(post: Post, before: int) -> None:
    assert AuditEvent.objects.filter(verb=post.verb).count() == 1
    if post.made is not None:
        assert post.made.count() == before + 1
    told = Counter(Notice.objects.values_list("recipient", "kind"))
    assert [each for each, number in told.items() if number > 1] == []
    mails = OutboxMessage.objects.filter(task="notices.send_mail")
    assert mails.count() == told.total()
