import numpy as np
import pytest
from planted_connectivity import coupled_spikes, poisson_spikes

from methods.wiring._pairs import on_grid
from methods.wiring.transfer_entropy import TransferEntropy, delayed_transfer_entropy
from simlab.contracts import SimlabError
from simlab.data import recording


def _by_hand(source, target, delay):
    """TE [bits per bin] of two binary trains by its definition; bins whose past is missing count it as silent."""
    past = np.concatenate([[0], target[:-1]])
    driver = np.concatenate([np.zeros(delay, int), source[:-delay]])
    joint = np.zeros((2, 2, 2))
    np.add.at(joint, (target, past, driver), 1)
    joint /= joint.sum()
    given_both = joint / joint.sum(axis=0, keepdims=True)
    own = joint.sum(axis=2)
    given_past = own / own.sum(axis=0, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = joint * np.log2(given_both / given_past[:, :, None])
    return np.nansum(terms)


def test_transfer_entropy_equals_its_definition():
    # 200 Hz, so that each of the eight joint states occurs; silent at the end, so that no spike's future is cut off
    world = poisson_spikes(np.random.default_rng(0), n=3, rate=200.0, trials=1)
    early = world["spike_time"].values < 9.9
    spikes = tuple(world[name].values[early] for name in ("spike_trial", "spike_time", "spike_unit"))
    ticks = on_grid(recording(duration=10.0, n_units=3, n_trials=1, spikes=spikes), 0.001).binary()
    trains = np.zeros((3, ticks.n_ticks), dtype=int)
    trains[ticks.unit, ticks.tick] = 1
    bits, _ = delayed_transfer_entropy(ticks, 5)
    for source, target in ((0, 1), (2, 0), (1, 2)):
        for delay in range(1, 6):
            by_hand = _by_hand(trains[source], trains[target], delay)
            np.testing.assert_allclose(bits[source, target, delay - 1], by_hand, rtol=1e-9)


def test_covariance_has_the_sign_of_the_coupling():
    weight = np.array([[0.0, 2.0, 0.0], [0.0, 0.0, -4.0], [0.0, 0.0, 0.0]])
    ticks = on_grid(coupled_spikes(weight, np.random.default_rng(1), trials=20, delay=3), 0.001).binary()
    _, covariance = delayed_transfer_entropy(ticks, 10)
    assert covariance[0, 1, 2:6].min() > 0
    assert covariance[1, 2, 2:6].max() < 0


def test_the_peak_is_at_the_delay_of_the_coupling():
    weight = np.array([[0.0, 3.0], [0.0, 0.0]])
    world = coupled_spikes(weight, np.random.default_rng(2), trials=20, delay=7, decay=0.001)
    finding = TransferEntropy().analyse(world, np.random.default_rng(0))
    # the trace is first felt in the bin after it has been updated: `delay` bins after the spike
    assert abs(finding.notes["delay"][0, 1] - 0.007) < 1.5e-3
    assert finding.notes["coincidence_index"][0, 1] > 0.5


def test_twice_n_te_is_chi_square_when_nothing_flows():
    ticks = on_grid(poisson_spikes(np.random.default_rng(3), n=10, rate=150.0, trials=5), 0.001).binary()
    bits, _ = delayed_transfer_entropy(ticks, 8)
    statistic = 2 * ticks.n_bins * np.log(2) * bits[~np.eye(10, dtype=bool)]
    # chi-square with 2 degrees: mean 2, sd 2; 720 weakly dependent values: sd of the mean .075, five of them
    assert abs(statistic.mean() - 2) < 0.375


def test_an_unknown_test_is_refused():
    with pytest.raises(SimlabError, match="jitter, chi2"):
        TransferEntropy(significance="bootstrap")


def test_in_coarse_bins_delays_begin_at_zero():
    weight = np.array([[0.0, 3.0], [0.0, 0.0]])
    world = coupled_spikes(weight, np.random.default_rng(4), trials=20)
    coarse = TransferEntropy(significance="chi2").at_resolution(0.033)
    found = coarse.analyse(world, np.random.default_rng(0))
    assert found.estimate["decided"][0, 1]
    assert found.notes["delay"][0, 1] == 0
    assert TransferEntropy(significance="chi2").analyse(world, np.random.default_rng(0)).notes["delay"][0, 1] > 0
