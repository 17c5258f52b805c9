"""Spikes inferred from fluorescence."""

import numpy as np
import pytest
from planted_connectivity import imaged, poisson_spikes

from methods.pipelines._steps import Unusable
from methods.pipelines.deconvolution import Deconvolution, _decay_time
from simlab.contracts import SimlabError
from simlab.data import bin_spikes, check_recording, recording


def inferred(film, seed=0, **settings):
    return Deconvolution(**settings).apply(film, np.random.default_rng(seed))


@pytest.fixture
def spikes():
    return poisson_spikes(np.random.default_rng(0), n=4, rate=0.5, trials=3, duration=100.0)


def test_inferred_spikes_are_those_that_were_fired():
    spikes = poisson_spikes(np.random.default_rng(0), n=4, rate=2.0, trials=3, duration=100.0)
    film = imaged(spikes, np.random.default_rng(1))
    found = inferred(film, 2)
    truth, guess = (bin_spikes(world, 1 / 30).values.astype(float) for world in (spikes, found))
    for unit in range(4):
        # transients of ten noise deviations, in the right frame: .93 to .95 here; some are split over two frames
        assert np.corrcoef(truth[:, :, unit].ravel(), guess[:, :, unit].ravel())[0, 1] > 0.85


def test_the_decay_is_estimated(spikes):
    film = imaged(spikes, np.random.default_rng(3), decay=0.8)
    trace = film["signal"].values[:, :, 0]
    # biased low by the 2% shrinkage of the coefficient, as in oasis: 1 / (1/.8 + .02 x 30) = .54 s
    assert 0.35 < _decay_time(trace, 0.1, 1 / 30) < 0.8


def test_a_silent_or_broken_unit_has_no_spikes(spikes):
    film = imaged(spikes, np.random.default_rng(4))
    film["signal"][:, :, 0] = 0.3
    film["signal"][0, 5, 1] = np.nan
    found = inferred(film)
    assert set(np.unique(found["spike_unit"])) == {2, 3}


def test_noise_alone_seldom_fires():
    noise = np.random.default_rng(5).normal(size=(2, 3000, 2))
    film = recording(
        duration=100.0, n_units=2, n_trials=2, signal=noise, modality="fluorescence", sample_time=np.arange(3000) / 30
    )
    found = inferred(film, decay_time=0.5)
    # 12000 frames; a tenth of a spike per second would be 40
    assert found.sizes["spike"] < 40


def test_recordings_with_spikes_pass_straight_through(spikes):
    assert inferred(spikes) is spikes


def test_spikes_take_the_place_of_the_film_and_all_else_stays(spikes):
    film = imaged(spikes, np.random.default_rng(6)).assign_attrs(brief={"candidates": ("this", "that")})
    film["condition"] = ("trial", np.array([1, 0, 1]))
    film["unit_x"] = ("unit", np.arange(4) * 1e-5)
    found = inferred(film)
    check_recording(found)
    assert "signal" not in found
    assert found.attrs["brief"] == film.attrs["brief"]
    assert found.attrs["duration"] == 100.0
    for name in ("condition", "unit_x"):
        np.testing.assert_array_equal(found[name], film[name])


def test_spike_times_are_known_to_a_frame(spikes):
    assert inferred(imaged(spikes, np.random.default_rng(6))).attrs["resolution"] == pytest.approx(1 / 30)


def test_the_same_stream_gives_the_same_spikes(spikes):
    film = imaged(spikes, np.random.default_rng(7))
    assert inferred(film, 1).identical(inferred(film, 1))


def test_what_cannot_be_deconvolved_is_unusable(spikes):
    rated = recording(
        duration=1.0, n_units=2, n_trials=1, signal=np.ones((1, 10, 2)), modality="rate", sample_time=np.arange(10) / 10
    )
    with pytest.raises(Unusable, match="needs fluorescence"):
        inferred(rated)
    film = imaged(spikes, np.random.default_rng(8))
    with pytest.raises(Unusable, match="20 frames"):
        inferred(film.isel(sample=slice(20)))
    with pytest.raises(Unusable, match="one length"):
        inferred(film.assign(trial_duration=("trial", np.array([100.0, 90.0, 80.0]))))


def test_impossible_settings_are_refused():
    with pytest.raises(SimlabError, match="threshold"):
        Deconvolution(threshold=0.0)
    with pytest.raises(SimlabError, match="decay_time"):
        Deconvolution(decay_time=-1.0)
