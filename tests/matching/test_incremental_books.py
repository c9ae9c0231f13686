"""New requests beside packed offers, offers beside packed requests: as the readable rules say."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from benchmarks.matching_scale.instances import make_instance
from benchmarks.matching_scale.rows import request_rows
from financing.matching.national.from_rows import request_columns
from financing.matching.national.offer_book import OfferBook
from financing.matching.national.packing import Closed
from financing.matching.national.request_book import Takers, best_within, request_book, takers
from tests.matching.ceilings import around_the_ceiling
from tests.matching.instances import instances
from tests.matching.oracle_pairs import readable_pairs
from tests.matching.rows import loan_offer, loan_request, policy

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
