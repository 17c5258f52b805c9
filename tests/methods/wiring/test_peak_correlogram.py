import numpy as np
import pytest
from planted_connectivity import coupled_spikes, poisson_spikes
from wiring_manners import check_answers, discoveries, odd_spikes

from methods.wiring.cross_correlogram import CrossCorrelogram
from methods.wiring.peak_correlogram import PeakCorrelogram
from simlab.contracts import SimlabError
from simlab.data import recording


def _follower(rng, lag, n_followed, *, spread=0.0005, duration=600.0, rate=5.0):
    """Two Poisson units; unit 1 also fires `lag` [s] after `n_followed` of unit 0's spikes, give or take `spread`."""
    a, b = (np.sort(rng.uniform(0.1, duration - 0.1, rng.poisson(rate * duration))) for _ in range(2))
    b = np.concatenate([b, rng.choice(a, n_followed, replace=False) + lag + spread * rng.normal(size=n_followed)])
    spikes = (np.zeros(len(a) + len(b), int), np.concatenate([a, b]), np.repeat([0, 1], [len(a), len(b)]))
    return recording(duration=duration, n_units=2, n_trials=1, spikes=spikes)


@pytest.mark.parametrize("lag", [0.002, 0.008, 0.015])
def test_peaks_are_found_wherever_synapses_put_them(lag):
    rng = np.random.default_rng(0)
    world = _follower(rng, lag, 90)
    finding = PeakCorrelogram().analyse(world, rng)
    np.testing.assert_array_equal(finding.estimate["decided"], [[False, True], [False, False]])
    assert finding.estimate["sign"][0, 1] == 1
    assert abs(finding.notes["latency"][0, 1] - lag) < 0.0015
    assert CrossCorrelogram().analyse(world, rng).estimate["decided"][0, 1] == (lag < 0.004)


@pytest.mark.parametrize(("lag", "spread", "pairs"), [(0.0, 0.001, 120), (0.008, 0.03, 800), (0.0, 0.012, 600)])
def test_synchrony_and_broad_peaks_are_not_synaptic(lag, spread, pairs):
    rng = np.random.default_rng(1)
    assert not PeakCorrelogram().analyse(_follower(rng, lag, pairs, spread=spread), rng).estimate["decided"].any()


def test_a_trough_is_inhibition():
    weight = np.array([[0.0, -4.0], [0.0, 0.0]])
    world = coupled_spikes(weight, np.random.default_rng(2), rate=25.0, trials=40, decay=0.006, delay=4)
    estimate = PeakCorrelogram().analyse(world, np.random.default_rng(0)).estimate
    np.testing.assert_array_equal(estimate["decided"], [[False, True], [False, False]])
    assert estimate["sign"][0, 1] == -1


@pytest.mark.parametrize("kind", ["refractory", "bursty", "autocorrelated"])
def test_independent_units_are_seldom_called_connected(kind):
    # at .05 for each recording, P(more than 2 of 9) = .008
    assert discoveries(PeakCorrelogram(), kind, 3) <= 2


def test_odd_recordings_are_answered_or_abstained_on():
    reasons = check_answers(PeakCorrelogram(), odd_spikes())
    assert set(reasons) == {"no spike", "one unit", "short trials"}


def test_coarser_spike_times_widen_everything():
    coarse = PeakCorrelogram().at_resolution(0.005)
    assert coarse.bin_width == 0.005
    assert coarse.causal_window == pytest.approx((0.01, 0.2))
    world = poisson_spikes(np.random.default_rng(3), n=3, rate=5.0, trials=4)
    assert not coarse.analyse(world, np.random.default_rng(0)).abstained


def test_impossible_boxes_are_refused():
    with pytest.raises(SimlabError, match="widths"):
        PeakCorrelogram(widths=(0.05,))
    with pytest.raises(SimlabError, match="start < stop"):
        PeakCorrelogram(causal_window=(0.02, 0.001))
