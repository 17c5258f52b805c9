"""The network with conduction delays: plausible, and connected as late as its truth and its delays say."""

from functools import cache

import numpy as np
import pytest
from spiking_bench import count_correlations, interval_cvs

import simlab
from circuits.networks.delay_network import RHEOBASE, DelayNetwork, neurons
from simlab.contracts import SimlabError
from simlab.data import bin_spikes, mean_rates
from simlab.session import Effect, Session
from simlab.streams import stream


@cache
def subject():
    return DelayNetwork().subject(stream(1, "subject"))


@cache
def spontaneous():
    return subject().run(Session(40, 5.0), stream(1, "run"))


def test_it_keeps_the_contract():
    assert simlab.check(DelayNetwork(n_excitatory=12, n_inhibitory=3, connection_probability=0.3), raises=False).ok


def test_rates_are_a_few_hertz_and_firing_is_irregular_and_asynchronous():
    rates = mean_rates(spontaneous())
    assert 1 < rates[:80].mean() < 8  # Izhikevich 2006: 2 to 7 Hz; cortex: Buzsaki & Mizuseki 2014
    assert 1 < rates[80:].mean() < 25
    # Kicks come at random, and find the neuron refractory for some 100 ms after a spike: below 1.
    assert 0.6 < np.nanmean(interval_cvs(spontaneous())) < 1.1
    pairs = count_correlations(spontaneous())
    assert 0 < pairs.mean() < 0.1  # Cohen & Kohn 2011
    assert np.abs(pairs).max() < 0.6


def test_delays_are_long_and_differ_and_inhibition_is_fast_and_onto_excitatory_neurons():
    weights, delays = subject().weights, subject().delays
    excitatory = weights > 0
    assert delays[excitatory].min() >= 1e-3
    assert delays[excitatory].max() <= 20e-3
    assert delays[excitatory].std() == pytest.approx(19e-3 / np.sqrt(12), rel=0.1)
    assert np.all(delays[weights < 0] == 1e-3)
    assert not weights[80:, 80:].any()
    assert np.all(weights[80:] <= 0)
    assert np.all(weights[:80] >= 0)
    # 79 x 80 + 80 x 20 + 20 x 80 pairs at 10%: +- 0.3%.
    assert (weights != 0).sum() / 9520 == pytest.approx(0.1, abs=0.012)


def test_a_spike_of_each_neuron_moves_exactly_the_potentials_that_the_truth_names_after_their_delays():
    """Without kicks the network rests; in each trial another neuron fires once, by a strong pulse of one step."""
    from simlab.simulators.spiking import Record, simulate

    circuit = DelayNetwork(kick_rate=0.0, excitation=3e-3, dt=5e-4)  # too weak to fire anyone
    network = circuit.subject(stream(2, "subject"))
    n, dt = circuit.n_neurons, circuit.dt
    pulses = tuple(Effect("drive", np.where(np.arange(n) == i, 50.0, 0.0), 5e-3, 5.5e-3, trials=(i,)) for i in range(n))
    session = Session(n, 30e-3, perturbations=pulses)
    spikes = simulate(network.network, session, np.random.default_rng(0), dt=dt, record=Record(("v",), dt))
    assert np.array_equal(spikes.trial, np.arange(n))
    assert np.array_equal(spikes.neuron, np.arange(n))
    potential = spikes.samples["v"].astype(float)
    jump = np.diff(potential, axis=1)  # (trial, step, neuron)
    moved = np.abs(jump) > 1e-3
    moved[np.arange(n), :, np.arange(n)] = False
    truth = network.truth("connectivity", None, np.random.default_rng(0))["weight"].values
    assert np.array_equal(moved.any(axis=1), truth != 0)
    pre, post = np.nonzero(truth)
    arrived = moved.argmax(axis=1)[pre, post] * dt
    np.testing.assert_allclose(arrived - spikes.time[pre], network.delays[pre, post], atol=0.51 * dt)
    np.testing.assert_allclose(jump.max(axis=1)[pre, post][truth[pre, post] > 0], 3e-3, rtol=0.02)
    np.testing.assert_allclose(jump.min(axis=1)[pre, post][truth[pre, post] < 0], -5e-3, rtol=0.02)


def test_excitatory_targets_fire_more_often_just_after_their_delay():
    weights, delays, width = subject().weights, subject().delays, 2e-3
    train = bin_spikes(spontaneous(), width).values.astype(np.float32)
    train = np.pad(train, ((0, 0), (0, 12), (0, 0))).reshape(-1, 100)  # what follows a trial is silence
    # (lag, pre, post): 2 to 24 ms later
    pairs = np.stack([train[:-lag, :80].T @ train[lag:] for lag in range(1, 12)])
    pre, post = np.nonzero(weights[:80] > 0)
    bins = np.minimum((delays[pre, post] / width).astype(int), 10)  # half arrive in one, half in the next
    at = np.mean([pairs[np.clip(bins + shift, 0, 10), pre, post] for shift in (-1, 0)])
    apart = (weights[:80] == 0) & (weights[:, :80].T == 0) & ~np.eye(80, 100, dtype=bool)
    assert at > 1.3 * pairs[:, apart].mean()  # 1.5; each of 1400 counts is 2 to 3: +- 2%


def test_one_rheobase_is_what_makes_a_neuron_fire_without_end():
    from simlab.simulators.spiking import SpikingNetwork, simulate

    circuit = DelayNetwork(n_excitatory=2, n_inhibitory=0, kick_rate=0.0)
    network = SpikingNetwork((neurons(circuit),))
    drive = Effect("drive", np.array([0.85, 1.1]), 0.0, 3.0)
    spikes = simulate(network, Session(1, 3.0, perturbations=(drive,)), np.random.default_rng(0), dt=circuit.dt)
    late = spikes.neuron[spikes.time > 1.5]
    assert pytest.approx((5 - 0.2) ** 2 / 0.16 - 140) == RHEOBASE
    assert not np.any(late == 0)  # just below, from 0.95 on, it also fires: its rest loses stability before it is lost
    assert np.sum(late == 1) >= 3


def test_impossible_parameters_and_questions_are_refused():
    with pytest.raises(SimlabError, match=r"\(shortest, longest\)"):
        DelayNetwork(delay=(2e-3, 1e-3))
    with pytest.raises(SimlabError, match="the upstroke is unstable"):
        DelayNetwork(dt=1e-3)
    with pytest.raises(LookupError, match="can answer connectivity, cell_type, effect, got"):
        subject().truth("topology", None, np.random.default_rng(0))
