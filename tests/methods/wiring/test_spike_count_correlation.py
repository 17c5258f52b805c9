import numpy as np
from planted_connectivity import poisson_spikes
from scipy.signal import lfilter

from methods.wiring._correlations import correlation, inflation
from methods.wiring.spike_count_correlation import SpikeCountCorrelation
from simlab.data import bin_spikes, recording


def test_correlations_are_those_of_the_counts():
    world = poisson_spikes(np.random.default_rng(0), n=4, trials=1, duration=100.0)
    counts = bin_spikes(world, 0.02).values.astype(float)
    np.testing.assert_allclose(correlation(counts - counts.mean(axis=1)), np.corrcoef(counts[0].T), atol=1e-12)


def test_slow_signals_count_as_fewer_samples():
    rng = np.random.default_rng(1)
    phi = 0.9
    trace = lfilter([1.0], [1.0, -phi], rng.normal(size=(1, 50_000, 2)), axis=1)
    # two AR(1) signals of coefficient phi: sum over lags of phi^(2|k|) = (1 + phi^2) / (1 - phi^2) = 9.5
    exact = (1 + phi**2) / (1 - phi**2)
    assert abs(inflation(trace - trace.mean(axis=1, keepdims=True))[0, 1] / exact - 1) < 0.1


def test_independent_slow_fluorescence_is_not_called_connected():
    decided = 0
    for seed in range(6):
        noise = np.random.default_rng(seed).normal(size=(4, 900, 8))
        world = recording(
            duration=30.0,
            n_units=8,
            n_trials=4,
            signal=lfilter([1.0], [1.0, -0.97], noise, axis=1),
            modality="fluorescence",
            sample_time=np.arange(900) / 30,
        )
        decided += SpikeCountCorrelation().analyse(world, np.random.default_rng(0)).estimate["decided"].any()
    # each recording errs with probability <= .05, allow .1 for estimated autocorrelations: P(more than 3 of 6) = .001
    assert decided <= 3


def test_drifts_from_trial_to_trial_do_not_count():
    decided = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        rate = np.repeat([2.0, 20.0], 10)
        counts = rng.poisson(rate[:, None] * 5.0, (20, 4))
        trial, unit = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
        spikes = (trial, rng.uniform(0, 5, counts.sum()), unit)
        world = recording(duration=5.0, n_units=4, n_trials=20, spikes=spikes)
        decided += SpikeCountCorrelation().analyse(world, rng).estimate["decided"].any()
    # each of 20 recordings errs with probability <= .05: P(more than 4) = .003
    assert decided <= 4


def test_the_answer_is_symmetric():
    rng = np.random.default_rng(3)
    estimate = SpikeCountCorrelation().analyse(poisson_spikes(rng, n=5), rng).estimate
    for value in estimate.values():
        np.testing.assert_array_equal(value, value.T)


def test_shared_drive_is_taken_for_connections():
    # what the method cannot tell: no synapse here, one common rate
    rng = np.random.default_rng(4)
    drive = rng.gamma(2.0, 0.5, (30, 500, 1)) * 0.1
    counts = rng.poisson(np.broadcast_to(drive, (30, 500, 4)))
    trial, step, unit = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
    world = recording(duration=10.0, n_units=4, n_trials=30, spikes=(trial, (step + 0.5) * 0.02, unit))
    assert SpikeCountCorrelation().analyse(world, rng).estimate["decided"].sum() == 12
