"""Pages of match runs: list, start, progress, result, cancel."""

from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from financing.models.match_runs import MatchRun
from financing.models.proposals import Proposal
from sipo_portal.outbox.models import OutboxMessage
from tests.factories.accounts import make_coordinator
from tests.factories.businesses import make_office
from tests.factories.financing import (
    make_loan_offer,
    make_loan_request,
    make_match,
    make_policy,
    make_proposal,
    make_run,
)

pytestmark = pytest.mark.django_db

FAIRNESS = {
    "size_class": {
        "micro": {"requests": 40, "reached": 30},
        "small": {"requests": 10, "reached": 9},
    },
    "province": {"320000": {"requests": 50, "reached": 39}},
    "amount_band": {"1m_3m": {"requests": 50, "reached": 39}},
    "waiting": {
        "over_90": {"requests": 0, "reached": 0},
        "under_7": {"requests": 50, "reached": 39},
    },
}


@pytest.fixture(autouse=True)
def policy(db):
    return make_policy()


@pytest.fixture
def office():
    return make_office("320000")


@pytest.fixture
def signed_in(client, office):
    coordinator = make_coordinator(office, language="en")
    client.force_login(coordinator)
    return client


def address(name, *args):
    return reverse(f"financing:{name}", args=args)


def text_of(response):
    return response.content.decode()


def done_run(**fields):
    fields = {
        "request_count": 50,
        "offer_count": 12,
        "proposal_count": 90,
        "reached_count": 39,
        "saving_total": Decimal(1_230_000),
        "value": Decimal(19_980_000),
        "bound": Decimal(20_000_000),
        "fairness": FAIRNESS,
        "seed": "sipo",
        "input_digest": "abc123",
    } | fields
    return make_run(**fields)


def test_the_list_names_full_runs_of_the_region_and_the_country(signed_in, office):
    shown = [done_run(), done_run(scope_prefix="32", office=office)]
    foreign = done_run(scope_prefix="44", office=make_office("440000"))
    incremental = make_run(kind="request", loan_request=make_loan_request())

    text = text_of(signed_in.get(address("run_list")))

    for run in shown:
        assert address("run_detail", run.pk) in text
    for run in (foreign, incremental):
        assert address("run_detail", run.pk) not in text
    assert "at most 0.1% missing" in text


def test_an_empty_list_says_what_to_do(signed_in):
    assert address("run_start") in text_of(signed_in.get(address("run_list")))


def test_queries_of_the_list_do_not_grow(signed_in, office, django_assert_max_num_queries):
    for _each in range(10):
        done_run(scope_prefix="32", office=office)

    with django_assert_max_num_queries(10):
        signed_in.get(address("run_list"))


def test_starting_says_what_it_does_and_asked_twice_is_one_run(signed_in):
    make_proposal(make_loan_request(), make_loan_offer())
    response = signed_in.get(address("run_start"))
    values = {fact["label"]: fact["value"] for fact in response.context["facts"]}
    assert values["Open loan requests"] == "1"
    assert values["Live loan offers"] == "1"
    assert values["Proposals replaced"] == "1"

    first = signed_in.post(address("run_start"))
    again = signed_in.post(address("run_start"))

    run = MatchRun.objects.get(status="queued")
    assert first.url == again.url == address("run_detail", run.pk)


def test_a_run_is_followed_to_its_result(signed_in, run_outbox):
    request = make_loan_request()
    offer = make_loan_offer()
    signed_in.post(address("run_start"))
    run = MatchRun.objects.get()
    text = text_of(signed_in.get(address("run_detail", run.pk)))
    assert f'hx-get="{address("run_progress", run.pk)}"' in text
    assert "Cancel the run" in text

    assert run_outbox() == 1

    assert Proposal.objects.get().loan_request == request
    text = text_of(signed_in.get(address("run_detail", run.pk)))
    assert "Businesses reached" in text
    assert "of 1 open requests" in text
    assert "By the policy" in text
    assert "hx-get" not in text
    assert offer.proposals.count() == 1


def test_progress_answers_htmx_with_the_panel_and_reloads_at_the_end(signed_in, office):
    run = make_run(
        status="running", stage="matching", progress_percent=30, office=office, scope_prefix="32"
    )
    htmx = {"HTTP_HX_REQUEST": "true"}

    panel = signed_in.get(address("run_progress", run.pk), **htmx)

    assert 'value="30"' in text_of(panel)
    assert "<html" not in text_of(panel)
    assert signed_in.get(address("run_progress", run.pk)).url == address("run_detail", run.pk)
    MatchRun.objects.update(status="done")
    ended = signed_in.get(address("run_progress", run.pk), **htmx)
    assert ended["HX-Refresh"] == "true"


def test_the_result_is_shown_by_group_and_against_its_bound(signed_in):
    run = done_run()

    text = text_of(signed_in.get(address("run_detail", run.pk)))

    assert "78%" in text
    assert "30 / 40 · 75%" in text
    assert "From Micro (75%) to Small (90%)." in text
    assert "at most 0.1% is missing" in text
    assert "abc123" in text
    assert "1 to 3 million yuan" in text


@pytest.mark.parametrize(
    ("value", "bound", "words"),
    [
        (Decimal(5), Decimal(5), "nothing could be worth more"),
        (Decimal(0), Decimal(0), ""),
        (None, None, ""),
    ],
)
def test_runs_without_a_gap_have_their_page(signed_in, value, bound, words):
    run = done_run(value=value, bound=bound)

    response = signed_in.get(address("run_detail", run.pk))

    assert response.status_code == 200
    assert words in text_of(response)


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        ("NoPolicy", "No matching policy is in force"),
        ("KeyError", "KeyError"),
        ("", "never finished"),
    ],
)
def test_a_failed_run_says_why_and_what_to_do(signed_in, failure, words):
    run = make_run(status="failed", failure=failure, finished_at=None)

    text = text_of(signed_in.get(address("run_detail", run.pk)))

    assert words in text
    assert address("run_start") in text


@pytest.mark.parametrize("status", ["queued", "running"])
def test_a_run_under_way_is_cancelled(signed_in, office, status):
    run = make_run(status=status, office=office, scope_prefix="32", finished_at=None)

    response = signed_in.post(address("run_cancel", run.pk))

    run.refresh_from_db()
    assert (response.url, run.status) == (address("run_detail", run.pk), "cancelled")
    assert "nothing was changed" in text_of(signed_in.get(response.url))


def test_a_finished_run_is_not_cancelled(signed_in, office):
    run = done_run(office=office, scope_prefix="32")

    signed_in.post(address("run_cancel", run.pk))

    run.refresh_from_db()
    assert run.status == "done"


def test_the_nightly_run_of_the_country_is_not_cancelled_by_a_province(signed_in):
    run = make_run(status="running", nightly_of=timezone.localdate())

    assert "Cancel the run" not in text_of(signed_in.get(address("run_detail", run.pk)))
    signed_in.post(address("run_cancel", run.pk))

    run.refresh_from_db()
    assert run.status == "running"


def test_runs_of_other_regions_are_not_found(signed_in):
    foreign = make_run(status="running", scope_prefix="44", office=make_office("440000"))

    for name in ("run_detail", "run_progress", "run_cancel"):
        assert signed_in.get(address(name, foreign.pk)).status_code == 404
        assert signed_in.get(address(name, 999_999)).status_code == 404
    assert signed_in.post(address("run_cancel", foreign.pk)).status_code == 404


def test_opening_the_address_of_a_cancellation_changes_nothing(signed_in, office):
    run = make_run(status="running", office=office, scope_prefix="32")

    assert signed_in.get(address("run_cancel", run.pk)).url == address("run_detail", run.pk)
    run.refresh_from_db()
    assert run.status == "running"
    assert not OutboxMessage.objects.exists()


def test_short_offers_are_listed_dearest_first_with_what_more_would_bring(signed_in):
    cheap, dear, plenty = (make_loan_offer(name=name) for name in ("Cheap", "Dear", "Plenty"))
    run = done_run(
        prices={str(cheap.pk): 4_000, str(dear.pk): 1_370_000},
        count_prices={str(cheap.pk): 5_000_000_00},
        offer_count=3,
    )

    text = text_of(signed_in.get(address("run_detail", run.pk)))

    assert text.index("Dear") < text.index("Cheap")
    assert plenty.name not in text
    assert "1.37" in text
    assert "under CNY\xa00.01" in text
    assert "CNY\xa05\xa0million" in text
    assert "At 1 other offer room was left" in text


def test_a_run_without_short_offers_says_that_rules_decided(signed_in):
    text = text_of(signed_in.get(address("run_detail", done_run().pk)))
    assert "No offer was short" in text


def test_the_certificate_holds_what_the_bound_is_worked_out_from(signed_in):
    run = done_run(prices={"7": 12}, count_prices={})
    response = signed_in.get(address("run_certificate", run.pk))
    assert response.headers["Content-Disposition"].startswith("attachment")
    found = response.json()
    assert (found["value_yuan"], found["bound_yuan"]) == ("19980000.00", "20000000.00")
    assert found["prices_fen_ppm"] == {"7": 12}


def test_what_became_of_the_proposals_is_counted_by_the_runs_groups(signed_in):
    run = done_run(fairness={"size_class": {"micro": {"requests": 5, "eligible": 4, "reached": 3}}})
    request = make_loan_request()
    size_class = request.business.size_class
    run = done_run(
        fairness={"size_class": {size_class: {"requests": 5, "eligible": 4, "reached": 3}}}
    )
    for status in ("completed", "completed", "referred"):
        make_match(request, status=status, run=run)
    make_match(make_loan_request(), status="completed")

    charts = signed_in.get(address("run_detail", run.pk)).context["charts"]

    heads = [head["label"] for head in charts[0].heads]
    assert heads[1:] == ["Requests", "Eligible", "Reached", "Share", "Answered", "Completed"]
    assert list(charts[0].rows[0][1:]) == ["5", "4", "3", "60%", "0", "1"]
