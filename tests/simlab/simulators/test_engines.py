"""Two engines verify each other on every spiking circuit of the house, and a run keeps the one that it was given."""

from dataclasses import replace

import numpy as np
import pytest
from lif_bench import noisy, run, same

import simlab
from circuits.causal.decision_pools import DecisionPools
from circuits.memory.spiking_integrator import SpikingIntegrator
from circuits.networks.balanced_ei import BalancedEI
from circuits.networks.clustered_ei import ClusteredEI
from circuits.networks.sign_and_type import SignAndType
from circuits.trained.path_integrator import PathIntegrator
from circuits.trained.path_training import Schedule
from simlab import registry
from simlab.contracts import SimlabError
from simlab.lab.row import Settings
from simlab.session import Effect, Session
from simlab.simulators.engines import chosen_engine, using
from simlab.streams import stream

BRIEF = BalancedEI(n_neurons=40, burn_in=0.05)
SMALL = {
    "balanced_ei": {"n_neurons": 40, "burn_in": 0.05},
    "common_drive": {"like": BRIEF},
    "ring_attractor": {},
    "feedforward_ring": {},
    "strong_ring": {"n_neurons": 40, "burn_in": 0.05},
    "bursting_culture": {"n_neurons": 40, "weight": 0.15, "shot_rate": 10.0, "burn_in": 0.2},
    "delay_network": {"connection_probability": 0.2, "burn_in": 0.2},
    "adapting_synapses": {"burn_in": 0.05},
    "common_cause_chain": {"like": BRIEF},
    "hidden_hub": {"local": replace(BRIEF, synaptic_time_constant=0.0)},
    "hub_only": {},
    "sign_and_type": {"n_neurons": 40, "burn_in": 0.05},
    "untyped_units": {"like": SignAndType(n_neurons=40, burn_in=0.05)},
    "decision_pools": {"burn_in": 0.1},
    "decision_follower": {"like": DecisionPools(burn_in=0.1)},
    "stimulated_chain": {},
    "crossed_chain": {},
    "decision_attractor": {"n_selective": 20, "n_inhibitory": 10, "burn_in": 0.1},
    "oscillating_ei": {"n_excitatory": 32, "n_inhibitory": 8, "burn_in": 0.1},
    "spiking_integrator": {"n_excitatory": 16, "n_inhibitory": 4},
    "integrator_follower": {"like": SpikingIntegrator(n_excitatory=16, n_inhibitory=4)},
    "synfire_chain": {"n_pools": 6},
    "clustered_ei": {"n_excitatory": 40, "n_inhibitory": 10, "clusters": 4, "burn_in": 0.1},
    "unclustered_ei": {"like": ClusteredEI(n_excitatory=40, n_inhibitory=10, clusters=4, burn_in=0.1)},
    "grouped_drive": {"like": ClusteredEI(n_excitatory=40, n_inhibitory=10, clusters=4, burn_in=0.1)},
    "cortical_patch": {"n_neurons": 60, "shared_drive": 0.1, "gain_modulation": 0.2, "drift": 0.2, "burn_in": 0.1},
}
"""The spiking circuits that an engine runs."""


def spikes_of(name, engine, perturbed=False):
    subject = simlab.create("circuits", name, **SMALL[name]).subject(stream(3, "subject"))
    session = subject.session(trials=2, duration=0.3, rng=stream(3, "session"))
    if perturbed:
        n = subject.anatomy.sizes["neuron"]
        hold = np.where(np.arange(n) == 1, 40.0, np.nan)
        effects = (
            Effect("drive", np.where(np.arange(n) < 5, 1.5, 0.0), 0.1, 0.2),
            Effect("hold", hold, 0.05, 0.25, trials=(1,)),
            Effect("gain", np.full(n, 0.5), 0.15, 0.3),
        )
        session = Session(2, 0.3, session.stimulus, perturbations=effects)
    with using(engine):
        return subject.run(session, stream(3, "run"))


UNLIKE = ("common_drive", "ring_attractor", "delay_network", "adapting_synapses", "sign_and_type", "cortical_patch")
"""Circuits whose neurons or synapses are unlike any other's: what the rest adds to them no perturbation reaches."""


@pytest.mark.parametrize(
    ("perturbed", "name"),
    [
        *((name in UNLIKE, name) for name in SMALL),
        *(pytest.param(name not in UNLIKE, name, marks=pytest.mark.slow) for name in SMALL),
    ],
)
def test_a_circuit_fires_the_same_spikes_on_both_engines(name, perturbed):
    kernel, reference = (spikes_of(name, engine, perturbed) for engine in ("kernel", "brian2"))
    assert kernel.attrs["engine"].startswith("kernel (numba")
    assert reference.attrs["engine"].startswith("brian2")
    assert kernel.sizes["spike"] > 50
    for column in ("spike_trial", "spike_time", "spike_unit" if "spike_unit" in kernel else "spike_neuron"):
        assert np.array_equal(kernel[column], reference[column])


class Reached(Exception):
    """A circuit has asked for an engine."""


def reached(*_, **__):
    raise Reached


def asks_for_an_engine(circuit, monkeypatch):
    """Whether the simulation of a circuit's session is an engine's work, which is not done."""
    subject = circuit.subject(stream(3, "subject"))
    session = subject.session(trials=1, duration=0.1, rng=stream(3, "session"))
    with monkeypatch.context() as patch:
        patch.setattr("simlab.simulators.spiking.simulate", reached)
        try:
            return not subject.run(session, stream(3, "run")).attrs["engine"].startswith("numpy")
        except Reached:
            return True


def test_no_spiking_circuit_of_the_house_is_left_out(monkeypatch):
    monkeypatch.setattr("circuits.rhythms.oscillating_ei.MINUTE", 1)  # how long its rivals watch it
    haste = PathIntegrator(schedule=Schedule(steps=1, walked=960.0), tested=50)
    learning = {"path_integrator": vars(haste), "untrained_integrator": {"like": haste}}
    circuits = {n: registry.create("circuits", n, **(SMALL | learning).get(n, {})) for n in registry.names("circuits")}
    spiking = {n: c for n, c in circuits.items() if "spikes" in c.modalities and c.__module__.startswith("circuits.")}
    assert {name for name, circuit in spiking.items() if asks_for_an_engine(circuit, monkeypatch)} == set(SMALL)


def test_a_trial_is_the_same_in_whatever_company_it_is():
    alone, few, many = (run(noisy(), Session(n, 0.3)) for n in (1, 3, 11))
    for spikes, trials in ((few, 3), (many, 11)):
        for trial in range(min(trials, 3)):
            mine, other = spikes.trial == trial, few.trial == trial
            assert np.array_equal(spikes.time[mine], few.time[other])
            assert np.array_equal(spikes.neuron[mine], few.neuron[other])
    assert np.array_equal(alone.time, few.time[few.trial == 0])


def test_the_reference_in_chunks_is_the_reference_at_once():
    session = Session(5, 0.1)
    assert same(run(noisy(), session, engine="brian2", memory=30_000), run(noisy(), session, engine="brian2"))


def test_an_engine_is_chosen_for_a_block_and_let_go():
    with using("brian2"):
        assert run(noisy(), Session(1, 0.05)).engine.startswith("brian2")
        assert run(noisy(), Session(1, 0.05), engine="kernel").engine.startswith("kernel")
    assert chosen_engine() == Settings(1, None, 1.0, 1).engine == "auto"
    with pytest.raises(SimlabError, match="engine must be one of auto, kernel"), using("fortran"):
        pass


@pytest.fixture(scope="module")
def experiment():
    circuit = simlab.create("circuits", "balanced_ei", n_neurons=12)
    grid = simlab.Grid((circuit,), (simlab.Plan(2, 0.5),), ("perfect",), ("cross_correlogram",), baselines=False)
    return simlab.Experiment("engines", "Which?", (grid,), subjects=1)


def test_a_run_keeps_its_engine_in_its_rows_and_when_it_is_resumed(experiment, tmp_path):
    options = {"archive": tmp_path / "archive", "progress": False}
    kernel = simlab.run(experiment, tmp_path / "kernel", **options)
    reference = simlab.run(experiment, tmp_path / "reference", engine="brian2", **options)
    metrics = [name for name in kernel.table if name.startswith("metric")]
    assert kernel.table[metrics].equals(reference.table[metrics])
    n_rows = len(reference.table)
    resumed = simlab.run(experiment, tmp_path / "reference", resume=True, subjects=2, **options)
    assert kernel.table["engine"].str.startswith("kernel").all()
    assert resumed.table["engine"].str.startswith("brian2").all()
    assert len(resumed.table) == 2 * n_rows
    assert resumed.provenance["engine"] == "brian2"
    with pytest.raises(SimlabError, match="begun with engine brian2, got kernel: a resumed run keeps its engine"):
        simlab.run(experiment, tmp_path / "reference", resume=True, engine="kernel", **options)
    with pytest.raises(SimlabError, match="engine must be one of"):
        simlab.run(experiment, tmp_path / "other", engine="fortran", **options)
