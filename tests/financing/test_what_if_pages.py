"""Pages of what-if runs: supposing, seeing who gains and loses, putting into force, comparing."""

from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from financing.models.match_runs import MatchRun
from financing.models.proposals import Proposal
from financing.services.match_runs import request_nightly_run
from tests.factories.accounts import make_coordinator
from tests.factories.businesses import make_business, make_office
from tests.factories.financing import make_loan_offer, make_loan_request, make_policy, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def office():
    return make_office("320000")


@pytest.fixture
def signed_in(client, office):
    make_policy()
    client.force_login(make_coordinator(office, language="en"))
    return client


def address(name, *args):
    return reverse(f"financing:{name}", args=args)


def text_of(response):
    return response.content.decode()


def ask(client, **values):
    """Post the form; the run it made."""
    response = client.post(address("run_what_if"), values)
    assert response.status_code == 302, response.context["form"].errors
    return MatchRun.objects.get(pk=response.url.rstrip("/").rpartition("/")[2])


def test_without_an_offer_its_request_loses_and_nothing_is_written(signed_in, run_outbox):
    request, offer = make_loan_request(), make_loan_offer()
    signed_in.post(address("run_start"))
    run_outbox()
    standing = list(Proposal.objects.values_list("pk", flat=True))

    run = ask(signed_in, without=str(offer.pk))
    run_outbox()

    text = text_of(signed_in.get(address("run_detail", run.pk)))
    assert "A what-if: no proposal was changed" in text
    assert "1 request loses its proposals" in text
    assert offer.name in text
    assert "it cannot be put into force" in text
    assert address("run_confirm", run.pk) not in text
    assert list(Proposal.objects.values_list("pk", flat=True)) == standing
    assert request.proposals.count() == 1


def test_one_that_supposes_nothing_is_put_into_force(signed_in, run_outbox):
    request = make_loan_request()
    make_loan_offer()
    run = ask(signed_in)
    run_outbox()
    assert not Proposal.objects.exists()
    assert address("run_confirm", run.pk) in text_of(signed_in.get(address("run_detail", run.pk)))

    signed_in.post(address("run_confirm", run.pk))
    waiting = text_of(signed_in.get(address("run_detail", run.pk)))
    assert "The proposals are being written" in waiting
    run_outbox()

    assert request.proposals.get().run_id == run.pk
    text = text_of(signed_in.get(address("run_detail", run.pk)))
    assert "A what-if: no proposal was changed" not in text


def test_what_changed_meanwhile_is_refused_in_words(signed_in, run_outbox):
    make_loan_request()
    offer = make_loan_offer()
    run = ask(signed_in)
    run_outbox()
    type(offer).objects.filter(pk=offer.pk).update(interest_rate_percent=Decimal("2.5"))

    signed_in.post(address("run_confirm", run.pk))
    run_outbox()

    assert not Proposal.objects.exists()
    text = text_of(signed_in.get(address("run_detail", run.pk)))
    assert "have changed since; nothing was written" in text


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"capacity": "100"}, "Choose the offer that shall have this capacity."),
        ({"capacity_offer": "OFFER"}, "Say how much capacity this offer shall have."),
        ({"alternative_share": "1.5"}, "1"),
        ({"proposals_per_request": "0"}, "1 or more"),
        ({"loan_coverage_value": "much"}, "much"),
        ({"without": "999999"}, "999999"),
    ],
)
def test_what_cannot_be_supposed_is_told_at_the_field(signed_in, values, message):
    offer = make_loan_offer()
    values = {name: value.replace("OFFER", str(offer.pk)) for name, value in values.items()}
    response = signed_in.post(address("run_what_if"), values)
    assert response.status_code == 200
    errors = response.context["form"].errors
    assert len(errors) == 1
    assert message in text_of(response)
    assert not MatchRun.objects.exists()


def test_two_runs_are_compared(signed_in, run_outbox):
    make_loan_request()
    make_loan_offer(name="First")
    signed_in.post(address("run_start"))
    run_outbox()
    make_loan_request()
    signed_in.post(address("run_start"))
    run_outbox()
    earlier, later = MatchRun.objects.filter(kind="full").order_by("pk")

    assert address("run_compare", later.pk, earlier.pk) in text_of(
        signed_in.get(address("run_detail", later.pk))
    )
    text = text_of(signed_in.get(address("run_compare", later.pk, earlier.pk)))

    assert "1 request gets a proposal that had none" in text
    assert "For 1 request the first proposal stays the same" in text
    assert "1 request was open in one of the two runs only" in text
    assert signed_in.get(address("run_compare", later.pk, later.pk)).status_code == 404


def test_a_regional_run_is_compared_with_the_national_one_inside_its_region(signed_in, run_outbox):
    make_loan_request()
    make_loan_request(make_business(region="440300"))
    make_loan_offer(capacity_amount=Decimal(50_000_000))
    national = request_nightly_run(on=timezone.localdate())
    run_outbox()

    run = ask(signed_in)
    run_outbox()

    text = text_of(signed_in.get(address("run_detail", run.pk)))
    assert MatchRun.objects.get(pk=national.pk).proposal_count == 2
    assert "For 1 request the first proposal stays the same" in text
    assert "loses its proposals" not in text
    assert "in one of the two runs only" not in text


def test_runs_that_kept_nothing_say_so(signed_in, office):
    runs = [make_run(office=office, scope_prefix=office.scope_prefix) for _each in range(2)]
    text = text_of(signed_in.get(address("run_compare", runs[1].pk, runs[0].pk)))
    assert "no longer kept" in text
