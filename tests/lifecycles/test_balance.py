"""The checks of `balance` themselves: each runs, and sees what it is for."""

import pytest
from django.db import connection

from tests.lifecycles.balance import CHECKS, imbalances

pytestmark = pytest.mark.django_db

# What each statement breaks, after one loan was paid out and another is being offered terms.
A_PLEDGE_TWICE = (
    "DROP INDEX pledge_one_live_per_patent; INSERT INTO financing_pledge (match_id, patent_id,"
    " application_number, creditor_id, pledgee_id, status, registration_number, registered_on,"
    " created_at) SELECT match_id, patent_id, application_number, creditor_id, pledgee_id, status,"
    " 'Y2', registered_on, created_at FROM financing_pledge WHERE status = 'registered'"
)
BREAKS = {
    "capacity of loan offers": "UPDATE financing_loanoffer SET booked_amount = booked_amount - 0.01"
    " WHERE booked_amount > 0",
    "capacity of insurance offers": "UPDATE financing_insuranceoffer"
    " SET booked_amount = booked_amount + 0.01",
    "terms and their match": "UPDATE financing_terms SET status = 'offered', drawn_amount = NULL",
    "money within the terms": "UPDATE financing_drawdown SET amount = amount + 0.01",
    "a policy is its terms, and a completed insurance has one": "UPDATE financing_match SET"
    " insurance_offer_id = (SELECT min(id) FROM financing_insuranceoffer), loan_offer_id = NULL,"
    " insurance_request_id = (SELECT min(id) FROM financing_insurancerequest),"
    " loan_request_id = NULL WHERE status = 'completed'",
    "one live pledge per patent": A_PLEDGE_TWICE,
    "pledges and their match": "UPDATE financing_pledge SET status = 'planned'",
    "an accepted loan pledges its whole basket": "UPDATE financing_pledge SET status = 'cancelled';"
    " UPDATE financing_match SET status = 'accepted' WHERE status = 'completed'",
    "no money before the register": "UPDATE financing_pledge SET status = 'planned'",
    "nothing referred on a patent somebody else pledged": "UPDATE financing_pledge"
    " SET application_number = (SELECT t.application_number FROM businesses_patent t"
    " JOIN financing_match_patents p ON p.patent_id = t.id JOIN financing_match m"
    " ON m.id = p.match_id WHERE m.status = 'in_study'), pledgee_id = (SELECT min(i.id)"
    " FROM financing_institution i WHERE i.id NOT IN (SELECT institution_id FROM financing_match"
    " WHERE status = 'in_study'))",
    "loan requests and their matches": "UPDATE financing_loanrequest SET status = 'open'",
    "insurance requests and their matches": "UPDATE financing_insurancerequest"
    " SET status = 'covered'",
    "who is awaited has a deadline, who is not has none": "UPDATE financing_match"
    " SET deadline_on = now()",
    "study and terms only after the identity was opened": "UPDATE financing_match"
    " SET status = 'in_study' WHERE status = 'referred'",
    "questions and the wait for their answers": "UPDATE financing_match SET status = 'waiting'",
    "the audit's last word is the match's state": "UPDATE financing_match SET status = 'declined'",
}
# Held by a constraint that no single statement can get around here, or told by the audit alone.
NOT_BROKEN = {"one live match per request and offer", "the audit tells every state in order"}


@pytest.mark.parametrize("name", BREAKS)
def test_a_check_sees_what_it_is_for(far_world, name):
    assert imbalances() == {}

    with connection.cursor() as cursor:
        cursor.execute(BREAKS[name])

    assert name in imbalances()


def test_every_check_is_a_query_that_runs(far_world):
    assert imbalances() == {}
    assert set(CHECKS) == set(BREAKS) | NOT_BROKEN
