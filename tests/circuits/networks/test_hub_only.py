"""The rival of the network under hubs: recorded neurons that no synapse joins, and all else as in the twin."""

from functools import cache

import numpy as np
import pytest

import simlab
from circuits.networks.balanced_ei import BalancedEI
from circuits.networks.hidden_hub import HiddenHub
from circuits.networks.hub_only import HubOnly
from simlab.data import bin_spikes, mean_rates
from simlab.instruments.recording.subsample import Subsample
from simlab.registry import question
from simlab.session import Effect, Session
from simlab.streams import stream

TWIN = HiddenHub(BalancedEI(n_neurons=40, synaptic_time_constant=0.0))
RIVAL = HubOnly().imitating(TWIN)


@cache
def subject(circuit):
    return circuit.subject(stream(1, "subject"))


@cache
def spontaneous(circuit):
    return subject(circuit).run(Session(60, 2.0), stream(1, "run"))


def recorded():
    return subject(TWIN).anatomy["region"].values == "recorded"


def test_it_keeps_the_contract():
    assert simlab.check(HubOnly(), raises=False).ok


def test_only_synapses_between_recorded_neurons_are_cut():
    twin, rival = subject(TWIN), subject(RIVAL)
    inner = recorded()[:, None] & recorded()
    assert twin.weights[inner].any()
    assert not rival.weights[inner].any()
    np.testing.assert_array_equal(rival.weights[~inner], twin.weights[~inner])
    assert rival.name == "hub_only"
    assert rival.anatomy.identical(twin.anatomy)


def test_rates_and_correlations_are_the_twins():
    twin, rival = (mean_rates(spontaneous(circuit)) for circuit in (TWIN, RIVAL))
    assert rival.mean() / twin.mean() == pytest.approx(1, abs=0.04)  # 120 s of 45 neurons: 0.5% each
    assert np.corrcoef(twin, rival)[0, 1] > 0.95
    mean = []
    for circuit in (TWIN, RIVAL):
        counts = bin_spikes(spontaneous(circuit), 0.2).values
        pairs = np.corrcoef(counts.reshape(-1, counts.shape[-1])[:, recorded()].T)
        mean.append(pairs[np.triu_indices(len(pairs), 1)].mean())
    assert min(mean) > 0.02
    assert abs(mean[0] - mean[1]) < 0.02  # what hubs make outweighs what synapses do


def test_where_recorded_neurons_alone_are_seen_there_is_no_edge_and_its_twin_has_some():
    ask = question("connectivity")
    n_edges = {}
    for circuit in (TWIN, RIVAL):
        made = subject(circuit)
        key = Subsample(24, ("recorded",)).implant(made.anatomy, stream(2)).key
        n_edges[circuit.name] = int(ask.project(made.truth("connectivity", None, stream(0)), key)["edge"].sum())
    assert n_edges["hub_only"] == 0
    assert n_edges["hidden_hub"] > 20


def test_a_recorded_spike_reaches_recorded_neurons_through_hidden_ones_alone():
    """Under the same noise, kicks to recorded neurons change others; not so if no hidden cell can hear them."""
    made, driven = subject(RIVAL), recorded() & (np.cumsum(recorded()) <= 6)
    kick = Effect("drive", np.where(driven, 10.0, 0.0), 0.1, 0.3)
    deaf = Effect("gain", np.where(recorded(), 0.0, 1.0), 0.0, 1.0)
    others = recorded() & ~driven
    trains = {}
    for name, effects in (("plain", ()), ("kicked", (kick,)), ("deaf", (deaf,)), ("kicked, deaf", (deaf, kick))):
        activity = made.run(Session(5, 1.0, perturbations=effects), stream(6))
        trains[name] = activity["spike_time"].values[others[activity["spike_neuron"].values]]
    assert not np.array_equal(trains["plain"], trains["kicked"])
    assert np.array_equal(trains["deaf"], trains["kicked, deaf"])
