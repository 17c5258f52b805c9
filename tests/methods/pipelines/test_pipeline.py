"""A pipeline is a method whose declarations follow from its parts."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pytest
from planted_connectivity import coupled_spikes, imaged, poisson_spikes, ring_weight

from methods.pipelines.binning import Binning
from methods.pipelines.deconvolution import Deconvolution
from methods.pipelines.pipeline import Pipeline
from methods.pipelines.smoothing import Smoothing
from methods.pipelines.unit_selection import UnitSelection
from methods.pipelines.z_scoring import ZScoring
from methods.wiring.coupling_glm import CouplingGLM
from methods.wiring.granger_causality import GrangerCausality
from methods.wiring.spike_count_correlation import SpikeCountCorrelation
from methods.wiring.transfer_entropy import TransferEntropy
from simlab.contracts import Finding, Method, Needs, SimlabError
from simlab.data import bare, missing, modality, recording


@dataclass(frozen=True)
class Witness:
    """A method that keeps what it was given."""

    name: ClassVar[str] = "witness"
    question: ClassVar[str] = "dimensionality"
    family: ClassVar[str] = "witnessing"
    library: ClassVar[str] = "scikit-learn"
    needs: ClassVar[Needs] = Needs(trials=3)

    interval: float = 0.0
    seen: list = field(default_factory=list)

    def analyse(self, recording, rng):
        self.seen.append((recording, self.interval))
        return Finding({"dimensionality": 1})

    def at_resolution(self, interval):
        return Witness(interval, self.seen)


@pytest.fixture
def spikes():
    return poisson_spikes(np.random.default_rng(0), n=4, rate=0.5, trials=3, duration=100.0)


def analyse(method, world, seed=0):
    return method.analyse(world, np.random.default_rng(seed))


def coupled(seed):
    """Two pairs whose effect outlasts a frame."""
    weight = np.zeros((4, 4))
    weight[0, 1] = weight[2, 3] = 2.0
    rng = np.random.default_rng(seed)
    return weight, coupled_spikes(weight, rng, rate=1.0, trials=10, duration=60.0, decay=0.05)


def test_is_itself_a_method_that_answers_the_inner_methods_question():
    made = Pipeline((Deconvolution(), Binning(), ZScoring()), Witness())
    assert isinstance(made, Method)
    assert (made.question, made.family) == ("dimensionality", "witnessing")
    assert made.library == "oasis-deconv, scikit-learn"
    assert made.needs == Needs(("fluorescence", "spikes"), trials=3)
    assert Pipeline((Binning(),), GrangerCausality()).library == "own"


def test_a_default_pipeline_declares_what_its_class_does():
    for part in ("question", "family", "library", "needs"):
        assert getattr(Pipeline(), part) == getattr(Pipeline, part)
    assert Pipeline() == Pipeline()
    assert isinstance(hash(Pipeline()), int)


def test_a_pipeline_in_a_pipeline_is_their_chain():
    inner = Pipeline((Binning(), ZScoring()), GrangerCausality())
    assert Pipeline((Deconvolution(),), inner).needs == Pipeline((Deconvolution(), Binning()), GrangerCausality()).needs


def test_couplings_are_found_through_deconvolution():
    weight, world = coupled(0)
    found = analyse(Pipeline((Deconvolution(),), CouplingGLM()), imaged(world, np.random.default_rng(50))).estimate
    assert found["decided"][weight != 0].all()
    assert (found["sign"][weight != 0] == 1).all()


def test_independent_units_are_seldom_called_connected_through_deconvolution():
    # at a false discovery rate of .05 with nothing to find: P(more than 2 of 5) = .001
    calls = 0
    for seed in range(5):
        rng = np.random.default_rng(seed)
        film = imaged(poisson_spikes(rng, n=4, rate=1.5, trials=5, duration=60.0), rng)
        calls += analyse(Pipeline((Deconvolution(),), CouplingGLM()), film).estimate["decided"].any()
    assert calls <= 2


def test_binning_in_front_equals_binning_within():
    world = coupled_spikes(ring_weight(4), np.random.default_rng(5), trials=10)
    inside = analyse(GrangerCausality(bin_width=0.005), world).estimate
    before = analyse(Pipeline((Binning(0.005),), GrangerCausality()), world).estimate
    for name in inside:
        np.testing.assert_allclose(before[name], inside[name])


def test_steps_run_in_their_order(spikes):
    inner = Witness()
    analyse(Pipeline((Smoothing(), ZScoring()), inner), spikes)
    seen = inner.seen[0][0]
    assert modality(seen) == "rate"
    np.testing.assert_allclose(seen["signal"].std(("trial", "sample")), 1.0)


def test_a_method_is_told_how_finely_spike_times_are_known(spikes):
    inner = Witness()
    analyse(Pipeline((Deconvolution(),), inner), imaged(spikes, np.random.default_rng(6)))
    analyse(Pipeline((), inner), spikes)
    analyse(Pipeline((), inner), spikes.assign_attrs(resolution=0.01))
    assert [interval for _, interval in inner.seen] == [pytest.approx(1 / 30), 0.0, 0.01]


def test_bins_grow_to_the_frame_interval():
    assert CouplingGLM().at_resolution(1 / 30).bin_width == pytest.approx(1 / 30)
    assert CouplingGLM().at_resolution(1 / 30).window == pytest.approx(4 / 30)
    assert TransferEntropy().at_resolution(0.0001) == TransferEntropy()


def test_what_the_first_step_lacks_is_said_by_the_needs(spikes):
    rated = recording(
        duration=1.0, n_units=2, n_trials=1, signal=np.ones((1, 10, 2)), modality="rate", sample_time=np.arange(10) / 10
    )
    made = Pipeline((Deconvolution(),), CouplingGLM())
    assert missing(rated, made.needs) == "needs fluorescence or spikes, and this recording holds rate"
    assert missing(imaged(spikes, np.random.default_rng(0)), made.needs) == ""
    assert "needs fluorescence" in analyse(made, rated).abstained


def test_a_step_that_cannot_work_and_a_result_that_lacks_something_are_abstentions(spikes):
    film = imaged(spikes, np.random.default_rng(0)).isel(sample=slice(20))
    assert analyse(Pipeline((Deconvolution(),), CouplingGLM()), film).abstained.startswith(
        "deconvolution: trials of 20"
    )
    lonely = spikes.isel(spike=np.flatnonzero(spikes["spike_unit"].values == 2))
    reason = analyse(Pipeline((UnitSelection(),), CouplingGLM()), lonely).abstained
    assert reason == "needs at least 2 units, got 1 (behind unit_selection)"


def test_units_that_were_left_out_are_in_the_answer_wherever_the_step_stands():
    world = coupled_spikes(ring_weight(6), np.random.default_rng(7), trials=20)
    spikes = tuple(world[name].values for name in ("spike_trial", "spike_time", "spike_unit"))
    # two silent units are recorded beside the six, and the order is mixed
    order = np.array([6, 2, 0, 7, 1, 5, 3, 4])
    seen = bare(recording(duration=10.0, n_units=8, n_trials=20, spikes=spikes), order)
    expected = np.zeros((8, 8), dtype=bool)
    expected[:6, :6] = ring_weight(6) != 0
    for steps in ((UnitSelection(), Binning(0.005)), (Binning(0.005), UnitSelection())):
        found = analyse(Pipeline(steps, GrangerCausality(alpha=0.001)), seen).estimate
        np.testing.assert_array_equal(found["decided"] & expected[np.ix_(order, order)], expected[np.ix_(order, order)])
        silent = np.flatnonzero(order >= 6)
        assert (found["p"][silent] == 1.0).all()
        assert not found["score"][:, silent].any()


def test_an_answer_that_is_not_about_units_passes(spikes):
    quiet = recording(
        duration=100.0, n_units=5, n_trials=3,
        spikes=tuple(spikes[name].values for name in ("spike_trial", "spike_time", "spike_unit")),
    )  # fmt: skip
    assert analyse(Pipeline((UnitSelection(),), Witness()), quiet).estimate == {"dimensionality": 1}


def test_an_error_in_a_step_is_no_abstention(spikes):
    class Broken(ZScoring):
        def apply(self, recording, rng):
            raise ValueError("a mistake")

    with pytest.raises(ValueError, match="a mistake"):
        analyse(Pipeline((Broken(),), Witness()), spikes)


def test_the_same_stream_gives_the_same_answer(spikes):
    film = imaged(spikes, np.random.default_rng(7))
    made = Pipeline((Deconvolution(),), SpikeCountCorrelation())
    np.testing.assert_array_equal(analyse(made, film, 1).estimate["score"], analyse(made, film, 1).estimate["score"])


def test_only_what_fits_composes():
    class Named:
        name = "named"

    with pytest.raises(SimlabError, match="analyse"):
        Pipeline(method=3)
    with pytest.raises(SimlabError, match="without library, apply, before"):
        Pipeline(steps=(Named(),), method=Witness())
    with pytest.raises(SimlabError, match=r"write \(Deconvolution\(.*\),\) for a single one"):
        Pipeline(steps=Deconvolution())
    with pytest.raises(SimlabError, match=r"write Deconvolution\(\) with brackets"):
        Pipeline(steps=(Deconvolution,))
    with pytest.raises(SimlabError, match="what follows it needs spikes"):
        Pipeline((Binning(),), CouplingGLM())
