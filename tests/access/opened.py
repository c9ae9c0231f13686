"""A match in study whose business opened its identity, for both tenants; `world.py` calls it."""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils import timezone

from financing.models import Match
from financing.models.questions import AnswerFile, Question
from financing.services.referrals import refer_blind
from sipo_portal.audit.actors import Actor
from tests.factories.businesses import make_business, make_patent
from tests.factories.financing import make_loan_request, make_match
from tests.factories.studies import consent_of_all


def make_opened(
    world: Any, key: str, claimed: dict[str, Any], new_id: Callable[[], int]
) -> dict[str, Any]:
    """The match with a question that was answered with a file; its institution reads both."""
    rows, owner = world.rows[key], world.people[f"owner_{key}"]
    readers = world.inside(key) | {f"staff_{key}"}
    business = make_business(
        id=new_id(),
        owner=owner,
        region=rows["business"].region_id,
        name=f"密山{key}公开公司",
        contact_name=f"密山{key}公开联系",
    )
    patent = make_patent(business, id=new_id(), title=f"密山{key}公开装置")
    request = make_loan_request(business, [patent], id=new_id())
    match = make_match(request, rows["offer_4"], status="referred", **claimed)
    with transaction.atomic():
        refer_blind(Actor.of(world.people[f"coordinator_{key}"]), match)
        consent_of_all(match)
    Match.objects.filter(pk=match.pk).update(status="in_study")
    question = Question.objects.create(
        id=new_id(),
        match=match,
        text=f"密山{key}公开问",
        answer=f"密山{key}公开答",
        asked_by=world.people[f"staff_{key}"],
        answered_by=owner,
        answered_at=timezone.now(),
    )
    file = AnswerFile.objects.create(
        id=new_id(),
        question=question,
        name=f"密山{key}公开表.pdf",
        media_type="application/pdf",
        size=4,
        sha256="0" * 64,
        content=f"密山{key}公开表内容".encode(),
    )
    world.hide(readers, business.name, business.credit_code, business.contact_name)
    world.hide(readers, patent.title, patent.application_number, question.text, question.answer)
    world.hide(readers, match.reference, file.name, f"密山{key}公开表内容")
    world.hide(readers | {"audit_admin"}, match.pk, file.pk)
    world.hide(world.inside(key) | {"audit_admin"}, business.pk, patent.pk, request.pk)
    return {"open_match": match, "open_file": file}
