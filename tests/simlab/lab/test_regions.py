"""What a method learns of regions: which units lie together, under numbers that say nothing of what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from toys import LagCorrelation, PulseAndCount, ToyChain, ToySubject

from simlab.contracts import Finding, SimlabError
from simlab.experiment import Cell, Plan
from simlab.instruments.placement import make_key
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal
from simlab.lab import regions
from simlab.lab.analysing import _setup
from simlab.lab.cell import run_cell
from simlab.lab.laboratory import Lab, Stopwatch
from simlab.lab.memory import forget
from simlab.lab.row import Settings
from simlab.session import Perturbation
from simlab.store.packing import unpack_finding

NAMES = ("adder", "decoder", "memory")
SETTINGS = Settings(seed=3, archive=None, time_limit=20.0, memory_limit=2**30)


@dataclass(frozen=True)
class Machine(ToyChain):
    """The toy chain in three regions with names that would tell it all."""

    name: ClassVar[str] = "machine"
    n_neurons: int = 9

    def subject(self, rng):
        made = ToySubject(self, rng.permutation(self.n_neurons), rng.uniform(0, 1e-4, (self.n_neurons, 3)))
        made.anatomy["region"] = ("neuron", np.array(NAMES, dtype=object)[np.arange(self.n_neurons) % 3])
        return made


@dataclass(frozen=True)
class AimsAtRegions(PulseAndCount):
    """Drives each region in turn; notes what it was told of regions, and who answered."""

    name: ClassVar[str] = "aims_at_regions"
    aim: str = "region {}"

    def investigate(self, rig, rng):
        codes, answered = rig.units["unit_region"].values, []
        for code in range(3):
            session = rig.session(trials=20, duration=0.1)
            pulse = Perturbation("stimulate", (), 2.0, 0.05, 0.06, region=self.aim.format(code))
            seen = rig.record(session.perturbed(pulse))
            hit = seen["spike_unit"].values[np.isclose(seen["spike_time"].values, 0.05, atol=1e-4)]
            answered.append(np.flatnonzero(np.bincount(hit, minlength=len(codes)) >= 20).tolist())
            assert seen["unit_region"].values.tolist() == codes.tolist()
        square = np.zeros((len(codes),) * 2)
        notes = {"codes": codes.tolist(), "answered": answered, "said": repr((rig.units, seen))}
        return Finding({"score": square, "decided": square > 0, "sign": square}, notes=notes)


def lab_of(subject=0, circuit=None, method=None):
    cell = Cell(circuit or Machine(), subject, Plan(60, 0.1), Perfect(), method or LagCorrelation(), stimulator=Ideal())
    return Lab(cell, SETTINGS)


@pytest.fixture(autouse=True)
def _forget():
    forget()


def test_numbers_are_in_another_order_in_every_subject_and_the_same_for_every_instrument():
    orders = {lab_of(subject).regions for subject in range(30)}
    # Of 6 orders, that one of them stays away 30 times has a probability of 6 (5/6)^30 = 0.025; fewer than 4, < 1e-4.
    assert len(orders) >= 4
    assert all(sorted(order) == list(NAMES) for order in orders)
    assert lab_of(2).regions == lab_of(2, method=PulseAndCount()).regions


def test_a_unit_lies_where_its_dominant_neuron_does_and_noise_where_it_seems_to():
    subject = Machine().subject(np.random.default_rng(0))
    share = np.zeros((3, 9))
    share[0, [0, 1]], share[1, [4, 5]] = (0.3, 0.5), (0.4, 0.2)
    places = np.full((3, 3), np.nan)
    places[2] = [subject.anatomy[axis].values[8] + 1e-9 for axis in "xyz"]
    found = regions.of_units(subject.anatomy, make_key(share), places, ("memory", "adder", "decoder"))
    assert found.tolist() == [2, 2, 0]
    assert regions.of_units(ToyChain().subject(np.random.default_rng(0)).anatomy, make_key(share), places, "c") is None


def test_a_subject_of_one_region_says_nothing_of_it():
    lab = lab_of(circuit=ToyChain())
    assert "unit_region" not in lab.recording()
    assert "unit_region" not in lab.implant().known(lab.subject().anatomy)
    assert lab.regions == ("cortex",)


def test_recordings_and_the_rig_number_the_units_alike():
    lab = lab_of()
    seen, known = lab.recording(), lab.implant().known(lab.subject().anatomy)
    neuron = lab.implant().key.values.argmax(axis=1)
    real = lab.subject().anatomy["region"].values[neuron]
    assert [lab.regions[code] for code in seen["unit_region"].values] == real.tolist()
    assert seen["unit_region"].dtype == known["unit_region"].dtype == np.int32
    np.testing.assert_array_equal(seen["unit_region"], known["unit_region"])
    assert known["unit_region"].attrs == {}


@pytest.mark.parametrize("strict", [False, True])
def test_a_method_aims_at_numbers_and_never_meets_a_name(strict):
    settings = Settings(seed=3, archive=None, time_limit=20.0, memory_limit=2**30, strict=strict)
    cell = Cell(Machine(), 1, Plan(60, 0.1), Perfect(), AimsAtRegions(), stimulator=Ideal())
    row, _ = run_cell(cell, settings)
    assert row["status"] == "ok", row["reason"]
    assert (row["spent_interventions"], row["spent_perturbations"]) == (3, 60)
    notes = unpack_finding(row["finding"]).notes
    codes = np.array(notes["codes"])
    assert [np.flatnonzero(codes == code).tolist() for code in range(3)] == notes["answered"]
    assert "unit_region" in notes["said"]
    assert not any(name in notes["said"] for name in NAMES)


def test_a_real_name_is_no_region_to_a_method_and_no_error_says_one():
    cell = Cell(Machine(), 1, Plan(60, 0.1), Perfect(), AimsAtRegions(aim="adder"), stimulator=Ideal())
    row, _ = run_cell(cell, SETTINGS)
    assert row["status"] == "error"
    assert "must be one of the subject's, region 0 .. region 2, got 'adder'" in row["reason"]
    setup = _setup(lab_of(1), Stopwatch(), [])
    with pytest.raises(SimlabError) as refusal:  # what the stimulator itself would say
        setup.actuator.aim(Perturbation("stimulate", (), 2.0, 0.05, 0.06, region="region 0"))
    said = regions.anonymous(str(refusal.value), setup.regions)
    assert all(f"region {code}" in said for code in range(3))
    assert not any(name in said for name in NAMES)
