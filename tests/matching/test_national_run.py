"""A whole run on columns: proposals beside the readable rules, ranks, baskets, digests."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.matching_scale.instances import make_instance
from benchmarks.matching_scale.rows import request_rows
from financing.matching.context import make_context
from financing.matching.eligibility import passing_pair
from financing.matching.national.no_requests import no_insurances
from financing.matching.national.packing import Closed
from financing.matching.national.run import KindInput, RunInput, run_matching
from financing.matching.values import (
    alternative_value_fen,
    coverage_value_fen,
    first_value_fen,
)
from tests.matching.test_national_engine import shuffled


def run_of(instance, requests=None, offers=None, **of_kind):
    return RunInput(
        loans=KindInput(
            requests=instance.requests if requests is None else requests,
            offers=tuple(instance.offers if offers is None else offers),
            **of_kind,
        ),
        insurances=KindInput(requests=no_insurances(), offers=()),
        policy=instance.policy,
    )


def moved(closed, requests, to):
    """What is closed, by the places of the same requests in other columns."""
    place = {int(id_): n for n, id_ in enumerate(to.id)}
    new = [place[int(id_)] for id_ in requests.id]
    return Closed(
        institutions=tuple((new[n], code) for n, code in closed.institutions)[::-1],
        offers=tuple((new[n], code) for n, code in closed.offers)[::-1],
        counted=tuple(new[n] for n in closed.counted)[::-1],
    )


def recoded(requests):
    """The same requests with the tables of codes in another order, and codes nobody uses."""
    count = len(requests.region_codes)
    return replace(
        requests,
        region=(count - requests.region).astype(np.uint16),
        region_codes=("990000", *requests.region_codes[::-1]),
        certificates=requests.certificates << 1,
        certificate_codes=("unused", *requests.certificate_codes),
    )


def test_proposals_carry_what_the_readable_rules_find():
    instance = make_instance("product", 600, 80)
    result = run_matching(run_of(instance, closed=Closed(counted=(3, 5))), threads=1)
    loans, proposals = result.loans, result.loans.proposals
    rows, context = request_rows(instance.requests), make_context(instance.policy)
    offers = {offer.id: offer for offer in instance.offers}
    start = instance.requests.patents_start
    assert len(proposals) > 200
    assert proposals.is_conditional.any()
    value = 0
    for n in range(len(proposals)):
        request = rows[proposals.place[n]]
        assert request.id == f"R{proposals.request_id[n]}"
        offer = offers[loans.offer_ids[proposals.offer[n]]]
        pair = passing_pair(request, offer, context)
        assert pair is not None
        assert proposals.amount_fen[n] == pair.amount_fen
        assert proposals.saving_fen[n] == pair.saving_fen
        assert proposals.is_conditional[n] == pair.is_conditional
        mine = proposals.patent_id[proposals.patents_start[n] : proposals.patents_start[n + 1]]
        assert [f"P{id_ - start[proposals.place[n]]:02d}" for id_ in mine] == list(
            pair.basket.patent_ids
        )
        coverage = coverage_value_fen(request, instance.policy)
        expected = (
            first_value_fen(coverage, pair.saving_fen, offer.delivery_ppm)
            if proposals.is_first[n]
            else alternative_value_fen(pair.saving_fen, offer.delivery_ppm, instance.policy)
        )
        assert proposals.value_fen[n] == expected
        value += expected
    assert value == result.value_fen <= result.bound_fen
    assert (proposals.premium_fen == -1).all()


def test_proposals_lie_by_request_and_rank():
    instance = make_instance("product", 600, 80)
    proposals = run_matching(run_of(instance, closed=Closed(counted=(3, 5)))).loans.proposals
    assert (np.diff(proposals.request_id) >= 0).all()
    starts = np.flatnonzero(np.diff(proposals.request_id, prepend=-1))
    for a, b in zip(starts, [*starts[1:], len(proposals)], strict=True):
        assert proposals.rank[a:b].tolist() == list(range(1, b - a + 1))
        reached = proposals.place[a] in {3, 5}
        assert proposals.is_first[a:b].tolist() == [not reached, *[False] * (b - a - 1)]
        others = proposals.value_fen[a:b][~proposals.is_first[a:b]]
        assert (np.diff(others) <= 0).all()


def test_rooms_left_and_least_given_follow_from_the_proposals():
    instance = make_instance("product", 600, 80)
    loans = run_matching(run_of(instance)).loans
    proposals = loans.proposals
    for j in range(len(loans.offer_ids)):
        mine = proposals.offer == j
        assert loans.left_fen[j] == loans.room_fen[j] - proposals.amount_fen[mine].sum() >= 0
        if loans.room_count[j] < 0:
            assert loans.left_count[j] == -1
        else:
            assert loans.left_count[j] == loans.room_count[j] - mine.sum() >= 0
        least = proposals.value_fen[mine] * 10**6 // proposals.amount_fen[mine]
        assert loans.least_given_ppm[j] == (least.min() if mine.any() else -1)


def test_who_is_eligible_is_said_for_every_request():
    instance = make_instance("product", 150, 60)
    context = make_context(instance.policy)
    loans = run_matching(run_of(instance)).loans
    expected = [
        any(passing_pair(row, offer, context) for offer in instance.offers)
        for row in request_rows(instance.requests)
    ]
    assert loans.is_eligible.tolist() == expected
    assert loans.eligible_requests_count == sum(expected)


def test_digests_do_not_depend_on_order_codes_or_threads():
    instance = make_instance("product", 5_000, 100)
    requests = instance.requests
    ids = [offer.id for offer in instance.offers]
    closed = Closed(
        institutions=tuple((n, instance.offers[n % 7].institution_id) for n in range(0, 60, 3)),
        offers=tuple((n, ids[n % 11]) for n in range(0, 500, 5)),
        counted=(3, 6, 6, 9),
    )
    one = run_matching(run_of(instance, closed=closed), threads=1)
    other_rows = recoded(shuffled(requests, 1))
    other = run_matching(
        run_of(
            instance,
            other_rows,
            instance.offers[::-1],
            closed=moved(closed, requests, other_rows),
        ),
        threads=2,
    )
    assert one.input_digest == other.input_digest
    assert one.result_digest == other.result_digest


@pytest.mark.parametrize("change", ["principal_fen", "region", "patents", "offers", "counted"])
def test_the_input_digest_sees_every_change(change):
    instance = make_instance("product", 50, 10)
    requests, offers, closed = instance.requests, instance.offers, Closed()
    before = run_matching(run_of(instance)).input_digest
    if change == "patents":
        ids = requests.patents.id.copy()
        ids[-1] += 1
        requests = replace(requests, patents=replace(requests.patents, id=ids))
    elif change == "offers":
        offers = (replace(offers[0], capacity_fen=offers[0].capacity_fen + 1), *offers[1:])
    elif change == "counted":
        closed = Closed(counted=(7,))
    elif change == "region":
        region = requests.region.copy()
        region[7] = (region[7] + 1) % len(requests.region_codes)
        requests = replace(requests, region=region)
    else:
        column = getattr(requests, change).copy()
        column[7] += 100
        requests = replace(requests, **{change: column})
    assert run_matching(run_of(instance, requests, offers, closed=closed)).input_digest != before


def test_a_caller_can_stop_a_run_between_stages():
    class Cancelled(Exception):
        pass

    heard = []

    def progress(stage, _figure):
        heard.append(stage)
        if stage == "loan.prices":
            raise Cancelled

    with pytest.raises(Cancelled):
        run_matching(run_of(make_instance("product", 50, 10)), progress=progress)
    assert heard[0] == "checking"
    assert heard[-1] == "loan.prices"


def test_nobody_asks_or_nobody_offers():
    instance = make_instance("product", 50, 10)
    result = run_matching(run_of(instance, offers=()))
    assert len(result.loans.proposals) == 0
    assert result.gap == 0.0
    assert result.loans.is_eligible.tolist() == [False] * 50
