"""What all methods of connectivity owe: right edges in an easy world, few in an empty one, and manners."""

from functools import cache

import numpy as np
import pytest
from planted_connectivity import coupled_spikes, imaged, poisson_spikes, ring_weight, unequal

from methods.pipelines.deconvolution import Deconvolution
from methods.pipelines.pipeline import Pipeline
from methods.wiring.coupling_glm import CouplingGLM
from methods.wiring.cross_correlogram import CrossCorrelogram
from methods.wiring.granger_causality import GrangerCausality
from methods.wiring.spike_count_correlation import SpikeCountCorrelation
from methods.wiring.spiking_probability_edges import SpikingProbabilityEdges
from methods.wiring.transfer_entropy import TransferEntropy
from simlab.contracts import Method
from simlab.data import bare, equal_trials, missing, recording

SPIKING = (CrossCorrelogram(), CouplingGLM(), TransferEntropy(), SpikingProbabilityEdges())
DIRECTED = (*SPIKING, CrossCorrelogram(predictor="jitter"), TransferEntropy(significance="chi2"), GrangerCausality())
METHODS = (*DIRECTED, SpikeCountCorrelation())
every_method = pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
WEIGHT = ring_weight(8)


@pytest.fixture
def rng():
    return np.random.default_rng(11)


@pytest.fixture(scope="module")
def ring():
    return coupled_spikes(WEIGHT, np.random.default_rng(5), trials=30)


def _analyse(method, world, seed=0):
    return method.analyse(world, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def answer(ring):
    """What a method answers about the ring with the first stream: computed once, and read by several tests."""
    return cache(lambda method: _analyse(method, ring).estimate)


def _auroc(score, truth):
    off = ~np.eye(len(truth), dtype=bool)
    yes, no = score[off & truth], score[off & ~truth]
    return (yes[:, None] > no).mean() + 0.5 * (yes[:, None] == no).mean()


@every_method
def test_is_a_method_of_connectivity(method):
    assert isinstance(method, Method)
    assert method.question == "connectivity"
    assert isinstance(hash(method), int)


@every_method
def test_planted_couplings_are_found_with_their_sign(method, answer):
    estimate = answer(method)
    truth = WEIGHT != 0
    assert estimate["decided"][truth].all()
    np.testing.assert_array_equal(estimate["sign"][truth], np.sign(WEIGHT[truth]))


@pytest.mark.parametrize("method", DIRECTED, ids=lambda m: m.name)
def test_rows_are_presynaptic(method, answer):
    score = answer(method)["score"]
    truth = WEIGHT != 0
    # each of the eight true edges outranks its reverse; an undirected method would do so half of the time: 2^-8
    assert (score[truth] > score.T[truth]).all()
    # pairwise methods also see the chain's second steps, so not a perfect ranking
    assert _auroc(score, truth) > 0.9


@every_method
def test_the_answer_has_the_form_of_the_question(method, answer):
    estimate = answer(method)
    assert set(estimate) - {"weight"} == {"score", "decided", "sign", "p"}
    assert all(value.shape == (8, 8) for value in estimate.values())
    assert np.isfinite(estimate["score"]).all()
    assert estimate["decided"].dtype == bool
    assert set(np.unique(estimate["sign"])) <= {-1, 0, 1}
    assert ((estimate["p"] >= 0) & (estimate["p"] <= 1)).all()
    assert (estimate["p"].diagonal() == 1).all()


@every_method
def test_decisions_follow_from_the_p_values(method, answer):
    estimate = answer(method)
    off = ~np.eye(8, dtype=bool)
    assert estimate["p"][estimate["decided"]].max() <= method.alpha
    assert estimate["p"][estimate["decided"]].max() < estimate["p"][off & ~estimate["decided"]].min()


@every_method
def test_the_same_stream_gives_the_same_answer_and_the_recording_is_left_as_it_was(method, ring, answer):
    first, before = answer(method), ring.copy(deep=True)
    second = _analyse(method, ring).estimate
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
    assert ring.identical(before)


@every_method
def test_unit_order_does_not_matter(method, ring, answer):
    order = np.array([3, 0, 7, 1, 6, 2, 5, 4])
    shuffled = _analyse(method, bare(ring, order)).estimate["decided"]
    straight = answer(method)["decided"]
    # surrogates differ by their draws, so a borderline edge may flip; 56 pairs
    assert (shuffled != straight[np.ix_(order, order)]).sum() <= 4


@every_method
def test_independent_units_are_seldom_called_connected(method):
    # At a false discovery rate of .05 with nothing to discover, a recording has an edge with probability <= .05
    # (correlation and both surrogate tests are not exact: allow .1). P(more than 3 of 8 | .1) = .005 per method.
    worlds = [poisson_spikes(np.random.default_rng(seed), n=10, rate=5.0, trials=10) for seed in range(8)]
    assert sum(_analyse(method, world).estimate["decided"].any() for world in worlds) <= 3


@every_method
def test_a_unit_that_never_fires_is_connected_to_nobody(method, ring):
    spikes = tuple(ring[name].values for name in ("spike_trial", "spike_time", "spike_unit"))
    world = recording(duration=ring.attrs["duration"], n_units=9, n_trials=ring.sizes["trial"], spikes=spikes)
    estimate = _analyse(method, world).estimate
    assert not estimate["decided"][8].any()
    assert not estimate["decided"][:, 8].any()
    assert estimate["decided"][:8, :8][WEIGHT != 0].all()


@every_method
def test_one_unit_is_too_few(method):
    world = poisson_spikes(np.random.default_rng(0), n=1)
    assert "at least 2 units" in _analyse(method, world).abstained


@every_method
def test_trials_shorter_than_the_lags_are_too_short(method):
    spikes = (np.array([0, 1]), np.array([0.001, 0.002]), np.array([0, 1]))
    world = recording(duration=0.003, n_units=2, n_trials=2, spikes=spikes)
    assert _analyse(method, world).abstained


@every_method
def test_no_spikes_at_all_is_no_answer(method):
    nothing = (np.array([], int), np.array([]), np.array([], int))
    world = recording(duration=10.0, n_units=3, n_trials=2, spikes=nothing)
    assert _analyse(method, world).abstained


@every_method
def test_a_handful_of_spikes_does_no_harm(method):
    spikes = (np.array([0, 0, 1, 1]), np.array([0.5, 0.502, 0.7, 0.7]), np.array([0, 1, 1, 2]))
    world = recording(duration=2.0, n_units=3, n_trials=2, spikes=spikes)
    finding = _analyse(method, world)
    assert finding.abstained or np.isfinite(finding.estimate["score"]).all()


@every_method
def test_twin_units_do_no_harm(method, ring):
    trial, time, unit = (ring[name].values for name in ("spike_trial", "spike_time", "spike_unit"))
    twin = unit == 0
    spikes = (np.r_[trial, trial[twin]], np.r_[time, time[twin]], np.r_[unit, np.full(twin.sum(), 8)])
    world = recording(duration=ring.attrs["duration"], n_units=9, n_trials=ring.sizes["trial"], spikes=spikes)
    assert np.isfinite(_analyse(method, world).estimate["score"]).all()


@pytest.mark.parametrize("method", SPIKING, ids=lambda m: m.name)
def test_spiking_methods_abstain_on_fluorescence_and_rate(method, rng):
    trace = rng.normal(size=(2, 100, 3))
    for kind in ("fluorescence", "rate"):
        world = recording(
            duration=10.0, n_units=3, n_trials=2, signal=trace, modality=kind, sample_time=np.arange(100) / 10
        )
        assert missing(world, method.needs) == f"needs spikes, and this recording holds {kind}"
        assert _analyse(method, world).abstained == missing(world, method.needs)


@pytest.mark.parametrize("method", SPIKING, ids=lambda m: m.name)
def test_spiking_methods_run_composed_with_deconvolution(method, rng):
    world = poisson_spikes(rng, n=3, rate=1.0, trials=2, duration=60.0)
    finding = _analyse(Pipeline((Deconvolution(),), method), imaged(world, rng))
    assert not finding.abstained
    assert finding.estimate["score"].shape == (3, 3)


@pytest.mark.parametrize("method", SPIKING, ids=lambda m: m.name)
def test_trials_of_unequal_length_are_as_good_as_equal_ones(method, ring):
    world = unequal(ring, np.linspace(5.0, 10.0, 30))
    assert not missing(world, method.needs)
    estimate = _analyse(method, world).estimate
    assert estimate["decided"][WEIGHT != 0].all()
    np.testing.assert_array_equal(estimate["sign"][WEIGHT != 0], np.sign(WEIGHT[WEIGHT != 0]))


@pytest.mark.parametrize("method", SPIKING, ids=lambda m: m.name)
def test_unequal_trials_without_couplings_have_no_edges(method):
    # bins beyond a trial's end, in which everybody is silent, would make all units vary together if they counted.
    # At a false discovery rate of .05 (allow .1 for the surrogate tests), P(more than 2 of 6) = .016 per method.
    found = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        world = unequal(poisson_spikes(rng, n=8, rate=10.0, trials=20, duration=8.0), np.linspace(0.4, 8.0, 20))
        found += _analyse(method, world).estimate["decided"].any()
    assert found <= 2


@pytest.mark.parametrize("method", [GrangerCausality(), SpikeCountCorrelation()], ids=lambda m: m.name)
def test_methods_of_samples_need_trials_of_one_length(method, ring):
    world = unequal(ring, np.linspace(5.0, 10.0, 30))
    assert "one length" in missing(world, method.needs)
    assert "one length" in _analyse(method, world).abstained
    assert _analyse(method, equal_trials(world)).estimate["decided"][WEIGHT != 0].all()
