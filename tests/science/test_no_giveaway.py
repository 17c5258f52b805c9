"""No trivial statistic of the file tells a circuit from its rival: a method must look at what the neurons do.

For each circuit, rival and instrument: eight files of either, sealed as a strict method gets them. A statistic gives a
rival away if a threshold on it puts all sixteen files on their right sides; by chance that happens to one in
C(16, 8) / 2 = 6435 statistics.
"""

from dataclasses import replace

import pytest
from giveaways import giveaways, trivial_statistics

from circuits.attractors.ring_attractor import RingAttractor
from circuits.causal.dormant_path import DormantPath
from circuits.causal.gated import Gated
from circuits.causal.invariant_causes import InvariantCauses
from circuits.causal.redundant import Redundant
from circuits.networks.balanced_ei import BalancedEI
from circuits.networks.bold_nodes import BoldNodes
from circuits.networks.cortical_patch import CorticalPatch
from circuits.networks.hidden_hub import HiddenHub
from circuits.networks.sign_and_type import SignAndType
from methods.wiring.spike_count_correlation import SpikeCountCorrelation
from simlab.contracts import SimlabError
from simlab.execution.strict.seal import seal
from simlab.experiment import Cell, Grid, Plan
from simlab.instruments.recording.bold import Bold
from simlab.instruments.recording.electrodes import Electrodes
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.subsample import Subsample
from simlab.instruments.recording.two_photon import TwoPhoton
from simlab.lab.laboratory import Lab
from simlab.lab.row import Settings
from simlab.pairing import check_pair
from simlab.registry import create, names, question

SUBJECTS = 8
RING = RingAttractor(n_excitatory=24, n_inhibitory=6)
SMALL = {
    "balanced_ei": (BalancedEI(n_neurons=30),),
    "hidden_hub": (HiddenHub(BalancedEI(n_neurons=30, synaptic_time_constant=0.0), n_hubs=3),),
    "ring_attractor": (RING, replace(RING, model="rate")),
    "sign_and_type": (SignAndType(n_neurons=30),),
    "bold_nodes": (BoldNodes(n_nodes=10),),
    "dormant_path": (DormantPath(disconnected=4, dormant=3, carriers=3, mixed=2),),
    "invariant_causes": (InvariantCauses(causes=3, effects=3, siblings=2, bystanders=2),),
    "cortical_patch": (CorticalPatch(n_neurons=60, shared_drive=0.05),),
    "gated": (Gated(parts=6, bystanders=4),),
    "redundant": (Redundant(copies=6, bystanders=5),),
}
"""Each circuit that has rivals, small enough to be simulated many times; one without an entry is tried as it is."""
PLAN, SCAN = Plan(4, 0.25), Plan(2, 60.0)
INSTRUMENTS = (Perfect(), Subsample(n_units=10), Electrodes(n_sites=24), TwoPhoton(n_units=10))
OTHERS = {
    "bold_nodes": (*INSTRUMENTS, Bold()),  # the rest has one region or none
    "gated": INSTRUMENTS[:2],  # areas of a neuron each, a millimetre apart: within reach of no one probe or lens
    "redundant": INSTRUMENTS[:2],
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
        circuit, rival, instrument, id=f"{rival.name}-{getattr(circuit, 'model', 'spiking')}-{instrument.name}"
    )
    for circuit, rival in imitations()
    for instrument in OTHERS.get(circuit.name, INSTRUMENTS)
    if recordable(circuit, instrument)
]


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Where activities are kept, so that each is simulated for one instrument and met by the others."""
    return str(tmp_path_factory.mktemp("archive"))


def sealed(circuit, family, instrument, subject, folder, archive):
    """The file that a strict method would get of this subject."""
    asked = question("mechanism")
    plan = SCAN if instrument.name == "bold" else PLAN
    cell = Cell(circuit, subject, plan, instrument, SpikeCountCorrelation(), family=family, question=asked)
    lab = Lab(cell, Settings("no giveaway", archive, 60.0, 2**30))
    told = lab.recording().assign_attrs(brief=dict(lab.truth.brief))
    return seal(told, folder / f"{circuit.name}-{subject}")


@pytest.mark.parametrize(("circuit", "rival", "instrument"), CASES)
def test_no_trivial_statistic_of_the_file_tells_circuit_from_rival(circuit, rival, instrument, tmp_path, archive):
    family = Grid((circuit,), (PLAN,), (instrument,), (SpikeCountCorrelation(),), rivals=(rival,)).family
    one, other = (
        [trivial_statistics(sealed(c, family, instrument, subject, tmp_path, archive)) for subject in range(SUBJECTS)]
        for c in (circuit, rival)
    )
    assert len(one[0]) > 60
    assert giveaways(one, other) == {}
