import numpy as np
import pytest
from wiring_manners import check_answers, odd_signals, signal_recording

from methods.wiring.spectral_granger import SpectralGranger, causality, multitaper, wilson
from simlab.contracts import SimlabError

PAIR = np.array([[0], [1]])


def _driven(rng, n_trials=8, n_samples=2000):
    """x0 drives x1 with a lag of one sample and x2 knows nothing: x_i = .4 x_i(t - 1) + .3 x0(t - 1) + noise."""
    x = rng.normal(size=(n_trials, n_samples, 3))
    for t in range(1, n_samples):
        x[:, t] += 0.4 * x[:, t - 1]
        x[:, t, 1] += 0.3 * x[:, t - 1, 0]
    return x


def _factors(trace, length=200):
    return wilson(multitaper(trace, length, 3.0)[PAIR[:, None], PAIR[None]])


def test_the_spectrum_of_causality_is_that_of_the_equations():
    transfer, covariance = _factors(_driven(np.random.default_rng(0), 40)[:, :, :2])
    filtered = np.abs(1 - 0.4 * np.exp(-2j * np.pi * np.arange(101) / 200)) ** 2
    # S_11 = (1 + .09 / |A|^2) / |A|^2 for noise of variance 1; estimates vary by some 15% with 3800 tapered segments
    expected = np.log(1 + 0.09 / filtered)
    found = causality(transfer, covariance, 0, 1)[0]
    assert np.abs(found - expected).mean() < 0.15 * expected.mean()
    assert causality(transfer, covariance, 1, 0)[0].mean() < 0.05 * expected.mean()


def test_factors_give_back_the_spectrum_and_are_causal():
    spectrum = multitaper(_driven(np.random.default_rng(1))[:, :, :2], 200, 3.0)
    transfer, covariance = _factors(_driven(np.random.default_rng(1))[:, :, :2])
    whole = np.einsum("abpf,bcp,dcpf->adf", transfer, covariance, transfer.conj())
    np.testing.assert_allclose(whole, spectrum[:, :, :101], atol=1e-3 * np.abs(spectrum).max())
    late = np.fft.irfft(transfer, 200, axis=3)
    np.testing.assert_allclose(late[:, :, 0, 0], np.eye(2), atol=1e-6)
    assert np.abs(late[:, :, 0, 101:]).max() < 2e-3  # as far as the iteration went: lag one has .4


def test_over_all_frequencies_it_is_grangers_measure_in_time():
    from methods.wiring.granger_causality import autoregression

    trace = _driven(np.random.default_rng(2), 20)[:, :, :2]
    full, alone = autoregression(trace, 1), autoregression(trace[:, :, 1:], 5)
    in_time = np.log(alone.variance[0] / full.variance[1])
    transfer, covariance = _factors(trace)
    whole = np.concatenate([causality(transfer, covariance, 0, 1)[0], causality(transfer, covariance, 0, 1)[0][1:-1]])
    # Geweke 1982, theorem 2: the mean of the spectrum; some .09 +- .005
    assert abs(whole.mean() - in_time) < 0.015


def test_the_driver_is_found_and_its_sign():
    rng = np.random.default_rng(3)
    estimate = SpectralGranger(segment=1.0).analyse(signal_recording(_driven(rng)), rng).estimate
    assert estimate["decided"][0, 1]
    assert not estimate["decided"][:, 0].any()
    assert estimate["sign"][0, 1] == 1


def test_independent_slow_signals_are_seldom_linked():
    found = 0
    for seed in range(4):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(6, 600, 5))
        for t in range(1, 600):
            x[:, t] += 0.9 * x[:, t - 1]
        found += SpectralGranger(surrogates=10).analyse(signal_recording(x), rng).estimate["decided"].any()
    # at .1 for each, P(more than 2 of 4) = .004
    assert found <= 2


def test_only_the_band_counts():
    rng = np.random.default_rng(4)
    world = signal_recording(_driven(rng))
    assert SpectralGranger(band=(0.0, 10.0), surrogates=5).analyse(world, rng).estimate["score"][0, 1] > 3
    assert "widen band" in SpectralGranger(band=(60.0, 80.0)).analyse(world, rng).abstained


def test_odd_recordings_are_answered_or_abstained_on():
    check_answers(SpectralGranger(surrogates=3), odd_signals())


def test_impossible_bands_and_nulls_are_refused():
    with pytest.raises(SimlabError, match="band"):
        SpectralGranger(band=(20.0, 10.0))
    with pytest.raises(SimlabError, match="null"):
        SpectralGranger(null="jitter")
