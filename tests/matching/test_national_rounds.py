"""A run over shards: one digest however it is carried out, within every room, under its bound."""

from dataclasses import fields, replace

import numpy as np
import pytest

from benchmarks.matching_scale.instances import make_instance
from financing.matching.national import engine
from financing.matching.national.allotment import apportioned, as_wanted, largest_remainder
from financing.matching.national.certificate import bound_fen
from financing.matching.national.engine import allocate_loans, seed_number
from financing.matching.national.loan_figures import loan_savings
from financing.matching.national.orders import no_prices
from financing.matching.national.packing import NO_COUNT, pack
from financing.matching.national.proposals import worth_of
from financing.matching.national.questions import with_answers
from financing.matching.national.rounds import Answer, Conductor, Phase, Question, Turn
from financing.matching.national.sampling import begin_on_sample
from financing.matching.national.shards import (
    answer,
    lone_shard,
    nothing_given,
    province_edges,
    shards_of,
)
from financing.matching.national.tables import PatentColumns
from financing.matching.national.wire import WireError
from tests.matching.test_national_engine import dumped

KINDS = pytest.mark.parametrize("kind", ["study", "product"])
SIZE = (4_000, 150)


def part(columns, province):
    """The requests of one province as columns of their own."""
    codes = np.array([code[:2] == province for code in columns.region_codes])
    mine = np.flatnonzero(codes[columns.region])
    start = columns.patents_start
    places = np.concatenate([np.arange(start[i], start[i + 1]) for i in mine])
    flat = {"patents", "patents_start"}
    return replace(
        columns,
        **{
            f.name: getattr(columns, f.name)[mine]
            for f in fields(columns)
            if f.name not in flat and not f.name.endswith(("codes", "ids"))
        },
        patents=PatentColumns(
            **{f.name: getattr(columns.patents, f.name)[places] for f in fields(PatentColumns)}
        ),
        patents_start=np.concatenate(([0], np.cumsum(np.diff(start)[mine]))).astype(np.int64),
    )


def whole(instance):
    problem = pack(instance.requests, instance.offers, instance.policy)
    return with_answers(problem, np.arange(problem.count, dtype=np.int32))


def begun(problem, seed, shards):
    begin = begin_on_sample(
        problem,
        np.arange(problem.count, dtype=np.int32),
        no_prices(problem),
        count=problem.count,
        seed=seed,
        threads=1,
    )
    return Conductor.begin(shards, problem.room, problem.room_count, begin)


def run(conductor, shards):
    while not conductor.done:
        conductor.tell([answer(shard, conductor.question_for(shard.number)) for shard in shards])
    return conductor


@KINDS
def test_any_order_any_worker_and_lost_workers_give_the_same_digest(kind):
    instance = make_instance(kind, *SIZE)
    seed = seed_number(instance.policy.seed)
    problem = whole(instance)
    given = nothing_given(problem)
    shards = shards_of(problem, given, seed)
    one = run(begun(problem, seed, len(shards)), shards)

    # Elsewhere: provinces packed by themselves, all that travels as bytes, any order of arrival;
    # in every round some worker is lost and its shard made afresh from its last state.
    random = np.random.default_rng(4)
    provinces = [code for code, _, _ in province_edges(problem)]

    def made(number):
        columns = part(instance.requests, provinces[number])
        problem = pack(columns, instance.offers, instance.policy)
        problem = with_answers(problem, np.arange(problem.count, dtype=np.int32))
        return lone_shard(number, problem, seed)

    others = [made(number) for number in range(len(provinces))]
    states = [shard.state_bytes() for shard in others]
    two = begun(problem, seed, len(others))
    while not two.done:
        two = Conductor.from_bytes(two.to_bytes())
        lost = int(random.integers(len(others)))
        answer(others[lost], two.question_for(lost))  # nobody hears this answer
        others[lost] = made(lost)
        others[lost].restore(states[lost])
        answers = []
        for number in random.permutation(len(others)):
            question = Question.from_bytes(two.question_for(int(number)).to_bytes())
            answers.append(Answer.from_bytes(answer(others[number], question).to_bytes()))
            states[number] = others[number].state_bytes()
        two.tell(answers)
    assert two.value_fen == one.value_fen
    assert two.digest() == one.digest()
    assert two.totals == one.totals


@KINDS
def test_rooms_hold_and_the_bound_can_be_recomputed(kind):
    instance = make_instance(kind, *SIZE)
    seed = seed_number(instance.policy.seed)
    problem = whole(instance)
    given = nothing_given(problem)
    shards = shards_of(problem, given, seed)
    conductor = run(begun(problem, seed, len(shards)), shards)
    used = np.zeros(len(problem.room), dtype=np.int64)
    pieces = np.zeros(len(problem.room), dtype=np.int64)
    for names, amounts in zip(given.offer, given.amount, strict=True):
        taken = [int(j) for j in names if j >= 0]
        houses = [problem.offer_rows[j].institution_id for j in taken]
        assert len(set(houses)) == len(houses)
        for j, amount in zip(names, amounts, strict=True):
            if j >= 0:
                used[j] += amount
                pieces[j] += 1
    assert (used <= problem.room).all()
    assert (pieces <= problem.room_count).all()
    # Raises where a proposal breaks a rule or states another amount.
    worth = worth_of(problem, given, loan_savings(problem, given), seed)
    assert int(worth.value_fen.sum()) == conductor.value_fen
    again = bound_fen(*dumped(problem, conductor.prices))
    assert abs(again - conductor.bound_fen) <= 1
    assert 0.93 * conductor.bound_fen < conductor.value_fen <= conductor.bound_fen
    assert conductor.totals["proposals_count"] == int((given.offer >= 0).sum())


@KINDS
def test_where_rooms_hold_hundreds_of_loans_hardly_anything_is_lost(kind):
    instance = make_instance(kind, 40_000, 40)
    found = allocate_loans(instance.requests, instance.offers, instance.policy, over_shards=True)
    assert found.gap < 0.0005


def test_the_run_of_one_process_asks_the_same_questions(monkeypatch):
    monkeypatch.setattr(engine, "KEEP_ALL", 0)
    monkeypatch.setattr(engine, "KEEP_NEAR", 0)
    instance = make_instance("product", *SIZE)
    heard = []
    found = allocate_loans(
        instance.requests,
        instance.offers,
        instance.policy,
        threads=2,
        progress=lambda stage, _figure: heard.append(stage),
    )
    problem = whole(instance)
    seed = seed_number(instance.policy.seed)
    given = nothing_given(problem)
    shards = shards_of(problem, given, seed)
    conductor = run(begun(problem, seed, len(shards)), shards)
    assert (found.value_fen, found.bound_fen) == (conductor.value_fen, conductor.bound_fen)
    assert {"prices 1", "give 1", "ask 2", "values 3"} <= set(heard)


def test_answers_of_another_round_or_shard_are_refused():
    instance = make_instance("study", 400, 30)
    problem = whole(instance)
    shards = shards_of(problem, nothing_given(problem), 1)
    conductor = begun(problem, 1, len(shards))
    answers = [answer(shard, conductor.question_for(shard.number)) for shard in shards]
    with pytest.raises(ValueError, match="one answer of each shard"):
        conductor.tell(answers[1:])
    with pytest.raises(ValueError, match="one answer of each shard"):
        conductor.tell([*answers[1:], answers[1]])
    conductor.tell(answers)
    with pytest.raises(ValueError, match="one answer of each shard"):
        conductor.tell(answers)
    with pytest.raises(ValueError, match="put to shard"):
        answer(shards[0], conductor.question_for(1))
    with pytest.raises(WireError):
        Answer.from_bytes(conductor.question_for(0).to_bytes())
    with pytest.raises(WireError):
        Question.from_bytes(b"something else")


def test_room_is_not_given_twice():
    instance = make_instance("study", 400, 30)
    problem = whole(instance)
    shards = shards_of(problem, nothing_given(problem), 1)
    conductor = begun(problem, 1, len(shards))
    while conductor.phase is not Phase.GIVE:
        conductor.tell([answer(shard, conductor.question_for(shard.number)) for shard in shards])
    question = conductor.question_for(0)
    answer(shards[0], question)
    with pytest.raises(ValueError, match="given already"):
        answer(shards[0], question)


def test_largest_remainder_gives_all_and_nothing_more():
    assert largest_remainder(10, [1, 1, 1]) == [4, 3, 3]
    assert largest_remainder(7, [3, 0, 4]) == [3, 0, 4]
    assert largest_remainder(5, [0, 0]) == [0, 0]
    random = np.random.default_rng(3)
    for _ in range(50):
        wishes = [int(one) for one in random.integers(0, 10**17, 31)]
        room = int(random.integers(0, 10**18))
        parts = largest_remainder(room, wishes)
        assert sum(parts) == room
        exact = [room * wish / sum(wishes) for wish in wishes]
        assert all(abs(a - b) <= 1 + 1e-9 * b for a, b in zip(parts, exact, strict=True))


def test_rooms_are_divided_by_what_is_asked():
    room_fen = np.array([1_000, 900, 500, 10, 0])
    room_count = np.array([NO_COUNT, 3, NO_COUNT, NO_COUNT, NO_COUNT])
    asked_fen = np.array([[300, 0, 0, 90, 10], [100, 60, 0, 30, 10]])
    asked_count = np.array([[30, 0, 0, 1, 1], [10, 6, 0, 1, 1]])
    fen, count = apportioned(room_fen, room_count, asked_fen, asked_count)
    # By 3 : 1; alone; nobody asks; too small to be cut in two; nothing there.
    assert fen.tolist() == [[750, 0, 0, 10, 0], [250, 900, 0, 0, 0]]
    assert count[:, 1].tolist() == [0, 3]
    assert (count[:, 0] == NO_COUNT).all()
    assert (fen.sum(axis=0) <= room_fen).all()


def test_what_is_wanted_is_given_and_the_rest_to_who_wants_most():
    room_fen = np.array([1_000, 500, 70, 400])
    room_count = np.array([NO_COUNT, 7, NO_COUNT, NO_COUNT])
    wanted_fen = np.array([[300, 500, 100, 0], [100, 60, 30, 0], [200, 70, 10, 0]])
    wanted_count = np.array([[3, 5, 1, 0], [1, 2, 1, 0], [2, 3, 1, 0]])
    fen, count = as_wanted(room_fen, room_count, wanted_fen, wanted_count)
    # Room over; too much wanted, of money and pieces; less than what the two smaller want; nobody.
    assert fen.tolist() == [[700, 370, 30, 0], [100, 60, 30, 0], [200, 70, 10, 0]]
    assert count[:, 1].tolist() == [2, 2, 3]
    assert (count[:, [0, 2, 3]] == NO_COUNT).all()


@pytest.mark.parametrize("turn", [Turn(True, (1_000_000,)), Turn(False, (500_000, 0))])
def test_questions_travel_whole(turn):
    problem = whole(make_instance("product", 300, 20))
    part = np.arange(len(problem.room))
    question = Question(
        3, 1, Phase.ASK, no_prices(problem), turn, problem.room, problem.room_count, part, 9
    )
    again = Question.from_bytes(question.to_bytes())
    assert again.to_bytes() == question.to_bytes()
    assert again.phase is Phase.ASK
    assert (again.turn, again.blur_ppm) == (turn, 9)
    assert (again.part == part).all()
    assert (again.room_count == problem.room_count).all()
