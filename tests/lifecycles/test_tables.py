"""Every state × event × role of every lifecycle, tried through `advance` on real rows."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models, transaction
from django.utils import timezone

from businesses.lifecycles import BUSINESS, PATENT
from financing.lifecycles import MATCH, OFFER, PLEDGE, REQUEST, RUN
from financing.management.commands import lifecycle_diagrams
from financing.models import GuaranteeOffer, InsuranceOffer, InsuranceRequest, Match, Pledge
from sipo_portal.accounts.models import Role
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from sipo_portal.workflow.advance import advance
from sipo_portal.workflow.lifecycle import Lifecycle, TransitionRefused
from tests.factories.businesses import make_business, make_patent
from tests.factories.financing import make_loan_offer, make_loan_request, make_match, make_run
from tests.factories.money import make_guarantee
from tests.factories.studies import make_insurance_referral

pytestmark = pytest.mark.django_db

KINDS = (*Role.values, "clock", "matcher", "system", "person")
NO_SUCH = "no_such_action"


def an_insurance_offer() -> InsuranceOffer:
    return make_insurance_referral().insurance_offer


def an_insurance_request() -> InsuranceRequest:
    match = make_insurance_referral()
    return match.insurance_request


def a_guarantee_offer() -> GuaranteeOffer:
    return make_guarantee(make_match())


def an_insurance_match() -> Match:
    return make_insurance_referral()


def a_pledge() -> Pledge:
    match = make_match(status="accepted")
    patent = match.patents.get()
    return Pledge.objects.create(
        match=match,
        patent=patent,
        application_number=patent.application_number,
        creditor=match.institution,
        pledgee=match.institution,
        registration_number="Y2026000001",
        registered_on=timezone.localdate(),
    )


ROWS: dict[str, tuple[Lifecycle, Callable[[], models.Model]]] = {
    "business": (BUSINESS, make_business),
    "patent": (PATENT, lambda: make_patent(make_business())),
    "loan_request": (REQUEST, make_loan_request),
    "insurance_request": (REQUEST, an_insurance_request),
    "loan_offer": (OFFER, make_loan_offer),
    "insurance_offer": (OFFER, an_insurance_offer),
    "guarantee_offer": (OFFER, a_guarantee_offer),
    "run": (RUN, make_run),
    "loan_match": (MATCH, make_match),
    "insurance_match": (MATCH, an_insurance_match),
    "pledge": (PLEDGE, a_pledge),
}


def expected(lifecycle: Lifecycle, state: str, action: str, kind: str) -> tuple[str, bool]:
    """The state afterwards, or the code of the refusal, and which it is; from the rows, by hand."""
    rows = [row for row in lifecycle.transitions if row.action == action]
    here = [row for row in rows if state in row.sources]
    if not rows:
        return "unknown_action", False
    if not here:
        return "wrong_state", False
    return (here[0].target, True) if kind in here[0].who else ("wrong_role", False)


def refused(lifecycle: Lifecycle, row: Any, action: str, kind: str) -> str:
    """The code, from a row whose memory of its state is wrong."""
    row.status = "stale"
    try:
        advance(lifecycle, row, action, actor=Actor(kind))
    except TransitionRefused as refusal:
        return refusal.code.value
    return f"done: {row.status}"


def done(lifecycle: Lifecycle, row: Any, state: str, action: str, kind: str) -> str:
    """The state in the database after the step, which is audited; then it is undone."""
    row.status = "stale"
    mark = transaction.savepoint()
    advance(lifecycle, row, action, actor=Actor(kind))
    outcome = stored_state(row)
    event = AuditEvent.objects.order_by("-pk")[0]
    assert event.verb == f"{lifecycle.name}.{action}"
    assert (event.data["from"], event.data["to"]) == (state, outcome)
    transaction.savepoint_rollback(mark)
    return outcome


def stored_state(row: models.Model) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT status FROM "{row._meta.db_table}" WHERE id = %s', [row.pk])
        return str(cursor.fetchone()[0])


@pytest.mark.parametrize("name", ROWS)
def test_every_state_event_and_role(name):
    lifecycle, make = ROWS[name]
    row = make()
    wrong = {}
    for state in lifecycle.states:
        type(row)._base_manager.filter(pk=row.pk).update(status=state)
        events = AuditEvent.objects.count()
        tries = [(action, kind) for action in (*lifecycle.actions, NO_SUCH) for kind in KINDS]
        for action, kind in tries:
            outcome, is_done = expected(lifecycle, state, action, kind)
            found = (
                done(lifecycle, row, state, action, kind)
                if is_done
                else refused(lifecycle, row, action, kind)
            )
            if found != outcome:
                wrong[state, action, kind] = (found, outcome)
        # None of the refusals changed anything.
        assert (stored_state(row), AuditEvent.objects.count()) == (state, events)

    assert wrong == {}


def test_every_row_with_a_lifecycle_is_tried():
    """A new model with a status and the moment of its change belongs in the table above."""
    with_lifecycle = {
        model._meta.label
        for model in apps.get_models()
        if {"status", "status_changed_at"} <= {field.name for field in model._meta.fields}
        and not model._meta.proxy
        and model._meta.app_label in ("businesses", "financing")
    }
    # A claim of a business is decided once, by its own service: no table of steps.
    with_lifecycle.discard("businesses.BusinessClaim")
    tried_here = {type(make())._meta.label for _lifecycle, make in ROWS.values()}

    assert with_lifecycle == tried_here


def test_the_diagrams_of_the_documentation_are_those_of_the_tables():
    assert lifecycle_diagrams.PLACE.read_text(encoding="utf-8") == lifecycle_diagrams.document()


def test_every_lifecycle_is_drawn():
    drawn = {each.name for each in lifecycle_diagrams.LIFECYCLES}

    assert drawn == {lifecycle.name for lifecycle, _make in ROWS.values()}
