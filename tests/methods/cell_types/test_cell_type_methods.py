"""Typing by what units do to others and by how they fire: each finds what it is made for, and keeps quiet elsewhere."""

from functools import cache

import numpy as np
import pytest
from planted_connectivity import coupled_spikes, poisson_spikes
from wiring_manners import odd_spikes

from methods.cell_types._signs import p_inhibitory, pooled, significant
from methods.cell_types.correlogram_sign import CorrelogramSign
from methods.cell_types.firing_statistics import FiringStatistics, features
from methods.cell_types.glm_sign import GLMSign
from simlab.contracts import SimlabError
from simlab.data import recording
from simlab.questions.cell_type import CellType
from simlab.questions.form import sizes_of, validate

SIGN_READERS = (CorrelogramSign(), CorrelogramSign(evidence="pooled"), CorrelogramSign(predictor="jitter"), GLMSign())
STATISTICS = (FiringStatistics(), FiringStatistics(rule="k_means"))
SIGNS = "?EEIEI" + "?" * 5


@cache
def coupled():
    """Unit 0 is on its own; units 1 to 5 have one synapse each, of the sign that `SIGNS` says, onto 6 to 10."""
    weight = np.zeros((11, 11))
    for pre in range(1, 6):
        weight[pre, pre + 5] = {"E": 1.2, "I": -4.0}[SIGNS[pre]]
    return planted(weight, seed=0)


def planted(weight, seed):
    """Poisson units at 15 Hz with these couplings, in continuous time."""
    world = coupled_spikes(weight, np.random.default_rng(seed), rate=15.0, trials=60)
    jitter = np.random.default_rng(1).uniform(-0.0005, 0.0005, world.sizes["spike"])
    spikes = (world["spike_trial"].values, world["spike_time"].values + jitter, world["spike_unit"].values)
    return recording(duration=10.0, n_units=len(weight), n_trials=60, spikes=spikes)


@cache
def two_ways(slow=16, fast=4, seed=0):
    """Units that fire at 1 to 5 Hz and pause for some 30 ms after each spike, and fast ones at 10 to 30 Hz; 300 s."""
    rng, columns = np.random.default_rng(seed), []
    for unit in range(slow + fast):
        rate, dead = (rng.uniform(1, 5), 0.03) if unit < slow else (rng.uniform(10, 30), 0.001)
        interval = dead * rng.gamma(4, 0.25, 12_000) + rng.exponential(1 / rate - dead, 12_000)
        time = interval.cumsum()
        time = time[time < 300.0]
        columns.append((np.zeros(len(time), int), time, np.full(len(time), unit)))
    trial, time, unit = map(np.concatenate, zip(*columns, strict=True))
    return recording(duration=300.0, n_units=slow + fast, n_trials=1, spikes=(trial, time, unit))


def analysed(method, world, seed=0):
    return method.analyse(world, np.random.default_rng(seed))


@pytest.mark.parametrize("method", SIGN_READERS)
def test_planted_signs_are_read_and_units_without_synapses_are_left_open(method):
    found = analysed(method, coupled()).estimate
    assert "".join(found["label"]) == SIGNS
    assert found["score"][[3, 5]].min() > 0.9
    assert found["score"][[1, 2, 4]].max() < 0.1


@pytest.mark.parametrize("method", SIGN_READERS)
def test_independent_units_are_left_open(method):
    labelled = 0
    for seed in range(4):
        world = poisson_spikes(np.random.default_rng(seed), n=8, rate=10.0, trials=10)
        labelled += (analysed(method, world).estimate["label"] != "?").any()
    # a false discovery rate of .05 is an error rate where nothing is true: 3 or more of 4 come once in 2000 times
    assert labelled <= 2


def test_a_unit_of_both_signs_is_typed_by_the_majority_of_its_pairs():
    weight = np.zeros((8, 8))
    weight[0, [2, 3, 4]], weight[0, 5], weight[1, 6], weight[1, 7] = 1.5, -4.0, 1.5, -4.0
    found = analysed(CorrelogramSign(), planted(weight, seed=3))
    assert found.notes["votes"][0] > found.notes["votes"][1] == 0
    assert found.estimate["label"][:2].tolist() == ["E", "?"]


@pytest.mark.parametrize("method", STATISTICS)
def test_two_ways_of_firing_are_told_apart(method):
    found = analysed(method, two_ways()).estimate
    assert found["label"].tolist() == ["E"] * 16 + ["I"] * 4
    assert (found["score"] > 0.5).tolist() == [False] * 16 + [True] * 4


def test_a_rate_alone_is_a_rule_too():
    found = analysed(FiringStatistics(rule="rate"), two_ways()).estimate
    assert found["label"].tolist() == ["E"] * 16 + ["I"] * 4
    higher = analysed(FiringStatistics(rule="rate", rate_threshold=1000.0), two_ways()).estimate
    assert set(higher["label"]) == {"E"}
    assert (higher["score"] < found["score"]).all()


def test_a_mixture_abstains_where_all_units_fire_alike():
    for seed in range(2):
        world = poisson_spikes(np.random.default_rng(seed), n=20, rate=5.0, trials=10)
        assert "fire in one way" in analysed(FiringStatistics(), world).abstained


def test_units_that_hardly_fire_stay_open_and_too_few_others_are_not_clustered():
    world = two_ways()
    few = (world["spike_unit"].values != 2) | (np.arange(world.sizes["spike"]) < 300)
    spikes = tuple(world[f"spike_{name}"].values[few] for name in ("trial", "time", "unit"))
    found = analysed(FiringStatistics(), recording(duration=300.0, n_units=20, n_trials=1, spikes=spikes)).estimate
    assert (found["label"][2], found["score"][2]) == ("?", 0.5)
    assert (found["label"] == "?").sum() == 1
    assert "needs 8 units of 100000 spikes" in analysed(FiringStatistics(least_spikes=100_000), world).abstained


@pytest.mark.parametrize("method", STATISTICS)
def test_in_a_short_recording_no_unit_is_typed_wrongly_for_want_of_spikes(method):
    # Ratios of a handful of pairs, drawn to 1 or not at all, once made a cluster of the units that fire seldom.
    world = two_ways()
    early = world["spike_time"].values < 60.0
    spikes = tuple(world[f"spike_{name}"].values[early] for name in ("trial", "time", "unit"))
    label = analysed(method, recording(duration=60.0, n_units=20, n_trials=1, spikes=spikes)).estimate["label"]
    assert set(label[:16]) == {"E", "?"}
    assert set(label[16:]) == {"I"}


def test_features_are_those_of_poisson_units():
    values = features(poisson_spikes(np.random.default_rng(0), n=6, rate=8.0, trials=60), np.ones(6, bool))
    assert np.exp(values[:, 0]) == pytest.approx(8.0, rel=0.1)
    assert values[:, 1:] == pytest.approx(1.0, abs=0.12)  # CV2, burst ratio and rise of a Poisson process are 1


@pytest.mark.parametrize("method", [*SIGN_READERS, *STATISTICS, FiringStatistics(rule="rate")])
def test_odd_recordings_are_answered_in_form_or_abstained_from(method):
    for what, world in odd_spikes():
        finding = validate(analysed(method, world), CellType(), sizes_of(world), {})
        if what == "no spike":
            assert finding.abstained, what
        if what == "a silent unit" and not finding.abstained:
            assert finding.estimate["label"][3] == "?", what


def test_pooled_deviates_of_independent_effects_are_standard_normal():
    rng = np.random.default_rng(0)
    sums = np.concatenate([pooled(rng.standard_normal((20, 20))) for _ in range(200)])
    assert sums.std() == pytest.approx(1.0, abs=0.05)  # standard error of 4000 / sqrt(8000) = .011
    assert p_inhibitory(np.array([-40.0, 0.0, 40.0]), 0.2) == pytest.approx([1.0, 0.2, 0.0])
    assert significant(np.array([5.0, -5.0, 1.0]), 0.05).tolist() == ["E", "I", "?"]


def test_impossible_parameters_are_refused():
    with pytest.raises(SimlabError, match="causal_window needs start < stop"):
        CorrelogramSign(causal_window=(0.004, 0.001))
    with pytest.raises(SimlabError, match="needs bin_width < window"):
        GLMSign(window=0.001)
