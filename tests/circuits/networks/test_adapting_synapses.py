"""The balanced network with short-term plasticity: plausible, and its synapses do what theory and truth say."""

from functools import cache

import numpy as np
import pytest
from spiking_bench import count_correlations, interval_cvs

import simlab
from circuits.networks.adapting_synapses import AdaptingSynapses
from circuits.networks.balanced_ei import BalancedEI
from simlab.contracts import SimlabError
from simlab.data import mean_rates
from simlab.session import Effect, Session
from simlab.streams import stream


@cache
def subject():
    return AdaptingSynapses().subject(stream(1, "subject"))


@cache
def spontaneous():
    return subject().run(Session(20, 2.0), stream(1, "run"))


def released(spikes, use, recovery, facilitation):
    """(spike,) what a rested synapse does at each of these times [s], of what it does at first."""
    u, x, done, last = 0.0, 1.0, [], None
    for now in spikes:
        if last is not None:
            u, x = u * np.exp(-(now - last) / facilitation), 1 - (1 - x) * np.exp(-(now - last) / recovery)
        u += use * (1 - u)
        done.append(u * x / use)
        x, last = x - u * x, now
    return np.array(done)


def test_it_keeps_the_contract():
    assert simlab.check(AdaptingSynapses(BalancedEI(n_neurons=8)), raises=False).ok


def test_the_state_is_asynchronous_irregular_and_of_cortical_rates():
    rates = mean_rates(spontaneous())
    assert 1 < rates.mean() < 15  # Hromadka 2008; Buzsaki & Mizuseki 2014
    assert rates.max() < 50
    assert 0.7 < interval_cvs(spontaneous()).mean() < 1.3  # Softky & Koch 1993
    assert abs(count_correlations(spontaneous()).mean()) < 0.1  # Ecker et al. 2010; Cohen & Kohn 2011


def test_wiring_is_that_of_the_static_network_of_the_same_seed():
    static = BalancedEI().subject(stream(1, "subject"))
    assert np.array_equal(subject().weights, static.weights)
    assert 20 < subject().facilitating[:80].sum() < 60


@cache
def paced():
    """Potentials (step, neuron) and spike times [s] of two neurons that are held at 20 Hz; nobody else fires."""
    from simlab.simulators.spiking import Record, simulate

    like = BalancedEI(external_sd=1e-9, external_mean=5e-3, delay=(2e-3, 2e-3), synaptic_time_constant=0.0)
    circuit = AdaptingSynapses(like=like)  # potentials that jump are read off at once
    network = circuit.subject(stream(2, "subject"))
    contacts = (network.weights[:80] > 0).sum(axis=1)
    pair = [int(np.flatnonzero((network.facilitating[:80] == kind) & (contacts > 3))[0]) for kind in (False, True)]
    rate = np.where(np.isin(np.arange(100), pair), 20.0, np.nan)
    session = Session(1, 1.0, perturbations=(Effect("hold", rate, 0.0, 1.0),))
    record = Record(("v",), circuit.like.dt)
    spikes = simulate(network.network, session, np.random.default_rng(0), record=record)
    assert set(spikes.neuron) == set(pair)
    return network, spikes.samples["v"][0].astype(float), {i: spikes.time[spikes.neuron == i] for i in pair}


@pytest.mark.parametrize("facilitating", [False, True])
def test_potentials_follow_the_recursion_and_the_first_is_the_true_weight(facilitating):
    network, v, trains = paced()
    (pre,) = [i for i in trains if network.facilitating[i] == facilitating]
    (other,) = [i for i in trains if i != pre]
    truth = network.truth("connectivity", None, np.random.default_rng(0))["weight"].values
    post = np.flatnonzero((truth[pre] > 0) & (truth[other] == 0))
    arrival = np.round((trains[pre] + 2e-3) / 1e-4).astype(int)
    arrival = arrival[arrival < len(v) - 2]
    jumps = v[arrival + 1][:, post] - v[arrival][:, post]
    circuit, kind = network.circuit, "facilitating" if facilitating else "depressing"
    constants = [getattr(circuit, f"{kind}_{name}") for name in ("use", "recovery", "facilitation")]
    expected = released(trains[pre], *constants)[: len(jumps)]
    # Some 5 uV leak in the step of a jump of 100 uV and more.
    np.testing.assert_allclose(jumps, expected[:, None] * truth[pre, post], atol=2e-5)
    assert (expected[-1] < 0.3) == (not facilitating)
    silent = np.flatnonzero((truth[pre] == 0) & (truth[other] == 0))
    silent = silent[~np.isin(silent, list(trains))]
    assert np.abs(v[100:][:, silent] - v[100, silent]).max() < 1e-4


@pytest.mark.parametrize("rate", [2.0, 10.0, 40.0])
def test_the_mean_efficacy_is_that_of_poisson_trains(rate):
    spikes = np.cumsum(np.random.default_rng(3).exponential(1 / rate, 20_000))
    efficacy = subject().efficacy(np.full(100, rate))
    circuit, weights = AdaptingSynapses(), subject().weights
    for kind, chosen in (("facilitating", subject().facilitating), ("depressing", ~subject().facilitating)):
        constants = [getattr(circuit, f"{kind}_{name}") for name in ("use", "recovery", "facilitation")]
        told = efficacy[:80][chosen[:80]]
        # Mean-field theory leaves out that u is high where x is low: up to a tenth.
        assert told[told > 0] == pytest.approx(released(spikes, *constants).mean(), rel=0.12)
    assert np.all(efficacy[80:][weights[80:] != 0] == 1)
    assert not efficacy[weights == 0].any()


def test_the_truth_tells_efficacies_at_the_rates_that_ran():
    truth = subject().truth("connectivity", spontaneous(), np.random.default_rng(0))
    expected = subject().efficacy(mean_rates(spontaneous()))
    np.testing.assert_allclose(truth["efficacy"], expected)
    depressing = truth["efficacy"].values[:80][~subject().facilitating[:80]]
    assert 0.1 < depressing[depressing > 0].mean() < 0.5
    with pytest.raises(LookupError, match="can answer connectivity, cell_type, effect, got"):
        subject().truth("topology", None, np.random.default_rng(0))


def test_impossible_parameters_are_refused():
    with pytest.raises(SimlabError, match=r"depressing_use must be a number in 0\.\.1, 0 left out"):
        AdaptingSynapses(depressing_use=0.0)
