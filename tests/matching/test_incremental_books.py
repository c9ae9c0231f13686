"""New requests beside packed offers, offers beside packed requests: as the readable rules say."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from benchmarks.matching_scale.instances import make_instance
from benchmarks.matching_scale.rows import request_rows
from financing.matching.national.best_within import best_within
from financing.matching.national.from_rows import request_columns
from financing.matching.national.offer_book import OfferBook
from financing.matching.national.packing import Closed
from financing.matching.national.request_book import Takers, request_book, takers
from financing.matching.tables import LimitStep, OfferFee
from tests.matching.ceilings import around_the_ceiling
from tests.matching.instances import instances
from tests.matching.oracle_pairs import readable_pairs
from tests.matching.rows import WAN, loan_offer, loan_request, policy

BUDGET = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def pairs_of_requests(book, requests):
    """Every pair one request at a time -> amount, saving, worth as first and as another."""
    pairs = {}
    for i, request in enumerate(requests):
        found = book.fits(request)
        assert list(found.first) == sorted(found.first, reverse=True)
        for j, *figures in zip(*found, strict=True):
            pairs[i, book.rows[j].id] = tuple(map(int, figures))
    return pairs


def pairs_of_offers(book, offers, *, threads=1):
    """Every pair one offer at a time -> amount, saving."""
    pairs = {}
    for offer in offers:
        found = takers(book, offer, threads=threads)
        for i, amount, saving in zip(found.place, found.amount_fen, found.saving_fen, strict=True):
            assert (int(i), offer.id) not in pairs
            pairs[int(i), offer.id] = (int(amount), int(saving))
    return pairs


def short(pairs):
    return {pair: figures[:2] for pair, figures in pairs.items()}


@BUDGET
@given(instances())
def test_edges_agree_with_the_readable_rules(instance):
    requests, offers, rules = instance["requests"], instance["offers"], instance["policy"]
    expected = readable_pairs(requests, offers, rules)
    assert pairs_of_requests(OfferBook(offers, rules), requests) == expected
    book = request_book(request_columns(requests), rules)
    assert pairs_of_offers(book, offers) == short(expected)


def test_a_realistic_instance_agrees_with_the_readable_rules():
    instance = make_instance("product", 150, 60)
    rows = request_rows(instance.requests)
    expected = readable_pairs(rows, instance.offers, instance.policy)
    assert len(expected) > 40
    book = OfferBook(instance.offers, instance.policy)
    assert pairs_of_requests(book, rows) == expected
    requests = request_book(instance.requests, instance.policy)
    assert pairs_of_offers(requests, instance.offers) == short(expected)


def test_amounts_around_the_ceiling_are_asked_one_by_one():
    asked, offers, rules = around_the_ceiling()
    expected = readable_pairs(asked, offers, rules)
    assert pairs_of_requests(OfferBook(offers, rules), asked) == expected
    book = request_book(request_columns(asked), rules)
    assert pairs_of_offers(book, offers) == short(expected)


def test_limits_of_the_yearly_cost_are_the_request_s_own():
    offers = [
        loan_offer(id=f"O{rate}", interest_rate_ppm=rate) for rate in (30_000, 33_000, 36_000)
    ]
    book = OfferBook(offers, policy())
    for limit in (None, 30_500, 33_500, None):
        request = loan_request(max_apr_ppm=limit)
        expected = readable_pairs([request], offers, policy())
        assert pairs_of_requests(book, [request]) == expected


def test_the_ends_of_the_range_of_principals_are_included():
    request = loan_request()
    least, most = request.least_accepted_fen, request.principal_fen
    ranges = [(most + n, 10**9) for n in (0, 100)] + [(0, least - n) for n in (0, 100)]
    offers = [
        loan_offer(id=f"O{n}", principal_min_fen=low, principal_max_fen=high)
        for n, (low, high) in enumerate(ranges)
    ]
    expected = readable_pairs([request], offers, policy())
    assert {offer for _, offer in expected} == {"O0", "O2"}
    assert pairs_of_requests(OfferBook(offers, policy()), [request]) == expected
    book = request_book(request_columns([request]), policy())
    assert pairs_of_offers(book, offers) == short(expected)


def test_a_book_made_from_the_one_before_knows_the_change_and_no_more():
    instance = make_instance("product", 60, 50)
    rows = request_rows(instance.requests)
    first = OfferBook(instance.offers, instance.policy)
    pairs_of_requests(first, rows)
    changed = replace(
        instance.offers[7],
        interest_rate_ppm=20_000,
        regions=frozenset(),
        required_certificates=frozenset({"never_seen"}),
    )
    cheaper = replace(instance.offers[9], interest_rate_ppm=20_000, regions=frozenset())
    new = loan_offer(id="O999", institution_id="I-new", size_classes=frozenset())
    for offers in (
        [*instance.offers[1:9], cheaper, *instance.offers[10:]],
        [*instance.offers[:7], changed, *instance.offers[8:], new],
    ):
        book = OfferBook(offers, instance.policy, before=first)
        assert pairs_of_requests(book, rows) == readable_pairs(rows, offers, instance.policy)
    tomorrow = replace(instance.policy, lpr_one_year_ppm=34_000)
    book = OfferBook(instance.offers, tomorrow, before=first)
    assert pairs_of_requests(book, rows) == readable_pairs(rows, instance.offers, tomorrow)


def test_what_is_closed_or_full_is_left_out():
    instance = make_instance("product", 400, 20)
    offer = max(
        instance.offers,
        key=lambda o: len(takers(request_book(instance.requests, instance.policy), o)),
    )
    everybody = {
        i for i, _ in pairs_of_offers(request_book(instance.requests, instance.policy), [offer])
    }
    some = sorted(everybody)[:6]
    assert len(some) == 6
    rules = replace(instance.policy, max_proposals_count=2)
    book = request_book(
        instance.requests,
        rules,
        closed=Closed(
            institutions=((some[0], offer.institution_id), (some[1], "I-other")),
            offers=((some[2], offer.id), (some[3], "O-other")),
            counted=(some[4], some[5], some[5]),
        ),
    )
    found = takers(book, offer)
    assert everybody - {int(i) for i in found.place} == {some[0], some[2], some[5]}
    assert [int(i) for i in found.place[found.is_reached]] == [some[4]]


@pytest.mark.parametrize("threads", [1, 3])
def test_parts_do_not_change_what_is_found(threads):
    instance = make_instance("product", 20_000, 40)
    book = request_book(instance.requests, instance.policy)
    offer = replace(
        instance.offers[0],
        regions=frozenset(),
        industries=frozenset(),
        required_certificates=frozenset(),
        term_max_months=60,
        interest_rate_ppm=25_000,
    )
    one, more = takers(book, offer), takers(book, offer, threads=threads)
    assert len(one) > 100
    assert all(np.array_equal(a, b) for a, b in zip(one, more, strict=True))


def greedy(found, room, count):
    """The same by hand: everybody in order, whoever still fits."""
    order = sorted(
        range(len(found)),
        key=lambda x: (
            bool(found.is_reached[x]),
            -Fraction(int(found.worth_fen[x]), int(found.amount_fen[x])),
            int(found.place[x]) * 7 % 11,
        ),
    )
    chosen = []
    for x in order:
        if found.amount_fen[x] <= room and len(chosen) < count:
            chosen.append(x)
            room -= int(found.amount_fen[x])
    return chosen


@pytest.mark.parametrize("seed", range(8))
def test_the_room_goes_to_the_best_that_still_fit(seed):
    random = np.random.default_rng(seed)
    size = int(random.integers(1, 6_000))
    amount = random.integers(1, 40, size).astype(np.int64) * 100
    found = Takers(
        random.permutation(size).astype(np.int32),
        amount,
        amount // 50,
        np.where(random.random(size) < 0.5, amount * 3, random.integers(0, 500, size)),
        random.random(size) < 0.3,
    )
    for room, count in ((0, 9), (50_000, 10**9), (200_000, 40), (10**9, 10**9)):
        chosen = best_within(found, room, count, lot=lambda place: place * 7 % 11)
        amounts = [int(found.amount_fen[x]) for x in chosen]
        expected = greedy(found, room, count)
        assert amounts == [int(found.amount_fen[x]) for x in expected]
        assert [int(found.worth_fen[x]) for x in chosen] == [
            int(found.worth_fen[x]) for x in expected
        ]


def test_shares_that_floats_cannot_tell_apart_are_in_their_exact_order():
    random = np.random.default_rng(5)
    amount = 10**12 - random.integers(0, 3_000, 4_000)
    found = Takers(
        np.arange(4_000, dtype=np.int32),
        amount,
        amount,
        amount * 3 + random.integers(0, 2, 4_000),
        np.zeros(4_000, dtype=np.bool_),
    )
    assert len(np.unique(found.worth_fen / found.amount_fen)) < 50
    chosen = best_within(found, 5 * 10**14, lot=lambda place: place * 7 % 11)
    expected = greedy(found, 5 * 10**14, 10**9)
    ties = Fraction(int(found.worth_fen[chosen[-1]]), int(found.amount_fen[chosen[-1]]))
    assert len(chosen) == len(expected) == 500
    shares = [Fraction(int(found.worth_fen[x]), int(found.amount_fen[x])) for x in chosen]
    assert shares == [Fraction(int(found.worth_fen[x]), int(found.amount_fen[x])) for x in expected]
    assert shares[0] > ties


def odd_instance(seed):
    """Values beyond what a sketch's bytes hold, tables, fixed fees, hundreds of patents."""
    random = np.random.default_rng(seed)
    instance = make_instance("product", 160, 60, seed)
    codes = [f"K{number}" for number in range(19)]
    tables = (
        (LimitStep(1, 40 * WAN), LimitStep(3, 900 * WAN)),
        (LimitStep(2, 300 * WAN), LimitStep(90, 20_000 * WAN)),
    )

    def odd(number, offer):
        basis = ("appraised", "limit_table", "share_of_principal")[number % 3]
        return replace(
            offer,
            regions=frozenset() if number % 2 else offer.regions,
            size_classes=frozenset(),
            industries=offer.industries if number % 4 == 0 else frozenset(),
            required_certificates=frozenset(map(str, random.choice(codes, number % 3 % 2))),
            principal_min_fen=int(random.choice((0, 1, 30 * WAN, 30 * WAN + 1))),
            principal_max_fen=int(random.choice((30 * WAN, 10**9, 10**11 - 1))),
            min_patents_count=int(random.choice((1, 1, 2, 86))),
            min_operating_months=int(random.choice((0, 36, 300))),
            margin_months=int(random.choice((0, 12, 280))),
            collateral_basis=basis,
            limit_table=tables[number % 2] if basis == "limit_table" else (),
            secured_share_ppm=600_000 if basis == "share_of_principal" else None,
            unappraised_limit_fen=int(random.choice((30, 800))) * WAN if number % 5 == 0 else None,
            appraisal_fee_fen=20_000,
            appraisal_max_age_months=(None, 12, 300)[number % 3],
            fees=(
                OfferFee("borrower", "upfront", int(random.choice((0, 300_000, 2_000_000))), 1_000),
            ),
            interest_rate_ppm=int(random.integers(15_000, 36_000)),
        )

    def more(patents, times):
        many = patents * times
        return tuple(replace(patent, id=f"P{n:03d}") for n, patent in enumerate(many))

    rows = [
        replace(
            row,
            industry_code="C3911",
            certificates=frozenset(map(str, random.choice(codes, 12))),
            established_on=date(1900 if number % 3 else 2022, 6, 20),
            principal_fen=max(row.principal_fen, 30 * WAN + number % 2),
            least_accepted_fen=(1, 30 * WAN, max(row.principal_fen, 30 * WAN))[number % 3],
            patents=more(row.patents, int(random.choice((0, 1, 1, 2, 100)))),
        )
        for number, row in enumerate(request_rows(instance.requests))
    ]
    return rows, [odd(number, offer) for number, offer in enumerate(instance.offers)], instance


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_odd_values_agree_with_the_readable_rules(seed):
    rows, offers, instance = odd_instance(seed)
    expected = readable_pairs(rows, offers, instance.policy)
    assert len(expected) > 200
    book = request_book(request_columns(rows), instance.policy)
    assert pairs_of_offers(book, offers) == short(expected)
    assert pairs_of_requests(OfferBook(offers, instance.policy), rows) == expected


def test_sketches_leave_no_request_out_that_the_rules_keep(monkeypatch):
    instance = make_instance("product", 30_000, 60)
    book = request_book(instance.requests, instance.policy)
    sifted = [takers(book, offer, threads=2) for offer in instance.offers]
    looked_at = []

    def every_line(start, stop, stretch, sketch, wanted, lines):
        at = np.searchsorted(stretch.edge, np.arange(start, stop), side="right") - 1
        lines[:] = np.arange(start, stop) + (stretch.begin - stretch.edge[:-1])[at]
        looked_at.append(stop - start)
        return stop - start

    monkeypatch.setattr("financing.matching.national.request_book.sift", every_line)
    for offer, found in zip(instance.offers, sifted, strict=True):
        expected = takers(book, offer)
        assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))
    assert sum(looked_at) > 5 * sum(len(found) for found in sifted) > 10_000
