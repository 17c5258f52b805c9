"""No trivial statistic of the file tells a circuit from its rival: a method must look at what the neurons do.

For each circuit, rival and instrument: eight files of either, sealed as a strict method gets them. A statistic gives a
rival away if a threshold on it puts all sixteen files on their right sides; by chance that happens to one in
C(16, 8) / 2 = 6435 statistics.
"""

from dataclasses import replace

import pytest
from giveaways import giveaways, trivial_statistics

from circuits.attractors.ring_attractor import RingAttractor
from circuits.causal.compensating import Compensating
from circuits.causal.dormant_path import DormantPath
from circuits.causal.elsewhere import Elsewhere
from circuits.causal.gated import Gated
from circuits.causal.invariant_causes import InvariantCauses
from circuits.causal.logic_tree import LogicTree
from circuits.causal.off_target import OffTarget
from circuits.causal.redundant import Redundant
from circuits.causal.stimulated_chain import StimulatedChain
from circuits.causal.two_pathways import TwoPathways
from circuits.coding.shared_code import SharedCode
from circuits.coding.sparse_coding_cortex import SparseCodingCortex
from circuits.coding.tied_retina import TiedRetina
from circuits.coding.visual import Look
from circuits.decision.ramping_decision import RampingDecision
from circuits.events.ripples import Ripples
from circuits.events.volleys import Volleys
from circuits.latent.shared_flow import SharedFlow
from circuits.memory.spiking_integrator import SpikingIntegrator
from circuits.networks.balanced_ei import BalancedEI
from circuits.networks.bold_nodes import BoldNodes
from circuits.networks.clustered_ei import ClusteredEI
from circuits.networks.cortical_patch import CorticalPatch
from circuits.networks.hidden_hub import HiddenHub
from circuits.networks.sign_and_type import SignAndType
from circuits.rhythms import oscillating_ei
from circuits.rhythms.oscillating_ei import OscillatingEI
from circuits.rhythms.rotational_dynamics import RotationalDynamics
from circuits.states.branching import Branching
from circuits.states.up_down import UpDown
from circuits.trained.cells import Cells
from circuits.trained.path_integrator import PathIntegrator
from circuits.trained.path_training import Schedule
from circuits.trained.tasks import Value
from circuits.trained.trained_decision import TrainedDecision
from circuits.trained.working_memory import WorkingMemory
from methods.population.decoded_drift import DecodedDrift
from simlab.contracts import SimlabError
from simlab.execution.strict.seal import seal
from simlab.experiment import Cell, Grid, Plan
from simlab.instruments.recording.bold import Bold
from simlab.instruments.recording.electrodes import Electrodes
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.subsample import Subsample
from simlab.instruments.recording.two_photon import TwoPhoton
from simlab.lab import memory
from simlab.lab.laboratory import Lab
from simlab.lab.row import Settings
from simlab.pairing import check_pair
from simlab.registry import create, names, question
from simlab.streams import digest_int

SUBJECTS = 8
RING = RingAttractor(n_excitatory=24, n_inhibitory=6)
HASTE = Schedule(steps=50, batch=16, learning_rate=1e-2, walked=320.0)
HARDLY_TRAINED = {"cells": Cells(n_neurons=12), "steps": 1, "batch": 4, "shortfall": 1.0}
SMALL = {
    "balanced_ei": (BalancedEI(n_neurons=30),),
    "hidden_hub": (HiddenHub(BalancedEI(n_neurons=30, synaptic_time_constant=0.0), n_hubs=3),),
    "ring_attractor": (RING, replace(RING, model="rate")),
    "sign_and_type": (SignAndType(n_neurons=30),),
    "bold_nodes": (BoldNodes(n_nodes=10),),
    "dormant_path": (DormantPath(disconnected=4, dormant=3, carriers=3, mixed=2),),
    "invariant_causes": (InvariantCauses(causes=3, effects=3, siblings=2, bystanders=2),),
    "clustered_ei": (ClusteredEI(n_excitatory=100, n_inhibitory=25, clusters=5),),
    "cortical_patch": (CorticalPatch(n_neurons=60, shared_drive=0.05),),
    "gated": (Gated(parts=6, bystanders=4),),
    "redundant": (Redundant(copies=6, bystanders=5),),
    "ripples": (Ripples(volleys=Volleys(n_sites=1, n_pyramidal=24, n_interneurons=6)),),
    "compensating": (Compensating(bystanders=6),),
    "off_target": (OffTarget(bystanders=6),),
    "elsewhere": (Elsewhere(areas=12),),
    "two_pathways": (TwoPathways(stages=6),),
    "logic_tree": (LogicTree(inputs=8),),
    "sparse_coding_cortex": (SparseCodingCortex(n_neurons=24, look=Look(side=6, frames="leaves")),),
    "tied_retina": (TiedRetina(patch=5, look=Look(side=7)),),
    "stimulated_chain": (StimulatedChain(pairs=3),),
    "ramping_decision": (RampingDecision(n_neurons=30),),
    "branching": (Branching(n_neurons=60, branching_ratio=0.9, mean_rate=5.0),),
    "up_down": (UpDown(n_excitatory=24, n_inhibitory=6),),
    "oscillating_ei": (OscillatingEI(n_excitatory=64, n_inhibitory=16),),
    "spiking_integrator": (SpikingIntegrator(n_excitatory=16, n_inhibitory=4),),
    "shared_code": (SharedCode(n_neurons=30),),
    "shared_flow": (SharedFlow(n_neurons=30),),
    "rotational_dynamics": (RotationalDynamics(n_neurons=30),),
    "path_integrator": (PathIntegrator(n_neurons=20, n_outputs=40, tested=60, schedule=HASTE),),
    "trained_decision": (TrainedDecision(**HARDLY_TRAINED),),
    "working_memory": (WorkingMemory(task=Value(duration=1.0), **HARDLY_TRAINED),),
}
"""Each circuit that has rivals, small enough to be simulated many times; one without an entry is tried as it is."""
PLAN, SCAN = Plan(4, 0.25), Plan(2, 60.0)
INSTRUMENTS = (Perfect(), Subsample(n_units=10), Electrodes(n_sites=24), TwoPhoton(n_units=10))
AREAS = ("compensating", "off_target", "elsewhere", "two_pathways", "logic_tree")
"""Areas of a neuron each, a millimetre apart, as in `gated` and `redundant`: within reach of no one probe or lens."""
OTHERS = {
    "bold_nodes": (*INSTRUMENTS, Bold()),  # the rest has one region or none
    **dict.fromkeys(AREAS, INSTRUMENTS[:1]),
    **dict.fromkeys(("gated", "redundant"), INSTRUMENTS[:2]),
    "stimulated_chain": INSTRUMENTS[:1],
}
"""Instruments of circuits that are not recorded with just the usual ones."""


def imitations():
    """(circuit, rival made to match it), for every circuit that any rival imitates."""
    for rival in (create("circuits", name) for name in names("circuits")):
        for name in getattr(rival, "twin_of", ()):
            for circuit in SMALL.get(name, (create("circuits", name),)):
                if set(rival.modalities) & set(circuit.modalities):  # some know spikes alone
                    yield circuit, rival.imitating(circuit)


def recordable(circuit, instrument):
    """Whether the circuit gives what the instrument needs."""
    try:
        check_pair(circuit, instrument)
    except SimlabError:
        return False
    return True


CASES = [
    pytest.param(
        circuit,
        rival,
        instrument,
        id=f"{rival.name}-{getattr(circuit, 'model', 'spiking')}-{instrument.name}",
        marks=() if k in (0, digest_int(rival.name) % 24) else pytest.mark.slow,
    )
    for circuit, rival in imitations()
    for through in [[i for i in OTHERS.get(circuit.name, INSTRUMENTS) if recordable(circuit, i)]]
    for k, instrument in enumerate(through)
]
"""Every rival through the perfect instrument, and some, as their names decide, through one of the others; the rest when
there is time."""


@pytest.fixture(scope="module", autouse=True)
def all_is_remembered():
    """Each subject is simulated for one instrument or rival and met by the others; a twin is watched for 15 s."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "KEPT", 10_000)
        patch.setattr(oscillating_ei, "MINUTE", 15)
        yield
    memory.forget()


def sealed(circuit, family, instrument, subject, folder):
    """The file that a strict method would get of this subject."""
    asked = question("mechanism")
    plan = SCAN if instrument.name == "bold" else PLAN
    cell = Cell(circuit, subject, plan, instrument, DecodedDrift(), family=family, question=asked)
    lab = Lab(cell, Settings("no giveaway", None, 60.0, 2**30))
    told = lab.recording().assign_attrs(brief=dict(lab.truth.brief))
    return seal(told, folder / f"{circuit.name}-{subject}")


@pytest.mark.parametrize(("circuit", "rival", "instrument"), CASES)
def test_no_trivial_statistic_of_the_file_tells_circuit_from_rival(circuit, rival, instrument, tmp_path):
    family = Grid((circuit,), (PLAN,), (instrument,), (DecodedDrift(),), rivals=(rival,)).family
    one, other = (
        [trivial_statistics(sealed(c, family, instrument, subject, tmp_path)) for subject in range(SUBJECTS)]
        for c in (circuit, rival)
    )
    assert len(one[0]) > 60
    assert giveaways(one, other) == {}
