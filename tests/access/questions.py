"""A question answered with a file and one still open, for both tenants; `world.py` calls it."""

from typing import Any

from django.utils import timezone

from financing.models import Match
from financing.models.questions import AnswerFile, Question


def make_questions(
    world: Any, key: str, match: Match, *, row_id: int, inside: set[str]
) -> dict[str, Any]:
    """The rows of the address table; who may read what of them is noted in `world`.

    `inside`: the people on the side of the business.
    """
    clerk, owner = world.people[f"staff_{key}"], world.people[f"owner_{key}"]
    answered = Question.objects.create(
        id=row_id,
        match=match,
        text=f"密山{key}旧问",
        answer=f"密山{key}旧答",
        asked_by=clerk,
        answered_by=owner,
        answered_at=timezone.now(),
    )
    file = AnswerFile.objects.create(
        id=row_id,
        question=answered,
        name=f"密山{key}报表.pdf",
        media_type="application/pdf",
        size=4,
        sha256="0" * 64,
        content=f"密山{key}报".encode(),
    )
    # Without consent the institution reads its questions, but neither answer nor file.
    world.hide(inside | {f"staff_{key}"}, f"密山{key}旧问", f"密山{key}新问")
    world.hide(inside, f"密山{key}旧答", f"密山{key}报")
    return {
        "question": Question.objects.create(match=match, text=f"密山{key}新问", asked_by=clerk),
        "answer_file": file,
    }
