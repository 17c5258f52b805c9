import numpy as np
import pytest
from planted_connectivity import coupled_spikes, unequal
from wiring_manners import independent, signal_recording

from methods.wiring._pairs import surrogate_p
from methods.wiring._surrogates import studentised_p, surrogate
from simlab.contracts import SimlabError


def _counts(world):
    counts = np.zeros((world.sizes["trial"], world.sizes["unit"]), dtype=int)
    np.add.at(counts, (world["spike_trial"].values, world["spike_unit"].values), 1)
    return counts


def _short_intervals(world, unit):
    mine = world["spike_unit"].values == unit
    cell = world["spike_trial"].values[mine] * 100 + world["spike_time"].values[mine]
    return (np.diff(cell) < 0.01).sum()


@pytest.mark.parametrize("null", ["shift", "trials", "jitter"])
def test_what_surrogates_keep(null):
    rng = np.random.default_rng(0)
    world = independent("bursty", 3, 30, rng)
    made = surrogate(world, null, 0.2, rng)
    before, after = _counts(world), _counts(made)
    np.testing.assert_array_equal(np.sort(before, axis=0), np.sort(after, axis=0))
    assert (before == after).all() == (null != "trials")
    bursts = [[_short_intervals(each, unit) for unit in range(3)] for each in (world, made)]
    # rotating breaks one interval of a trial at most; jitter over .2 s leaves few intervals below 10 ms
    if null == "jitter":
        assert (np.array(bursts[1]) < 0.5 * np.array(bursts[0])).all()
    else:
        assert (np.abs(np.subtract(*bursts)) <= 30).all()
    time = made["spike_time"].values
    assert ((time >= 0) & (time < 2.0)).all()
    order = np.lexsort((made["spike_unit"].values, time, made["spike_trial"].values))
    assert (order == np.arange(len(time))).all()


def test_surrogates_lose_the_wiring():
    weight = np.array([[0.0, 4.0], [0.0, 0.0]])
    world = coupled_spikes(weight, np.random.default_rng(1), trials=10, duration=5.0)
    made = surrogate(world, "shift", 0.25, np.random.default_rng(2))

    def followed(each):
        cell = each["spike_trial"].values * 100 + each["spike_time"].values
        first, second = (cell[each["spike_unit"].values == unit] for unit in (0, 1))
        return sum(((second > t) & (second < t + 0.006)).sum() for t in first)

    assert followed(made) < 0.6 * followed(world)


def test_signals_are_rotated_or_exchanged_whole():
    trace = np.random.default_rng(0).normal(size=(5, 40, 2))
    world = signal_recording(trace)
    rotated = surrogate(world, "shift", 0.1, np.random.default_rng(0))["signal"].values
    np.testing.assert_allclose(np.sort(rotated, axis=1), np.sort(trace, axis=1))
    exchanged = surrogate(world, "trials", 0.1, np.random.default_rng(0))["signal"].values
    np.testing.assert_allclose(np.sort(exchanged[:, 3], axis=0), np.sort(trace[:, 3], axis=0))


def test_nulls_that_cannot_be_made_are_refused():
    world = independent("refractory", 2, 3, np.random.default_rng(0))
    with pytest.raises(SimlabError, match="of one length"):
        surrogate(unequal(world, np.array([1.0, 2.0, 1.5])), "trials", 0.1, np.random.default_rng(0))
    with pytest.raises(SimlabError, match="jitter moves spikes"):
        surrogate(signal_recording(np.ones((2, 20, 2))), "jitter", 0.1, np.random.default_rng(0))


def test_pairs_of_unequal_spread_have_right_p_values():
    rng = np.random.default_rng(3)
    spread = np.exp(rng.normal(0, 1, (20, 20)))
    off = ~np.eye(20, dtype=bool)
    ours, pooled = [], []
    for _ in range(20):
        drawn = spread * rng.normal(size=(21, 20, 20))
        ours.append(studentised_p(drawn[0], drawn[1:])[1][off])
        pooled.append(surrogate_p(drawn[0], drawn[1:])[1][off])
    # 7600 p-values, 380 for each pooled null: at .01, sd .0011; the pooled ones are those of the widest pairs
    assert abs((np.array(ours) < 0.01).mean() - 0.01) < 0.005
    assert abs((np.array(ours) < 0.3).mean() - 0.3) < 0.03
    widest = np.broadcast_to(spread[off] > np.quantile(spread[off], 0.9), (20, 380))
    assert (np.array(pooled)[widest] < 0.01).mean() > 0.03
    assert (np.array(ours)[widest] < 0.01).mean() < 0.025
