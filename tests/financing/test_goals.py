"""Goals of offices: who sets them, what counts towards them, what the coordinator reads."""

import random
from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.urls import reverse

from financing.goal_figures import Figures, Period, chosen_period, office_results, periods_of
from financing.models import Goal, Terms
from financing.services.goals import save_goal
from financing.services.terms import offer_terms
from sipo_portal.audit.actors import Actor
from sipo_portal.audit.models import AuditEvent
from tests.factories.accounts import make_coordinator
from tests.factories.businesses import make_business, make_office
from tests.factories.financing import make_system_admin
from tests.factories.goals import THIS_YEAR, make_goal, make_issued_cover, make_paid_loan
from tests.factories.insurance import make_insurance_policy_of_the_day
from tests.factories.studies import make_insurance_referral, make_referral, offered, staff_of

pytestmark = pytest.mark.django_db
YEAR = Period(*THIS_YEAR)
ADDRESS = "/goals/"


@pytest.fixture
def province():
    return make_office("320000")


@pytest.fixture
def coordinator(province):
    return make_coordinator(province)


def figures_of(user, office, product="loan", period=YEAR):
    [found] = [
        result.figures
        for result in office_results(user, office, period)
        if (result.office, result.product) == (office, product)
    ]
    return found


# --- what counts --------------------------------------------------------------------------------


def test_reached_approved_and_disbursed_are_kept_apart(province, coordinator):
    make_paid_loan(amount=1_000_000, drawn=700_000)
    make_paid_loan(amount=2_000_000, drawn=500_000, status="accepted")

    figures = figures_of(coordinator, province)

    assert figures.business_count == 1
    assert figures.approved_amount == 3_000_000
    assert figures.disbursed_amount == 1_200_000


def test_a_business_with_two_loans_is_reached_once(province, coordinator):
    business = make_business()
    make_paid_loan(business=business)
    make_paid_loan(business=business)

    assert figures_of(coordinator, province).business_count == 1


def test_what_fell_through_and_other_regions_and_periods_do_not_count(province, coordinator):
    make_paid_loan(status="fallen_through", drawn=0)
    make_paid_loan("440305")
    make_paid_loan(on=date(2025, 12, 31))
    make_paid_loan(on=date(2027, 1, 1))

    assert figures_of(coordinator, province) == Figures()


@pytest.mark.parametrize("day", THIS_YEAR)
def test_the_first_and_the_last_day_belong_to_the_period(province, coordinator, day):
    make_paid_loan(on=day)

    figures = figures_of(coordinator, province)

    assert (figures.business_count, figures.disbursed_amount) == (1, 1_000_000)
    assert figures.approved_amount == 1_000_000


def test_the_rate_is_weighted_by_amount_and_skips_what_has_no_benchmark(province, coordinator):
    make_paid_loan(amount=3_000_000, apr_percent=Decimal(3), benchmark_apr_percent=Decimal(4))
    make_paid_loan(amount=1_000_000, apr_percent=Decimal(5), benchmark_apr_percent=Decimal(4))
    make_paid_loan(amount=9_000_000, apr_percent=None, benchmark_apr_percent=None)

    figures = figures_of(coordinator, province)

    assert figures.apr_percent == Decimal("3.5")
    assert figures.benchmark_apr_percent == 4


def test_insurance_counts_policies_and_premiums_against_the_standard(province, coordinator):
    make_issued_cover(amount=100_000)
    make_issued_cover(amount=50_000, premium=Decimal(600), standard_premium=Decimal(1000))

    figures = figures_of(coordinator, province, "insurance")

    assert (figures.business_count, figures.disbursed_amount) == (2, 150_000)
    assert figures.premium_reduction_percent == 30
    assert figures_of(coordinator, province, "loan") == Figures()


def test_each_office_answers_for_its_region_and_below(province, coordinator):
    city, county = make_office("320500"), make_office("320505")
    other = make_office("320100")
    make_paid_loan("320505")
    make_paid_loan("320100")

    reached = {
        result.office: result.figures.business_count
        for result in office_results(coordinator, province, YEAR)
        if result.product == "loan"
    }

    assert reached == {province: 2, city: 1, county: 1, other: 1}
    assert next(iter(reached)) == province


def test_a_coordinator_counts_only_the_own_region(province):
    make_paid_loan("320505")
    stranger = make_coordinator(make_office("440000"))

    assert figures_of(stranger, province) == Figures()


SQL = """
SELECT
  (SELECT count(DISTINCT m.business_id) FROM financing_match m
   JOIN businesses_business b ON b.id = m.business_id
   WHERE b.region_id LIKE %(region)s AND m.status = 'completed'
     AND (m.loan_request_id IS NOT NULL) = %(is_loan)s
     AND (m.status_changed_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN %(first)s AND %(last)s),
  (SELECT coalesce(sum(t.amount), 0) FROM financing_terms t
   JOIN financing_match m ON m.id = t.match_id JOIN businesses_business b ON b.id = m.business_id
   WHERE b.region_id LIKE %(region)s AND m.status IN ('accepted', 'completed')
     AND (m.loan_request_id IS NOT NULL) = %(is_loan)s
     AND (t.answered_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN %(first)s AND %(last)s),
  (SELECT coalesce(sum(d.amount), 0) FROM (
       SELECT match_id, amount, drawn_on AS day FROM financing_drawdown
       UNION ALL SELECT match_id, sum_insured, starts_on FROM financing_insurancepolicy) d
   JOIN financing_match m ON m.id = d.match_id JOIN businesses_business b ON b.id = m.business_id
   WHERE b.region_id LIKE %(region)s AND d.day BETWEEN %(first)s AND %(last)s
     AND (m.loan_request_id IS NOT NULL) = %(is_loan)s)
"""


def summed_by_sql(prefix, is_loan):
    with connection.cursor() as cursor:
        cursor.execute(
            SQL,
            {
                "region": f"{prefix}%",
                "is_loan": is_loan,
                "first": YEAR.starts_on,
                "last": YEAR.ends_on,
            },
        )
        return cursor.fetchone()


def test_an_independent_sql_sums_the_same():
    national = make_office(None)
    user = make_coordinator(national)
    offices = [national, *(make_office(code) for code in ("320000", "320500", "440000"))]
    chance = random.Random(7)
    regions = ["320505", "320100", "440305", "110101"]
    for _each in range(25):
        day = date(chance.choice([2025, 2026, 2026, 2026]), chance.randint(1, 12), 28)
        amount = Decimal(chance.randint(10**7, 10**8)) / 100
        region = chance.choice(regions)
        if chance.random() < 0.3:
            make_issued_cover(region, amount=amount, on=day)
        else:
            status = chance.choice(["completed", "completed", "accepted", "fallen_through"])
            drawn = 0 if status == "fallen_through" else chance.choice([amount, amount / 2 // 1])
            make_paid_loan(region, amount=amount, drawn=drawn, on=day, status=status)

    for result in office_results(user, national, YEAR):
        figures = result.figures
        found = (figures.business_count, figures.approved_amount, figures.disbursed_amount)
        expected = summed_by_sql(result.office.scope_prefix, result.product == "loan")
        assert found == expected, result.office
    assert {result.office for result in office_results(user, national, YEAR)} == set(offices)


def test_terms_keep_what_they_are_measured_against():
    make_insurance_policy_of_the_day(reference_spread_percent=Decimal("0.480"))
    loan = make_referral("in_study", is_open=True)
    cover = make_insurance_referral("in_study", is_open=True)
    for match in (loan, cover):
        offer_terms(actor=Actor.of(staff_of(match)), match=match, offered=offered(match))

    of_loan, of_cover = Terms.objects.get(match=loan), Terms.objects.get(match=cover)
    # 3 % paid monthly over actual/360: (1 + 0.03 / 360 * 365 / 12) ** 12 - 1.
    assert abs(of_loan.apr_percent - Decimal("3.084")) < Decimal("0.01")
    assert of_loan.benchmark_apr_percent > of_loan.apr_percent
    assert of_loan.standard_premium is None
    # max(860, 600 + 260 + 1 % of 1 million) by the policy's table.
    assert (of_cover.standard_premium, of_cover.apr_percent) == (Decimal(10_860), None)


# --- periods ------------------------------------------------------------------------------------


def test_periods_are_those_of_goals_and_this_year_without_any(province, coordinator):
    today = date(2026, 8, 1)
    assert periods_of(coordinator, today=today) == [YEAR]
    make_goal(province, starts_on=date(2025, 1, 1), ends_on=date(2025, 12, 31))
    half = make_goal(province, starts_on=date(2026, 7, 1), ends_on=date(2026, 12, 31))
    make_goal(make_office("440000"), starts_on=date(2024, 1, 1), ends_on=date(2024, 12, 31))

    periods = periods_of(coordinator, today=today)

    assert [each.starts_on.year for each in periods] == [2026, 2025]
    assert chosen_period(periods, "", today=today).starts_on == half.starts_on
    assert chosen_period(periods, periods[1].key, today=today) == periods[1]
    assert chosen_period(periods, "nonsense", today=today) == periods[0]


# --- the page -----------------------------------------------------------------------------------


def test_the_page_shows_progress_rate_and_offices_below(client, province, coordinator):
    make_office("320500", name="苏州办事处", name_en="Suzhou Office")
    make_goal(province, business_count=4, amount=Decimal(2_000_000))
    make_paid_loan(amount=1_000_000, drawn=500_000)
    make_issued_cover()
    client.force_login(coordinator)

    page = client.get(ADDRESS, headers={"accept-language": "en"}).content.decode()

    assert "25% of the goal of 4." in page
    assert "50% of the goal of" in page
    assert "approved, 25% paid out or in force." in page
    assert "0.5 percentage points below the benchmark" in page
    assert "Premiums are 20% below the standard premiums." in page
    assert "Suzhou Office" in page
    assert "No goal was set for this period." in page


def test_an_empty_page_says_so(client, coordinator):
    client.force_login(coordinator)

    page = client.get(ADDRESS, headers={"accept-language": "en"}).content.decode()

    assert page.count("No goal was set for this period.") == 2
    assert "There is no office below yours." in page


def test_the_number_of_queries_does_not_grow(
    client, province, coordinator, django_assert_max_num_queries
):
    client.force_login(coordinator)
    client.get(ADDRESS)

    def queries():
        with django_assert_max_num_queries(15) as asked:
            assert client.get(ADDRESS).status_code == 200
        return len(asked)

    before = queries()
    for code in ("320500", "320505", "320100"):
        make_goal(make_office(code))
        make_paid_loan(code)
        make_issued_cover(code)

    assert queries() == before


# --- setting them -------------------------------------------------------------------------------


def values_for(office, **fields):
    return {
        "office": office,
        "product": "loan",
        "starts_on": THIS_YEAR[0],
        "ends_on": THIS_YEAR[1],
        "business_count": 10,
        "amount": Decimal(1_000_000),
    } | fields


def test_a_goal_is_set_and_changed_and_audited_once(province):
    actor = Actor.of(make_system_admin())

    goal = save_goal(actor, values=values_for(province))
    save_goal(actor, values=values_for(province), goal_id=goal.pk)
    save_goal(actor, values=values_for(province, business_count=12), goal_id=goal.pk)

    assert Goal.objects.get().business_count == 12
    events = AuditEvent.objects.filter(verb="goal.set").order_by("pk")
    assert [event.data["changed"].get("business_count") for event in events] == [
        [None, 10],
        [10, 12],
    ]


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"ends_on": THIS_YEAR[0]}, "ends_on"),
        ({"business_count": 0, "amount": None}, "business_count"),
        ({"starts_on": date(2026, 12, 31), "ends_on": date(2027, 12, 31)}, "starts_on"),
    ],
)
def test_goals_that_say_nothing_or_meet_are_refused(province, fields, at):
    actor = Actor.of(make_system_admin())
    save_goal(actor, values=values_for(province))

    with pytest.raises(ValidationError) as refused:
        save_goal(actor, values=values_for(province, **fields))

    assert list(refused.value.message_dict) == [at]
    assert Goal.objects.count() == 1


def test_the_admin_sets_a_goal_in_wan(client, province):
    client.force_login(make_system_admin())
    address = reverse("admin:financing_goal_add")
    posted = {
        "office": province.pk,
        "product": "insurance",
        "starts_on": "2026-01-01",
        "ends_on": "2026-12-31",
        "business_count": "30",
        "amount": "1,200",
    }

    assert client.get(address).status_code == 200
    again = client.post(address, posted | {"ends_on": "2025-12-31"})
    answer = client.post(address, posted)

    assert again.status_code == 200
    assert answer.status_code == 302
    assert Goal.objects.get().amount == 12_000_000
