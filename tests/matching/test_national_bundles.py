"""A run cut into bundles of provinces gives the proposals of the run in one process."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.matching_scale.instances import make_instance
from financing.matching.national import bundles, sampling
from financing.matching.national.bundle_begin import begin
from financing.matching.national.bundle_results import BundleResult, merged, result_of
from financing.matching.national.bundles import BundleInput, Frame, bundled, cut, open_bundle
from financing.matching.national.engine import ENGINE_VERSION, seed_number
from financing.matching.national.kind_result import empty_result
from financing.matching.national.no_requests import no_insurances
from financing.matching.national.packing import Closed
from financing.matching.national.result_digest import result_digest
from financing.matching.national.rounds import Answer, Conductor, Question
from financing.matching.national.run import run_matching
from financing.matching.national.run_input import KindInput, RunInput

SIZE = (2_000, 90)
START = make_instance("product", *SIZE).offers[3].id


def kind_input():
    """Loans with closed pairs, live matches and proposals of a run before."""
    instance = make_instance("product", *SIZE)
    requests, offers = instance.requests, instance.offers
    random = np.random.default_rng(3)
    places = random.choice(len(requests), 300, replace=False)
    return instance.policy, KindInput(
        requests=requests,
        offers=offers,
        closed=Closed(
            institutions=tuple((int(p), offers[int(p) % 7].institution_id) for p in places[:100]),
            offers=tuple((int(p), offers[int(p) % len(offers)].id) for p in places[100:200]),
            counted=tuple(int(p) for p in places[200:]),
        ),
        previous=(
            np.repeat(places[:200].astype(np.int64), 2),
            random.integers(0, len(offers), 400).astype(np.int32),
        ),
    )


@pytest.fixture(scope="module", autouse=True)
def small_samples():
    """Prices are learned on a part of the requests, as in a national run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sampling, "LARGE", 1_000)
        patch.setattr(sampling, "SMALL", 500)
        yield


@pytest.fixture(scope="module")
def whole(small_samples):
    """The run in one process, by the same rounds."""
    policy, kind = kind_input()
    none = KindInput(requests=no_insurances(), offers=())
    run = RunInput(loans=kind, insurances=none, policy=policy)
    prices = {("loan", START): (5_000, 0)}
    return policy, kind, run_matching(run, start_prices=prices, over_shards=True, threads=1)


def over_bundles(policy, kind, most, order):
    """All that travels as bytes; in every round another bundle is lost and packed anew."""
    frame = Frame.from_bytes(Frame.of(kind, policy).to_bytes())
    sources = [BundleInput.from_bytes(one.to_bytes()) for one in cut(kind, frame, most)]
    seed = seed_number(policy.seed)
    held = [open_bundle(source, frame, seed) for source in sources]
    states = [None] * len(held)
    conductor = begin(kind, frame, {START: (5_000, 0)})
    while not conductor.done:
        conductor = Conductor.from_bytes(conductor.to_bytes())
        lost = conductor.number % len(held)
        bundles.answers_of(held[lost], questions(conductor, held[lost]))
        held[lost] = open_bundle(sources[lost], frame, seed)
        bundles.restore(held[lost], states[lost])
        answers = []
        for number in order(len(held)):
            bundle, before = held[number], held[number].rounds
            found = bundles.answers_of(bundle, questions(conductor, bundle))
            answers += [Answer.from_bytes(one.to_bytes()) for one in found]
            if bundle.rounds != before:
                states[number] = bundles.state_of(bundle)
        conductor.tell(answers)
    results = [result_of(bundle) for bundle in held]
    results = [BundleResult.from_bytes(one.to_bytes()) for one in results]
    return merged(conductor, frame, len(kind.requests), results)


def questions(conductor, bundle):
    asked = [conductor.question_for(shard) for shard in bundle.source.shards]
    return [Question.from_bytes(one.to_bytes()) for one in asked]


@pytest.mark.parametrize(("most", "order"), [(31, range), (5, lambda n: range(n - 1, -1, -1))])
def test_bundles_give_the_result_of_one_process(whole, most, order):
    policy, kind, expected = whole
    found = over_bundles(policy, kind, most, order)
    none = empty_result((), policy)
    assert result_digest(ENGINE_VERSION, found, none) == expected.result_digest
    assert np.array_equal(found.proposals.place, expected.loans.proposals.place)
    assert np.array_equal(found.is_eligible, expected.loans.is_eligible)
    for name in ("left_fen", "left_count", "least_given_ppm", "room_fen", "room_count"):
        assert np.array_equal(getattr(found, name), getattr(expected.loans, name)), name


def test_what_is_closed_matters_to_this_test(whole):
    policy, kind, expected = whole
    found = over_bundles(policy, replace(kind, closed=Closed()), 5, range)
    none = empty_result((), policy)
    assert result_digest(ENGINE_VERSION, found, none) != expected.result_digest


def test_a_state_taken_back_is_given_again(whole):
    policy, kind, _ = whole
    frame = Frame.of(kind, policy)
    source = cut(kind, frame, 5)[0]
    conductor = begin(kind, frame, {})
    bundle = open_bundle(source, frame, seed_number(policy.seed))
    while conductor.phase != "give":
        everyone = open_bundle(cut(kind, frame, 1)[0], frame, seed_number(policy.seed))
        conductor.tell(bundles.answers_of(everyone, questions(conductor, everyone)))
    first = [one.to_bytes() for one in bundles.answers_of(bundle, questions(conductor, bundle))]
    assert bundle.rounds == conductor.number
    bundles.restore(bundle, None)
    assert bundle.rounds == -1
    again = [one.to_bytes() for one in bundles.answers_of(bundle, questions(conductor, bundle))]
    assert again == first


def test_bundles_are_of_about_the_same_size():
    assert bundled([5]) == [(0,)]
    assert bundled([50, 1, 2, 3, 61, 4], 3) == [(4,), (0, 1, 2, 3, 5)]
    assert bundled([1] * 31, 4) == [
        tuple(range(start, min(start + 8, 31))) for start in range(0, 31, 8)
    ]
    random = np.random.default_rng(1)
    for _ in range(20):
        sizes = random.integers(1, 1000, 31).tolist()
        found = bundled(sizes)
        assert sorted(shard for members in found for shard in members) == list(range(31))
        assert len(found) <= 2 * bundles.MOST_BUNDLES
