"""Between the days of change the rules say the same of a patent: compared with every single day."""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from businesses.days_of_change import days_of_change
from businesses.models import Business, CoOwner, Encumbrance, Patent
from businesses.selectors import registrability_of
from financing.insurance_rows import insurability_failures
from financing.match_rows import hard_grounds

FILED = st.dates(date(2006, 1, 1), date(2024, 6, 1))
DAY = timedelta(days=1)


def loaded(patent, **related):
    """The patent as if read `with_facts`, without a database."""
    patent._prefetched_objects_cache = related
    for rows in related.values():
        for row in rows:
            row.patent = patent
    return patent


class Rows(list):
    def all(self):
        return self


@st.composite
def patents(draw):
    filed = draw(FILED)
    granted = draw(st.none() | st.integers(0, 1500).map(lambda days: filed + timedelta(days)))
    ended = draw(st.none() | st.integers(0, 7000).map(lambda days: filed + timedelta(days)))
    encumbrances = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["pledge", "licence", "preservation", "transfer"]),
                st.none() | st.integers(0, 6000),
            ),
            max_size=2,
        )
    )
    patent = Patent(
        pk=1,
        business=Business(name="Alpha"),
        kind=draw(st.sampled_from(["invention", "utility_model", "design"])),
        filed_on=filed,
        granted_on=granted,
        ended_on=draw(st.sampled_from([None, ended])),
        status=draw(st.sampled_from(["registered", "verified", "ended"])),
        annuity_paid_through_year=draw(st.none() | st.integers(1, 21)),
        compensation_days=draw(st.sampled_from([0, 0, 100])),
        has_infringement_dispute=draw(st.booleans()),
    )
    return loaded(
        patent,
        co_owners=Rows(CoOwner(name="Beta") for _ in range(draw(st.integers(0, 1)))),
        appraisals=Rows(),
        encumbrances=Rows(
            Encumbrance(
                pk=n,
                kind=kind,
                holder="Bank",
                registered_on=filed,
                released_on=None if after is None else filed + timedelta(after),
            )
            for n, (kind, after) in enumerate(encumbrances)
        ),
    )


def said(patent, day):
    return hard_grounds(registrability_of(patent, on=day)), insurability_failures(patent, day)


@settings(max_examples=60, deadline=None)
@given(patent=patents(), start=st.integers(0, 7500), length=st.just(500))
def test_nothing_changes_between_the_days_of_change(patent, start, length):
    days = days_of_change(patent)
    day = patent.filed_on + timedelta(start)
    before = said(patent, day)
    for _ in range(length):
        day += DAY
        now = said(patent, day)
        assert now == before or day in days, (day, before, now)
        before = now


@settings(max_examples=60, deadline=None)
@given(patent=patents())
def test_around_each_day_of_change_nothing_else_changes(patent):
    """Years apart, where the days above seldom fall."""
    days = days_of_change(patent)
    for day in days:
        for near in range(-40, 40):
            each = day + timedelta(near)
            if each > patent.filed_on + DAY and said(patent, each) != said(patent, each - DAY):
                assert each in days
