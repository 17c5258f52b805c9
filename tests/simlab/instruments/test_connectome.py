"""Connectomes: what reconstruction loses, that nobody else sees the wiring, and that every reader says what it can."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from instrument_bench import poisson_activity, tissue

import simlab
from circuits.networks.balanced_ei import BalancedEI
from methods.wiring.connectome_reading import ConnectomeReading
from simlab import data, registry
from simlab.contracts import CONNECTOME, Needs, SimlabError
from simlab.data import anatomy, bare, check_recording, missing, modality
from simlab.exchange import arrays, neo, nwb, pynapple, zarr_store
from simlab.execution.strict.seal import seal, unseal
from simlab.instruments.recording.connectome import Connectome
from simlab.instruments.recording.subsample import Subsample
from simlab.lab.blinding import BlindImplant
from simlab.pairing import check_pair, shown_to
from simlab.questions.connectivity import Connectivity, activity_level

RNG = np.random.default_rng
N = 120
PERFECT = {"recall": 1.0, "precision": 1.0, "axon_completeness": 1.0, "dendrite_completeness": 1.0}
FELDMEYER = {2: 0.2, 3: 0.35, 4: 0.25, 5: 0.2}
"""Synapses of connected pairs in layer 4: 2 to 5, mean 3.4 (Feldmeyer et al. 1999, from memory)."""


def wired(density=0.2, seed=0, n=N):
    """Tissue whose connected pairs have 2 to 5 contacts each."""
    rng = RNG(seed)
    contacts = rng.choice(list(FELDMEYER), p=list(FELDMEYER.values()), size=(n, n)) * (rng.random((n, n)) < density)
    np.fill_diagonal(contacts, 0)
    place = tissue(n, side=300e-6, seed=seed)
    return anatomy(np.column_stack([place[a] for a in "xyz"]), place["cell_type"].values.tolist(), contacts=contacts)


SILENT = poisson_activity(N, trials=2, duration=1.0, rate=0.5)
TISSUE = wired()


def seen(subject=TISSUE, seed=1, **parameters):
    implant = Connectome(**parameters).implant(subject, RNG(seed))
    return implant, implant.record(SILENT, RNG(2))


def test_without_errors_the_contacts_are_the_subjects():
    implant, recording = seen(**PERFECT)
    np.testing.assert_array_equal(recording["contacts"], TISSUE["contacts"])
    np.testing.assert_array_equal(implant.key, np.eye(N))
    assert modality(recording) == CONNECTOME
    assert set(recording.data_vars) == {"contacts", "unit_x", "unit_y", "unit_z"}
    _, binary = seen(**PERFECT, counts=False)
    np.testing.assert_array_equal(binary["contacts"], TISSUE["contacts"].values > 0)


def test_synapses_are_missed_and_made_up_at_the_stated_rates():
    _, recording = seen(**{**PERFECT, "recall": 0.8, "precision": 0.9})
    truth, found = TISSUE["contacts"].values, recording["contacts"].values
    unconnected = (truth == 0) & ~np.eye(N, dtype=bool)
    # False synapses fall on all pairs alike; those that are detected truly are 9700 x .8, known to 44.
    false = found[unconnected].sum() / unconnected.sum() * N * (N - 1)
    assert (found.sum() - false) / truth.sum() == pytest.approx(0.8, abs=0.02)
    assert 1 - false / found.sum() == pytest.approx(0.9, abs=0.015)


@pytest.mark.parametrize(("min_contacts", "recall", "precision"), [(1, 0.997, 0.725), (2, 0.956, 0.981)])
def test_connections_are_found_as_often_as_staffler_2017_reports(min_contacts, recall, precision):
    """SynEM, excitatory: .881 recall and .885 precision of synapses, at 20% connectivity, give these of connections."""
    detection = {**PERFECT, "recall": 0.881, "precision": 0.885}
    _, recording = seen(**detection)
    finding = ConnectomeReading(min_contacts=min_contacts).analyse(recording, RNG(0))
    decided, truth = finding.estimate["decided"], TISSUE["contacts"].values > 0
    assert (decided & truth).sum() / truth.sum() == pytest.approx(recall, abs=0.025)
    assert (decided & truth).sum() / decided.sum() == pytest.approx(precision, abs=0.05)
    assert not finding.estimate["sign"].any()


def test_lost_branches_take_their_synapses_together():
    """Branches are attached or not: the spread over neurons of what is kept is that of 8 of them, not of synapses."""
    _, recording = seen(**{**PERFECT, "axon_completeness": 0.6}, branches=8)
    kept = recording["contacts"].values.sum(axis=1) / TISSUE["contacts"].values.sum(axis=1)
    assert kept.mean() == pytest.approx(0.6, abs=4 * np.sqrt(0.24 / 8 / N))
    # Binomial over 8 branches; some 80 synapses dealt out to them add 1/80 to 1/8.
    assert kept.std() == pytest.approx(np.sqrt(0.24 * (1 / 8 + 1 / 80)), rel=0.25)
    _, other = seen(**{**PERFECT, "dendrite_completeness": 0.6}, branches=8)
    received = other["contacts"].values.sum(axis=0) / TISSUE["contacts"].values.sum(axis=0)
    assert received.std() == pytest.approx(kept.std(), rel=0.3)


def test_a_split_neuron_is_two_units_that_share_its_synapses():
    implant, recording = seen(**PERFECT, split=1.0)
    assert recording.sizes["unit"] == 2 * N
    np.testing.assert_array_equal(implant.key.sum("unit"), 2.0)
    pair = np.flatnonzero(implant.key.values[:, 0])
    together = recording["contacts"].values[pair].sum()
    assert together == pytest.approx(TISSUE["contacts"].values[0].sum())
    projected = Connectivity().project(simlab.truths.wiring(TISSUE["contacts"].values.astype(float)), implant.key)
    assert projected["same"].values[tuple(pair)]


def test_a_merged_unit_holds_two_neighbours_and_all_that_they_make():
    implant, recording = seen(**PERFECT, merged=1.0)
    key = implant.key.values
    assert recording.sizes["unit"] == N / 2
    np.testing.assert_allclose(key.sum(axis=1), 1.0)
    assert ((key > 0).sum(axis=1) == 2).all()
    members = [np.flatnonzero(row) for row in key]
    expected = [[TISSUE["contacts"].values[np.ix_(a, b)].sum() * (a is not b) for b in members] for a in members]
    np.testing.assert_array_equal(recording["contacts"], expected)
    place = np.column_stack([TISSUE[a] for a in "xyz"])
    assert np.mean([np.linalg.norm(place[a] - place[b]) for a, b in members]) < 80e-6  # of 160 um on average


def test_a_block_holds_the_somata_and_the_synapses_within_it():
    implant, recording = seen(**PERFECT, edge=150e-6)
    place = np.column_stack([TISSUE[a] for a in "xyz"])[implant.key.values.argmax(axis=1)]
    assert 4 < len(place) < 40  # an eighth of 120, give or take
    assert (np.ptp(place, axis=0) <= 150e-6).all()
    inside = implant.key.values.argmax(axis=1)
    whole = TISSUE["contacts"].values[np.ix_(inside, inside)]
    assert (recording["contacts"].values <= whole).all()
    assert 0.1 < recording["contacts"].values.sum() / whole.sum() < 0.8
    few, _ = seen(**PERFECT, n_units=7)
    assert few.key.sizes["unit"] == 7


def test_nobody_but_a_connectome_is_shown_the_wiring():
    subject = BalancedEI(n_neurons=30).subject(RNG(0))
    np.testing.assert_array_equal(subject.anatomy["contacts"].values > 0, subject.weights != 0)
    activity = poisson_activity(30, trials=2, duration=1.0)
    for name in registry.names("instruments"):
        instrument = registry.create("instruments", name)
        told = shown_to(instrument, subject.anatomy)
        assert ("contacts" in told) == (name == "connectome")
        assert ("pre" in told.sizes) == (name == "connectome")
        if hasattr(instrument, "implant"):
            recording = BlindImplant(instrument.implant(told, RNG(0)), RNG(1)).record(activity, RNG(2))
            assert ("contacts" in recording) == (name == "connectome"), name


def test_blind_contacts_are_renumbered_along_both_dims():
    _, recording = seen(**PERFECT)
    order = RNG(0).permutation(N)
    blind = bare(recording, order)
    np.testing.assert_array_equal(blind["contacts"], recording["contacts"].values[np.ix_(order, order)])
    check_recording(blind)


def test_contacts_that_fit_no_units_are_refused():
    with pytest.raises(SimlabError, match=r"a recording of 3 units needs contacts \(pre, post\) of these, got shape"):
        data.recording(duration=1.0, n_units=3, n_trials=1, contacts=np.zeros((2, 2), int))
    with pytest.raises(SimlabError, match="contacts must be >= 0, got -1"):
        data.recording(duration=1.0, n_units=2, n_trials=1, contacts=np.full((2, 2), -1))
    with pytest.raises(SimlabError, match="an anatomy of 4 neurons needs contacts"):
        anatomy(np.zeros((4, 3)), ["E"] * 4, contacts=np.zeros((3, 3), int))
    with pytest.raises(SimlabError, match="whole numbers"):
        anatomy(np.zeros((2, 3)), ["E"] * 2, contacts=np.full((2, 2), 0.5))


def test_circuits_and_instruments_that_do_not_fit_are_told_so():
    with pytest.raises(SimlabError, match="the anatomy must state the contacts among neurons"):
        Connectome().implant(tissue(10), RNG(0))
    with pytest.raises(SimlabError, match="connectome needs connectome, and the circuit common_drive has spikes alone"):
        check_pair(registry.create("circuits", "common_drive"), Connectome())
    with pytest.raises(SimlabError, match=r"n_units must be 1\.\.120"):
        seen(n_units=500)


def test_methods_of_activity_abstain_on_a_connectome_and_levels_are_contacts():
    _, recording = seen()
    assert missing(recording, Needs()) == "needs activity, and this recording holds connectome"
    assert missing(recording, Needs(("spikes",))).startswith("needs spikes, and this recording holds connectome")
    assert not missing(recording, ConnectomeReading.needs)
    counts = recording["contacts"].values
    np.testing.assert_array_equal(activity_level(recording), counts.sum(axis=0) + counts.sum(axis=1))


def test_formats_carry_contacts_or_say_that_they_cannot(tmp_path):
    recording = bare(seen()[1])
    arrays.to_npz(recording, tmp_path / "c.npz")
    zarr_store.to_zarr(recording, tmp_path / "c.zarr")
    seal(recording, tmp_path / "sealed")
    read = {arrays.from_npz: "c.npz", zarr_store.from_zarr: "c.zarr", unseal: "sealed"}
    for again in (reader(tmp_path / name) for reader, name in read.items()):
        np.testing.assert_array_equal(again["contacts"], recording["contacts"])
    for write, format_name in (
        (lambda: nwb.write_nwb(recording, tmp_path / "c.nwb"), "NWB"),
        (lambda: neo.to_neo(recording), "Neo"),
        (lambda: pynapple.to_pynapple(recording), "pynapple"),
    ):
        with pytest.raises(SimlabError, match=f"{format_name} has no place for the contacts of a connectome: write a"):
            write()
    with pytest.raises(SimlabError, match="NWB has no place for the contacts"):
        simlab.generate("balanced_ei", instrument="connectome", trials=1, duration=0.1, out=tmp_path / "g.nwb")


@dataclass(frozen=True)
class Curious(Subsample):
    """Notes what of the anatomy it is shown."""

    name: ClassVar[str] = "curious"
    shown: ClassVar[set[str]] = set()

    def implant(self, anatomy, rng):
        self.shown.update(map(str, anatomy.variables))
        return super().implant(anatomy, rng)


def test_a_run_reads_the_wiring_of_real_subjects_and_shows_it_to_nobody_else(tmp_path):
    poor = Connectome(axon_completeness=0.3, recall=0.5)
    grid = simlab.Grid(
        circuits=(BalancedEI(n_neurons=60),),
        plans=(simlab.Plan(1, 0.1),),
        instruments=(Connectome(), poor, Curious(n_units=5)),
        methods=(ConnectomeReading(), "spike_count_correlation"),
    )
    results = simlab.run(simlab.Experiment("eyes", "who?", (grid,), subjects=2), out=tmp_path / "run", archive=False)
    table = results.table
    assert set(table["status"]) <= {"ok", "abstained"}
    reading = table[(table["method"] == "connectome_reading") & (table["instrument"] == "connectome")]
    mcc = reading.groupby("instrument_label")["mcc"].mean()
    assert mcc.max() > 0.9
    assert mcc.min() < 0.6
    blind = table[(table["method"] == "spike_count_correlation") & (table["instrument"] == "connectome")]
    assert blind["reason"].str.contains("needs activity").all()
    assert {"x", "cell_type"} <= Curious.shown
    assert "contacts" not in Curious.shown
