"""What sets of parts achieve: every measure against its definition, worked the long way on random tables."""

from __future__ import annotations

from itertools import chain, combinations, permutations

import numpy as np
import pytest

from simlab.coalitions import (
    faithfulness,
    members,
    minimal_sets,
    n_parts_of,
    number_of,
    sampled_shapley,
    shapley,
    single_losses,
    subgame,
    with_lapses,
)
from simlab.contracts import SimlabError

RNG = np.random.default_rng(5)
TABLES = {n: RNG.random(2**n) for n in (1, 2, 3, 5)}
EITHER_AND = np.array([0, 0, 0, 0, 0, 1, 1, 1], dtype=float)  # (a or b) and c
each = pytest.mark.parametrize("values", TABLES.values(), ids=TABLES)


def v(values: np.ndarray, parts) -> float:
    """What a set of parts achieves."""
    return float(values[sum(2**part for part in parts)])


def subsets(parts):
    parts = sorted(parts)
    return chain.from_iterable(combinations(parts, size) for size in range(len(parts) + 1))


def test_sets_are_numbered_by_their_parts():
    assert members(2).tolist() == [[False, False], [True, False], [False, True], [True, True]]
    assert members(0).shape == (1, 0)
    assert [number_of(one) for one in members(5)] == list(range(32))
    assert [n_parts_of(np.zeros(2**n)) for n in range(17)] == list(range(17))


@each
def test_the_shapley_value_is_the_mean_over_all_orders_of_what_a_part_adds(values):
    n = n_parts_of(values)
    added = np.zeros(n)
    orders = list(permutations(range(n)))
    for order in orders:
        for place, part in enumerate(order):
            added[part] += v(values, order[: place + 1]) - v(values, order[:place])
    np.testing.assert_allclose(shapley(values), added / len(orders), atol=1e-12)


@each
def test_shapley_values_share_out_all_that_is_gained(values):
    assert shapley(values).sum() == pytest.approx(values[-1] - values[0])


def test_of_either_and_gate_the_values_are_a_sixth_a_sixth_and_two_thirds():
    assert shapley(EITHER_AND) == pytest.approx([1 / 6, 1 / 6, 2 / 3], abs=1e-15)
    assert single_losses(EITHER_AND).tolist() == [0, 0, 1]
    assert not len(shapley(np.array([0.3])))
    assert not len(single_losses(np.array([0.3])))


@each
def test_a_single_loss_is_what_is_gone_without_one_part(values):
    n = n_parts_of(values)
    expected = [v(values, range(n)) - v(values, set(range(n)) - {part}) for part in range(n)]
    assert single_losses(values).tolist() == expected


@pytest.mark.parametrize("parts", [(), (0,), (2, 4), (4, 2), (0, 1, 2, 3, 4)])
def test_a_subgame_leaves_the_others_intact(parts):
    values = TABLES[5]
    others = set(range(5)) - set(parts)
    small = subgame(values, np.array(parts, dtype=int))
    for one in subsets(range(len(parts))):
        assert v(small, one) == v(values, others | {parts[i] for i in one})


@pytest.mark.parametrize("lapse", [0.0, 1.0, 0.3, np.array([0.5, 0.0, 0.2, 1.0, 0.1])], ids=str)
def test_lapses_are_averaged_over(lapse):
    values = TABLES[5]
    fails = np.broadcast_to(lapse, (5,))
    found = with_lapses(values, lapse)
    for one in subsets(range(5)):
        expected = 0.0
        for left in subsets(one):
            gone = set(one) - set(left)
            expected += v(values, left) * np.prod([fails[i] if i in gone else 1 - fails[i] for i in one])
        assert v(found, one) == pytest.approx(expected)
    assert values is TABLES[5]
    assert found is not values


def test_lapses_are_what_simulated_trials_lose():
    values, fails, trials = TABLES[5], np.array([0.5, 0.0, 0.2, 0.9, 0.1]), 40_000
    rng = np.random.default_rng(2)
    stated = with_lapses(values, fails)
    for one in members(5)[[31, 22, 9]]:
        there = one & (rng.random((trials, 5)) >= fails)
        outcome = values[there @ 2 ** np.arange(5)]
        error = outcome.std() / np.sqrt(trials)
        assert outcome.mean() == pytest.approx(stated[number_of(one)], abs=4 * error + 1e-12)


@each
def test_faithfulness_runs_from_no_part_to_all(values):
    found = faithfulness(values)
    assert (found[0], found[-1]) == pytest.approx((0, 1))
    np.testing.assert_allclose(found, (values - values[0]) / (values[-1] - values[0]))
    assert faithfulness(np.full(8, 0.7)).tolist() == [1.0] * 8  # where parts add nothing, none of them does it all


@pytest.mark.parametrize("least", [0.0, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_minimal_sets_are_those_that_do_and_of_which_no_smaller_one_does(seed, least):
    """Random tables, most of them not monotone; every fourth has steps, so that many sets are alike."""
    values = np.random.default_rng(seed).random(32)
    values = np.round(values) if seed % 2 else values
    values[0], values[-1] = 0.0, 1.0
    enough = {one for one in subsets(range(5)) if v(values, one) >= least - 1e-9}
    expected = {one for one in enough if not any(set(other) < set(one) for other in enough)}
    found = [tuple(np.flatnonzero(one).tolist()) for one in minimal_sets(values, least)]
    assert len(found) == len(set(found))
    assert set(found) == expected


def test_a_behaviour_that_needs_nobody_has_the_empty_circuit():
    assert minimal_sets(np.full(8, 0.7), 0.8).tolist() == [[False] * 3]
    assert minimal_sets(np.array([0.4]), 0.8).shape == (1, 0)


def test_sampled_shapley_values_are_right_and_know_how_sure_they_are():
    """Intervals of 1.96 standard errors over 40 orders cover 95% of the time; 300 values, four standard errors."""
    values, covered, means = TABLES[5], [], []

    def achieved(sets: np.ndarray) -> np.ndarray:
        return values[sets @ 2 ** np.arange(5)]

    for seed in range(60):
        found = sampled_shapley(achieved, 5, 40, np.random.default_rng(seed))
        covered.append(np.abs(found.value - shapley(values)) < 1.96 * found.error)
        means.append(found.value)
        assert found.value.sum() == pytest.approx(values[-1] - values[0])
    assert np.mean(covered) == pytest.approx(0.945, abs=4 * np.sqrt(0.05 * 0.95 / 300))
    spread = np.std(means, axis=0, ddof=1) / np.sqrt(60)
    assert (np.abs(np.mean(means, axis=0) - shapley(values)) < 4 * spread).all()


def test_sampled_values_may_be_of_more_parts_than_can_be_enumerated():
    weights = np.arange(40.0)
    found = sampled_shapley(lambda sets: sets @ weights, 40, 3, np.random.default_rng(0))
    assert found.value == pytest.approx(weights)  # of a sum, each part adds its own in any order
    assert found.error == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: members(17), "at most 16 parts are enumerated, got 17: sample them"),
        (lambda: members(-1), "got -1"),
        (lambda: shapley(np.zeros(6)), r"2\*\*n values, got 6"),
        (lambda: minimal_sets(np.zeros(0), 0.8), r"2\*\*n values, got 0"),
        (lambda: sampled_shapley(lambda s: s.sum(axis=1), 3, 1, RNG), "at least 2 orders, got 1"),
    ],
)
def test_what_is_no_table_is_refused(call, message):
    with pytest.raises(SimlabError, match=message):
        call()
