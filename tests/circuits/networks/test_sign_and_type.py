"""Two types of neurons under Dale's law: plausible, as alike as the dial says, and of the signs that truth tells."""

from functools import cache

import numpy as np
import pytest
from spiking_bench import interval_cvs

import simlab
from circuits.networks.sign_and_type import SignAndType
from methods.cell_types.firing_statistics import features
from simlab.contracts import SimlabError
from simlab.data import mean_rates
from simlab.questions.cell_type import CellType
from simlab.session import Effect, Session
from simlab.simulators.lif_theory import LIF
from simlab.streams import stream


@cache
def subject():
    return SignAndType().subject(stream(1, "subject"))


@cache
def spontaneous():
    return subject().run(Session(8, 5.0), stream(1, "run"))


@cache
def drawn_with(overlap):
    return SignAndType(n_neurons=500, overlap=overlap).subject(stream(0, "subject"))


def share_fast(overlap, kind):
    drawn = drawn_with(overlap)
    return drawn.ways.fast[drawn.anatomy["cell_type"].values == kind].mean()


def test_it_keeps_the_contract():
    assert simlab.check(SignAndType(n_neurons=50), raises=False).ok


def test_rates_are_those_that_were_drawn_and_those_of_cortex():
    rates, ways = mean_rates(spontaneous()), subject().ways
    excess = np.log(rates.clip(0.01) / ways.rate)
    assert abs(np.median(excess)) < 0.1  # counts of 40 s; what mean-field theory leaves out is a few percent
    assert np.corrcoef(np.log(rates.clip(0.05)), np.log(ways.rate))[0, 1] > 0.95
    slow, fast = rates[~ways.fast], rates[ways.fast]
    assert 1 < np.median(slow) < 5  # Mizuseki & Buzsaki 2013
    assert 8 < np.median(fast) < 20
    assert np.quantile(slow, 0.95) > np.quantile(fast, 0.05)  # they overlap
    assert 0.7 < np.nanmean(interval_cvs(spontaneous())) < 1.3  # Softky & Koch 1993


def test_the_input_of_a_neuron_without_adaptation_is_siegerts():
    drawn, circuit = subject(), subject().circuit
    neuron = LIF(circuit.fast_time_constant, 20e-3, 10e-3, circuit.fast_refractory, circuit.dt)
    fast = drawn.ways.fast
    assert neuron.rate(drawn.mean, drawn.sd)[fast] == pytest.approx(drawn.ways.rate[fast], rel=1e-6)


def test_regular_spiking_neurons_pause_after_a_spike_and_fast_ones_do_not():
    enough = mean_rates(spontaneous()) > 4
    seen = spontaneous().rename(neuron="unit", spike_neuron="spike_unit")
    burst, rise = features(seen, enough)[:, 2:].T
    fast = subject().ways.fast[enough]
    assert np.median(burst[~fast]) < 0.7 * np.median(burst[fast])
    assert np.median(rise[~fast]) < np.median(rise[fast])


@pytest.mark.parametrize(("overlap", "of_e", "of_i"), [(0.0, 0.0, 1.0), (0.5, 0.1, 0.6), (1.0, 0.2, 0.2)])
def test_overlap_mixes_the_ways_of_firing_of_the_types(overlap, of_e, of_i):
    # 400 and 100 neurons: four standard errors are .08 and .2
    assert share_fast(overlap, "E") == pytest.approx(of_e, abs=0.08)
    assert share_fast(overlap, "I") == pytest.approx(of_i, abs=0.2)
    best = (1 - share_fast(overlap, "E") + share_fast(overlap, "I")) / 2
    assert best == pytest.approx(1 - overlap / 2, abs=0.12)


def test_the_wiring_has_dales_law_and_the_stated_probabilities():
    weights = subject().weights
    assert (weights[:100] >= 0).all()
    assert (weights[100:] <= 0).all()
    assert not np.diag(weights).any()
    halves = (slice(100), slice(100, None))
    found = [(weights[pre, post] != 0).mean() for pre in halves for post in halves]
    assert found == pytest.approx([0.1, 0.3, 0.4, 0.4], abs=0.08)


@cache
def held():
    """Rates [Hz] (neuron,) while nobody, neuron 3 (E) and neuron 110 (I) is held at 100 Hz, in 12 s."""
    effects = [
        Effect(
            "hold", np.where(np.arange(125) == neuron, 100.0, np.nan), 0.0, 1.0, trials=tuple(range(first, first + 12))
        )
        for neuron, first in ((3, 12), (110, 24))
    ]
    seen = subject().run(Session(36, 1.0, perturbations=tuple(effects)), stream(2, "hold"))
    cell = seen["spike_trial"].values // 12 * 125 + seen["spike_neuron"].values
    return np.bincount(cell, minlength=375).reshape(3, 125) / 12


@pytest.mark.parametrize(("nth", "neuron", "label"), [(1, 3, "E"), (2, 110, "I")])
def test_holding_a_neuron_moves_its_targets_to_the_side_that_its_label_says(nth, neuron, label):
    change = (held()[nth] - held()[0])[subject().weights[neuron] != 0].mean()
    assert subject().truth("cell_type", None, stream(0))["label"].values[neuron] == label
    # some 17 or 50 targets of 5 Hz on average, in 12 s: a standard error of .2 to .3 Hz
    assert change * {"E": 1, "I": -1}[label] > 1


def test_truths_are_of_all_neurons_and_others_are_refused():
    truth = subject().truth("cell_type", None, stream(0))
    assert truth["label"].values.tolist() == ["E"] * 100 + ["I"] * 25
    assert np.array_equal(subject().truth("connectivity", None, stream(0))["weight"], subject().weights)
    with pytest.raises(LookupError, match="can answer connectivity, cell_type, got"):
        subject().truth("topology", None, stream(0))
    assert CellType.name in SignAndType.questions


@pytest.mark.parametrize("name", ["balanced_ei", "adapting_synapses", "delay_network"])
def test_other_networks_tell_the_types_of_their_neurons(name):
    drawn = simlab.create("circuits", name).subject(stream(0, "subject"))
    label = drawn.truth("cell_type", None, stream(0))["label"].values
    weights = drawn.truth("connectivity", None, stream(0))["weight"].values
    some = weights.any(axis=1)
    assert np.array_equal(np.sign(weights.sum(axis=1))[some], np.where(label == "E", 1, -1)[some])


def test_impossible_parameters_are_refused():
    for given, rule in (
        ({"reset": -0.04}, "must lie below threshold"),
        ({"delay": (2e-3, 1e-3)}, "must be .shortest, longest."),
        ({"dt": 2e-3}, "dt must be at most a tenth of the shortest time constant"),
    ):
        with pytest.raises(SimlabError, match=rule):
            SignAndType(**given)
