"""Rows of patents as the rules read them."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from businesses import selectors
from businesses.models import Patent
from tests.factories.businesses import (
    make_appraisal,
    make_business,
    make_co_owner,
    make_encumbrance,
    make_patent,
)

pytestmark = pytest.mark.django_db
ON = date(2025, 6, 1)


@pytest.fixture
def patent() -> Patent:
    """Filed 15 March 2021: patent year 5 runs on ON, its fee was due on 15 March 2025."""
    return make_patent(
        filed_on=date(2021, 3, 15), granted_on=date(2022, 9, 1), annuity_paid_through_year=5
    )


def codes(patent: Patent, **plan) -> list[str]:
    return [finding.code for finding in selectors.registrability_of(patent, on=ON, **plan)]


def test_a_sound_patent_has_no_finding(patent) -> None:
    assert codes(patent) == []
    assert selectors.expires_on(patent) == date(2041, 3, 15)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"owner_name_on_register": "别的公司"}, "owner_mismatch"),
        ({"is_licensed_in": True}, "owner_mismatch"),
        ({"granted_on": None}, "not_granted"),
        ({"status": "ended", "ended_on": date(2025, 1, 1)}, "ended_or_invalidated"),
        ({"status": "ended", "end_reason": "invalidated"}, "ended_or_invalidated"),
        ({"annuity_paid_through_year": 3}, "ended_or_invalidated"),
        ({"annuity_paid_through_year": 4}, "annuity_unpaid"),
        ({"annuity_paid_through_year": None}, "annuity_unpaid"),
        ({"has_ownership_dispute": True}, "ownership_dispute_or_preservation"),
        ({"is_invalidation_pending": True}, "invalidation_pending"),
    ],
)
def test_each_fact_of_the_row_is_found(patent, change, code) -> None:
    for name, value in change.items():
        setattr(patent, name, value)
    assert code in codes(patent)


@pytest.mark.parametrize(
    ("on", "state"),
    [
        (date(2026, 3, 16), "due_soon"),  # 15 March 2026 is a Sunday
        (date(2026, 3, 17), "in_grace"),
        (date(2026, 9, 15), "in_grace"),
        (date(2026, 9, 16), "lapsed"),
    ],
)
def test_annuities_are_due_on_working_days(patent, on, state) -> None:
    assert selectors.annuity_status(patent, on=on).state == state


def test_same_day_filing_concerns_utility_models(patent) -> None:
    patent.kind, patent.has_same_day_invention_filing = "utility_model", True
    assert codes(patent) == ["same_day_invention_filing"]


@pytest.mark.parametrize(
    ("consent", "expected"),
    [("given", []), ("missing", ["co_owner_consent_missing"])],
)
def test_every_co_owner_has_to_consent(patent, consent, expected) -> None:
    make_co_owner(patent, consent=consent)
    assert codes(patent) == expected


def test_a_released_pledge_no_longer_counts(patent) -> None:
    pledge = make_encumbrance(patent, registered_on=date(2024, 1, 1))
    assert codes(patent) == ["already_pledged"]
    pledge.released_on = ON
    pledge.save()
    assert codes(patent) == []
    make_encumbrance(patent, kind="licence", registered_on=date(2024, 1, 1))
    assert codes(patent) == []
    make_encumbrance(patent, kind="preservation", registered_on=date(2024, 1, 1))
    assert codes(patent) == ["ownership_dispute_or_preservation"]


def test_of_two_pledges_the_longer_one_counts(patent) -> None:
    for releases_on in (date(2025, 7, 1), None, date(2026, 1, 1)):
        make_encumbrance(patent, registered_on=date(2024, 1, 1), releases_on=releases_on)
    pledge = selectors.facts_of(patent, on=ON).live_pledge
    assert pledge is not None
    assert pledge.releases_on is None


def test_the_debt_must_not_outlive_the_patent(patent) -> None:
    assert codes(patent, debt_ends_on=date(2041, 3, 16)) == ["debt_outlives_patent"]


def test_the_newest_appraisal_counts(patent) -> None:
    assert selectors.latest_appraisal(patent) is None
    old = make_appraisal(patent, appraised_on=date(2024, 1, 1))
    new = make_appraisal(patent, appraised_on=date(2025, 1, 1))
    same_day = make_appraisal(patent, appraised_on=date(2025, 1, 1))
    assert selectors.latest_appraisal(patent) == same_day
    assert new != same_day
    assert selectors.latest_appraisal(patent, on=date(2024, 6, 1)) == old


def test_no_query_in_a_loop() -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            for each in Patent.objects.with_facts():
                selectors.registrability_of(each, on=ON)
                selectors.latest_appraisal(each)
        return len(captured)

    business = make_business()
    for years in range(3):
        patent = make_patent(business, filed_on=ON - timedelta(days=800 + years))
        make_co_owner(patent)
        make_appraisal(patent)
        make_encumbrance(patent)
        if years == 0:
            first = queries()
    assert queries() == first == 4
