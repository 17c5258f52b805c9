"""No trivial statistic of the file tells a circuit from its rival: a method must look at what the neurons do.

For each circuit, rival and instrument: eight files of either, sealed as a strict method gets them. A statistic gives a
rival away if a threshold on it puts all sixteen files on their right sides; by chance that happens to one in
C(16, 8) / 2 = 6435 statistics.
"""

from dataclasses import replace

import pytest
from giveaways import giveaways, trivial_statistics

from circuits.attractors.ring_attractor import RingAttractor
from circuits.networks.balanced_ei import BalancedEI
from circuits.networks.cortical_patch import CorticalPatch
from methods.wiring.spike_count_correlation import SpikeCountCorrelation
from simlab.execution.strict.seal import seal
from simlab.experiment import Cell, Grid, Plan
from simlab.instruments.recording.electrodes import Electrodes
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.subsample import Subsample
from simlab.instruments.recording.two_photon import TwoPhoton
from simlab.lab.laboratory import Lab
from simlab.lab.row import Settings
from simlab.registry import create, names, question

SUBJECTS = 8
RING = RingAttractor(n_excitatory=24, n_inhibitory=6)
SMALL = {
    "balanced_ei": (BalancedEI(n_neurons=30),),
    "cortical_patch": (CorticalPatch(n_neurons=60, shared_drive=0.05),),
    "ring_attractor": (RING, replace(RING, model="rate")),
}
"""Each circuit that has rivals, small enough to be simulated many times; one without an entry is tried as it is."""
PLAN = Plan(4, 0.25)
SPIKES_ONLY = (Electrodes(n_sites=24), TwoPhoton(n_units=10))
INSTRUMENTS = (Perfect(), Subsample(n_units=10), *SPIKES_ONLY)


def imitations():
    """(circuit, rival made to match it), for every circuit that any rival imitates."""
    for rival in (create("circuits", name) for name in names("circuits")):
        for name in getattr(rival, "twin_of", ()):
            for circuit in SMALL.get(name, (create("circuits", name),)):
                yield circuit, rival.imitating(circuit)


CASES = [
    pytest.param(
        circuit, rival, instrument, id=f"{rival.name}-{getattr(circuit, 'model', 'spiking')}-{instrument.name}"
    )
    for circuit, rival in imitations()
    for instrument in INSTRUMENTS
    if getattr(circuit, "model", "spiking") == "spiking" or instrument not in SPIKES_ONLY
]


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Where activities are kept, so that each is simulated for one instrument and met by the others."""
    return str(tmp_path_factory.mktemp("archive"))


def sealed(circuit, family, instrument, subject, folder, archive):
    """The file that a strict method would get of this subject."""
    asked = question("mechanism")
    cell = Cell(circuit, subject, PLAN, instrument, SpikeCountCorrelation(), family=family, question=asked)
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
