import numpy as np
import pytest
from planted_connectivity import imaged, poisson_spikes

from methods.pipelines.deconvolved import Deconvolved, _decay_time, inferred_spikes
from methods.wiring.coupling_glm import CouplingGLM
from methods.wiring.spike_count_correlation import SpikeCountCorrelation
from methods.wiring.transfer_entropy import TransferEntropy
from simlab.contracts import Finding, Method, SimlabError
from simlab.data import bin_spikes, recording


class Witness:
    """A method that keeps what it was given."""

    name = "witness"
    question = "dimensionality"

    def analyse(self, recording, rng):
        self.seen = recording
        return Finding({"dimensionality": 1})


@pytest.fixture
def spikes():
    return poisson_spikes(np.random.default_rng(0), n=4, rate=0.5, trials=3, duration=100.0)


def test_is_itself_a_method_of_the_inner_methods_question():
    assert isinstance(Deconvolved(), Method)
    assert Deconvolved.question == "connectivity"
    assert Deconvolved(Witness()).question == "dimensionality"


def test_inferred_spikes_are_those_that_were_fired():
    spikes = poisson_spikes(np.random.default_rng(0), n=4, rate=2.0, trials=3, duration=100.0)
    film = imaged(spikes, np.random.default_rng(1))
    found = inferred_spikes(film, None, 0.5, np.random.default_rng(2))
    truth, guess = (bin_spikes(world, 1 / 30).values.astype(float) for world in (spikes, found))
    for unit in range(4):
        # transients of ten noise deviations, in the right frame: .93 to .95 here; some are split over two frames
        assert np.corrcoef(truth[:, :, unit].ravel(), guess[:, :, unit].ravel())[0, 1] > 0.85


def test_the_decay_is_estimated(spikes):
    film = imaged(spikes, np.random.default_rng(3), decay=0.8)
    trace = film["fluorescence"].values[:, :, 0]
    # biased low by the 2% shrinkage of the coefficient, as in oasis: 1 / (1/.8 + .02 x 30) = .54 s
    assert 0.35 < _decay_time(trace, 0.1, 1 / 30) < 0.8


def test_a_silent_or_broken_unit_has_no_spikes(spikes):
    film = imaged(spikes, np.random.default_rng(4))
    film["fluorescence"][:, :, 0] = 0.3
    film["fluorescence"][0, 5, 1] = np.nan
    found = inferred_spikes(film, None, 0.5, np.random.default_rng(0))
    assert set(np.unique(found["spike_unit"])) == {2, 3}


def test_noise_alone_seldom_fires():
    noise = np.random.default_rng(5).normal(size=(2, 3000, 2))
    film = recording(duration=100.0, n_units=2, n_trials=2, fluorescence=noise, frame_time=np.arange(3000) / 30)
    found = inferred_spikes(film, 0.5, 0.5, np.random.default_rng(0))
    # 12000 frames; a tenth of a spike per second would be 40
    assert found.sizes["spike"] < 40


def test_recordings_with_spikes_pass_straight_through(spikes):
    inner = Witness()
    Deconvolved(inner).analyse(spikes, np.random.default_rng(0))
    assert inner.seen is spikes


def test_the_inner_method_gets_spikes_in_the_form_of_a_recording(spikes):
    inner = Witness()
    Deconvolved(inner).analyse(imaged(spikes, np.random.default_rng(6)), np.random.default_rng(0))
    assert "fluorescence" not in inner.seen
    assert inner.seen.sizes["unit"] == 4
    assert inner.seen.attrs["duration"] == 100.0


def test_bins_grow_to_the_frame_interval():
    assert CouplingGLM().at_resolution(1 / 30).bin_width == pytest.approx(1 / 30)
    assert CouplingGLM().at_resolution(1 / 30).window == pytest.approx(4 / 30)
    assert TransferEntropy().at_resolution(0.0001) == TransferEntropy()


def test_rates_are_not_deconvolved(spikes):
    rated = recording(duration=1.0, n_units=2, n_trials=1, rate=np.ones((1, 10, 2)), time=np.arange(10) / 10)
    assert "fluorescence" in Deconvolved().analyse(rated, np.random.default_rng(0)).abstained


def test_the_same_stream_gives_the_same_answer(spikes):
    film = imaged(spikes, np.random.default_rng(7))
    first, second = (
        Deconvolved(SpikeCountCorrelation()).analyse(film, np.random.default_rng(1)).estimate for _ in range(2)
    )
    np.testing.assert_array_equal(first["score"], second["score"])


def test_only_methods_compose():
    with pytest.raises(SimlabError, match="analyse"):
        Deconvolved(method=3)
    with pytest.raises(SimlabError, match="threshold"):
        Deconvolved(threshold=0.0)
