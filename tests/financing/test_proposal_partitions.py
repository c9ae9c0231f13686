"""Proposals written by COPY: every value arrives, and partitions come and go with national runs."""

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from financing import proposal_partitions
from financing.models.proposals import Proposal
from financing.pair_kinds import LOAN
from financing.proposal_rows import ProposalRows
from financing.services import full_runs, incremental_runs, match_runs
from sipo_portal.audit.actors import Actor
from tests.factories.accounts import make_coordinator
from tests.factories.businesses import make_office
from tests.factories.financing import (
    make_loan_offer,
    make_loan_request_in,
    make_proposal,
    make_run,
)
from tests.financing.runs import pairs, start

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("policy")]
MOMENT = datetime(2026, 3, 4, 5, 6, 7, 891_011, tzinfo=UTC)
MOST_YUAN = 10**10


def national():
    run = match_runs.request_nightly_run(on=timezone.localdate())
    run.nightly_of = None
    run.save()
    full_runs.run_full(run.pk)
    run.refresh_from_db()
    assert run.status == "done"
    return run


def regional(prefix="320000"):
    office = make_office(prefix)
    return start(Actor.of(make_coordinator(office)), office)


def test_every_value_arrives_as_it_was():
    random = np.random.default_rng(1)
    count = 400
    counts = random.integers(0, 13, count)
    start = np.concatenate([[0], np.cumsum(counts)])
    amounts = random.integers(0, MOST_YUAN * 100, count) // 10 ** random.integers(0, 12, count)
    savings = random.integers(-(10**11), 10**11, count)
    amounts[:4], savings[:4] = [0, 1, 99, MOST_YUAN * 100], [0, -1, 10_000, -10_000]
    rows = ProposalRows(
        business=random.integers(1, 2**62, count),
        request=np.arange(count) + 2**40,
        offer=random.integers(1, 2**62, count),
        rank=random.integers(1, 9, count),
        is_first=random.random(count) < 0.5,
        amount_fen=amounts,
        saving_fen=savings,
        start=start,
        patent_id=random.integers(1, 2**62, int(start[-1])),
    )
    run = make_run()

    proposal_partitions.fill(run.pk, [(LOAN, rows)], created_at=MOMENT)
    proposal_partitions.attach(run.pk)

    found = Proposal.objects.order_by("loan_request_id")
    assert len(found) == count
    for line, each in enumerate(found):
        assert (each.business_id, each.loan_offer_id) == (rows.business[line], rows.offer[line])
        assert (each.rank, each.is_provisional, each.run_id) == (rows.rank[line], False, run.pk)
        assert each.amount == Decimal(int(amounts[line])) / 100
        assert each.saving == Decimal(int(savings[line])) / 100
        assert each.patent_ids == rows.patent_id[start[line] : start[line + 1]].tolist()
        assert each.created_at == MOMENT
        assert each.insurance_request_id is None
    assert found.values("pk").distinct().count() == count


def test_a_national_run_has_a_partition_of_its_own_and_the_next_one_takes_its_place():
    request, offer = make_loan_request_in("320505"), make_loan_offer()

    first = national()
    assert proposal_partitions.partitions() == [f"financing_proposal_run_{first.pk}"]
    second = national()

    assert proposal_partitions.partitions() == [f"financing_proposal_run_{second.pk}"]
    assert pairs() == [(request.pk, offer.pk)]
    assert Proposal.objects.get().run == second


def test_what_a_national_run_does_not_replace_survives_its_predecessor():
    """Its business is suspended meanwhile: the run is not about it, what stood stands."""
    stays, request, offer = (
        make_loan_request_in("320505"),
        make_loan_request_in("320505"),
        make_loan_offer(),
    )
    first = national()
    before = Proposal.objects.filter(loan_request=stays).values().get()
    stays.business.status = "suspended"
    stays.business.save()

    second = national()

    assert Proposal.objects.filter(loan_request=stays).values().get() == before
    assert before["run_id"] == first.pk
    assert Proposal.objects.get(loan_request=request).run == second
    assert offer.proposals.count() == 2


def test_a_regional_run_replaces_what_lies_in_the_nation_s_partition():
    inside, outside = make_loan_request_in("320505"), make_loan_request_in("440305")
    make_loan_offer(regions=[])
    night = national()

    run = regional()

    assert Proposal.objects.get(loan_request=inside).run == run
    assert Proposal.objects.get(loan_request=outside).run == night


def test_an_incremental_run_replaces_what_lies_in_the_nation_s_partition():
    request, offer = make_loan_request_in("320505"), make_loan_offer()
    national()
    request.principal = Decimal(600_000)
    request.save()

    incremental_runs.match_request(request.pk)

    proposal = Proposal.objects.get()
    assert (proposal.loan_offer, proposal.amount) == (offer, Decimal(600_000))
    national()
    assert Proposal.objects.get().is_provisional is False


def test_a_table_left_by_a_dead_worker_goes_with_the_next_run():
    lost = make_run(status="failed")
    with connection.cursor() as cursor:
        cursor.execute("SELECT financing_open_partition(%s)", [lost.pk])
    make_loan_request_in("320505")
    make_loan_offer()

    run = national()

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname ~ '^financing_proposal_run_.*[0-9]$'"
        )
        assert [name for (name,) in cursor.fetchall()] == [f"financing_proposal_run_{run.pk}"]


def test_the_same_pair_twice_in_one_partition_is_refused():
    proposal = make_proposal()
    with pytest.raises(IntegrityError), transaction.atomic():
        make_proposal(proposal.loan_request, proposal.loan_offer)


def test_deleting_an_offer_deletes_its_proposals():
    request, offer = make_loan_request_in("320505"), make_loan_offer()
    national()

    offer.delete()

    assert pairs() == []
    assert request.proposals.count() == 0


@pytest.mark.skipif(not settings.DATABASE_APP_ROLE, reason="needs the application's role")
def test_the_application_s_role_may_do_a_whole_run():
    request, offer = make_loan_request_in("320505"), make_loan_offer()
    national()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_table_privilege(%s, 'financing_proposal', 'INSERT')",
            [settings.DATABASE_APP_ROLE],
        )
        assert cursor.fetchone()[0]
        cursor.execute(f"SET ROLE {settings.DATABASE_APP_ROLE}")
    try:
        run = national()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")

    assert Proposal.objects.get().run == run
    assert pairs() == [(request.pk, offer.pk)]


@pytest.mark.skipif(not settings.DATABASE_APP_ROLE, reason="needs the application's role")
def test_what_runs_with_the_owners_rights_is_for_the_application_alone():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname, has_function_privilege(%s, oid, 'EXECUTE'),"
            " EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner)))"
            "         WHERE grantee = 0)"
            " FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace",
            [settings.DATABASE_APP_ROLE],
        )
        found = cursor.fetchall()
    assert {name for name, _own, _all in found} >= {"financing_drop_partition"}
    assert [name for name, own, public in found if public or not own] == []


def test_what_was_proposed_where_is_kept_with_the_run():
    offers = [make_loan_offer(), make_loan_offer()]
    for region in ("320505", "110105", "320505", "440305"):
        make_loan_request_in(region)
    run = national()

    sums: dict[str, dict[str, Decimal]] = {}
    for proposal in Proposal.objects.select_related("business"):
        by_region = sums.setdefault(str(proposal.loan_offer_id), {})
        code = proposal.business.region_id
        by_region[code] = by_region.get(code, Decimal(0)) + proposal.amount
    assert set(sums) == {str(offer.pk) for offer in offers}
    assert {
        offer: {code: Decimal(amount) for code, amount in found.items()}
        for offer, found in run.allotted.items()
    } == sums
    assert run.reached_count == Proposal.objects.values("loan_request").distinct().count() == 4
    assert run.proposal_count == Proposal.objects.count()
