"""One cell: blind implants keep key and recording in step, parts are simulated once, rows say all that happened."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
import xarray as xr
from toys import LagCorrelation, PulseAndCount, ToyChain, ToySubject, single_pulse

from simlab import truths
from simlab.contracts import Needs, SimlabError
from simlab.data import mean_rates
from simlab.experiment import Cell, Plan
from simlab.fingerprint import fingerprint
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.subsample import Subsample
from simlab.instruments.stimulating.ideal import Ideal
from simlab.lab.blinding import BlindImplant
from simlab.lab.cell import run_cell
from simlab.lab.laboratory import Lab, contents
from simlab.lab.memory import forget
from simlab.lab.row import Settings
from simlab.session import Effect, Session, Stimulus
from simlab.store.archive import Archive
from simlab.store.columns import COLUMNS, TIMINGS
from simlab.store.packing import digest, unpack_dataset, unpack_finding

CELL = Cell(ToyChain(), 0, Plan(50, 1.0), Subsample(4), LagCorrelation(), family=("chain", "no chain"))
SETTINGS = Settings(seed=3, archive=None, time_limit=10.0, memory_limit=2**30)


@pytest.fixture(autouse=True)
def _forget():
    forget()


def test_the_key_and_the_recording_are_permuted_alike():
    rng = np.random.default_rng(0)
    subject = ToyChain(n_neurons=12, rate=5.0).subject(rng)
    activity = subject.run(Session(40, 1.0), rng)
    blind = BlindImplant(Perfect().implant(subject.anatomy, rng), rng)
    neuron_of_unit = blind.key.values.argmax(1)
    assert neuron_of_unit.tolist() != sorted(neuron_of_unit)
    np.testing.assert_allclose(mean_rates(blind.record(activity, rng)), mean_rates(activity)[neuron_of_unit])


def test_an_implant_that_leaks_neurons_is_refused():
    class Leaky:
        key = xr.DataArray(np.eye(6), dims=("unit", "neuron"))

        def record(self, activity, rng):
            return activity

    rng = np.random.default_rng(0)
    activity = ToyChain().subject(rng).run(Session(2, 1.0), rng)
    with pytest.raises(SimlabError, match="must not hold the dim `neuron`"):
        BlindImplant(Leaky(), rng).record(activity, rng)


def test_a_row_says_what_ran_and_what_came_of_it():
    row, _ = run_cell(CELL, SETTINGS)
    assert set(row) <= set(COLUMNS)
    assert (row["status"], row["n_units"], row["n_neurons"], row["engine"]) == ("ok", 4, 6, "toy")
    assert (row["mechanism"], row["family"], row["library"]) == ("chain", "cross-correlation", "own")
    assert json.loads(row["metrics"])["auroc"] > 0.9
    assert json.loads(row["versions"])["simlab"]
    assert row["seconds_simulation"] > 0


def test_the_finding_is_kept_with_the_truth_that_it_was_scored_against():
    row, blobs = run_cell(CELL, SETTINGS)
    finding = unpack_finding(row["finding"])
    assert finding.estimate["decided"].shape == (4, 4)
    assert finding.confidence == 0.9
    kept = {digest(blob): unpack_dataset(blob) for blob in blobs}
    assert kept[row["truth"]]["weight"].shape == (6, 6)
    assert kept[row["unit_key"]]["share"].dims == ("unit", "neuron")


def test_the_same_cell_gives_the_same_row():
    first, second = (run_cell(CELL, SETTINGS)[0] for _ in range(2))
    assert all(first[name] == second[name] for name in set(first) - set(TIMINGS))


def test_methods_and_instruments_share_one_subject_and_one_simulation():
    lab, other = Lab(CELL, SETTINGS), Lab(Cell(CELL.circuit, 0, CELL.plan, Perfect(), LagCorrelation(0.002)), SETTINGS)
    assert lab.subject() is other.subject()
    assert lab.activity() is other.activity()


def test_a_subject_keeps_its_wiring_whatever_it_is_recorded_with():
    plans = [Lab(Cell(ToyChain(), 0, Plan(n, 1.0), Perfect(), LagCorrelation()), SETTINGS) for n in (5, 50)]
    forget()
    first = plans[0].truth.neurons
    forget()
    xr.testing.assert_identical(first, plans[1].truth.neurons)


def test_the_toy_chain_does_what_its_truth_says():
    subject = ToyChain(coupling=1.0, rate=0.5).subject(np.random.default_rng(1))
    pre, post = np.argwhere(subject.truth("connectivity", None, np.random.default_rng(0)).weight.values)[0]
    activity = subject.run(Session(50, 0.2).perturbed(single_pulse(subject, pre)), np.random.default_rng(2))
    at_lag = activity.spike_neuron.values[np.isclose(activity.spike_time.values, 0.053)]
    assert (at_lag == post).sum() == 50


def test_a_sweep_meets_the_same_individuals_under_each_value():
    """Streams know no parameter: whoever couples more strongly is the same chain, coupled more strongly."""
    weak, strong = (
        Lab(Cell(ToyChain(coupling=c), 0, Plan(20, 1.0), Subsample(4), LagCorrelation()), SETTINGS) for c in (0.2, 0.9)
    )
    assert weak.subject().order.tolist() == strong.subject().order.tolist()
    np.testing.assert_array_equal(weak.subject().anatomy.x, strong.subject().anatomy.x)
    assert weak.implant().key.identical(strong.implant().key)


def test_larger_samples_hold_the_smaller_ones():
    few, many = (Lab(Cell(ToyChain(), 0, Plan(5, 1.0), Subsample(n), LagCorrelation()), SETTINGS) for n in (2, 5))
    seen = [set(np.flatnonzero(lab.implant().key.values.any(axis=0))) for lab in (few, many)]
    assert seen[0] < seen[1]


def test_the_lab_abstains_for_a_method_whose_needs_are_not_met():
    @dataclass(frozen=True)
    class Demanding(LagCorrelation):
        name: ClassVar[str] = "demanding"
        needs: ClassVar[Needs] = Needs(("fluorescence",))

    row, blobs = run_cell(replace(CELL, method=Demanding()), SETTINGS)
    assert (row["status"], blobs) == ("abstained", ())
    assert row["reason"] == "needs fluorescence, and this recording holds spikes"


def test_a_truth_may_see_the_activity_and_is_checked_against_its_form():
    class Watched(ToySubject):
        def truth(self, question, activity, rng):
            return truths.wiring(np.full((6, 6), activity.sizes["spike"]) if question == "connectivity" else None)

    class Liar(ToySubject):
        def truth(self, question, activity, rng):
            return truths.wiring(np.zeros((6, 6))).rename(weight="strength")

    for kind, status in ((Watched, "ok"), (Liar, "fault")):
        circuit = ToyOf(kind=kind)
        forget()
        row, _ = run_cell(replace(CELL, circuit=circuit), SETTINGS)
        assert row["status"] == status, row["reason"]
    assert "lacks 'weight'" in row["reason"]


@dataclass(frozen=True)
class ToyOf(ToyChain):
    """The toy chain whose subjects are of another kind."""

    name: ClassVar[str] = "toy_of"
    kind: type = ToySubject

    def subject(self, rng):
        return self.kind(self, rng.permutation(self.n_neurons), rng.uniform(0, 1e-4, (self.n_neurons, 3)))


def active(**changes) -> Cell:
    cell = Cell(ToyChain(), 0, Plan(40, 0.1), Perfect(), PulseAndCount(repeats=3), stimulator=Ideal())
    return replace(cell, **changes)


def test_variants_of_an_active_method_share_the_sessions_that_they_ask_for(tmp_path):
    """Another budget, another parameter that changes no session: the same activity, simulated once."""
    settings = replace(SETTINGS, archive=str(tmp_path))
    rows = [run_cell(active(perturbations=limit), settings)[0] for limit in (None, 30)]
    assert [row["status"] for row in rows] == ["ok", "ok"]
    assert rows[0]["metrics"] == rows[1]["metrics"]
    assert len(Archive(tmp_path).entries()) == 1
    other, _ = run_cell(active(method=PulseAndCount(repeats=2)), settings)
    assert other["status"] == "ok"
    assert len(Archive(tmp_path).entries()) == 2


def test_sessions_are_told_apart_by_each_weight_that_they_change():
    gain = np.ones((2, 2))
    pair = Effect("gain", gain, 0.0, 0.5, over="pair")
    other = Effect("gain", np.array([[1.0, 2.0], [1.0, 1.0]]), 0.0, 0.5, over="pair")
    drive = Effect("drive", np.ones(2), 0.0, 0.5)
    made = [(), (pair,), (other,), (drive,), (pair, drive), (drive, pair), (pair, other), (other, pair)]
    made += [(Effect("gain", gain, 0.0, 0.6, over="pair"),), (Effect("gain", gain, 0.0, 0.5, (0,), over="pair"),)]
    found = {fingerprint(contents(Session(2, 1.0, perturbations=effects))) for effects in made}
    assert len(found) == len(made)
    assert contents(Session(2, 1.0)) == Session(2, 1.0).to_dict()


def test_sessions_are_told_apart_by_what_they_show():
    shown = [Stimulus(("x",), np.full((2, 4, 1), value), 0.1) for value in (0.0, 1.0, np.nan)]
    shown += [Stimulus(("y",), np.zeros((2, 4, 1)), 0.1), Stimulus(("x",), np.zeros((2, 4, 1)), 0.2)]
    found = {fingerprint(contents(Session(2, 0.4, stimulus=s))) for s in (*shown, None)}
    assert len(found) == len(shown) + 1


def test_what_an_active_method_spent_is_in_its_row():
    row, _ = run_cell(active(), SETTINGS)
    assert (row["spent_trials"], row["spent_perturbations"], row["budget_trials"]) == (18, 18, 40)
    assert row["stimulator"] == "ideal"


def test_a_truth_that_took_long_is_kept_in_the_archive_and_a_quick_one_is_not(tmp_path):
    store = Archive(tmp_path)
    made: list[int] = []

    def make() -> xr.Dataset:
        made.append(1)
        return truths.one(dimension=2)

    store.fetch("ab" * 16, make, least_seconds=10.0)
    assert store.entries() == []
    for _ in range(2):
        assert int(store.fetch("cd" * 16, make)["dimension"]) == 2
    assert (len(made), len(store.entries())) == (2, 1)


def test_the_key_of_a_scored_pair_is_weighted_by_the_neurons_true_rates():
    """A unit merged of a busy and a quiet neuron is mostly the busy one, where the instrument assumed equal rates."""

    @dataclass(frozen=True)
    class Merger(Perfect):
        name: ClassVar[str] = "merger"

        def implant(self, anatomy, rng):
            implant = super().implant(anatomy, rng)
            share = np.eye(6)[:5]
            share[0, :2] = 0.5
            key = xr.DataArray(share, dims=("unit", "neuron"), attrs={"reference_rate": 10.0})
            return replace(implant, key=key.assign_coords(unit=np.arange(5), neuron=np.arange(6)))

    lab = Lab(replace(CELL, instrument=Merger()), SETTINGS)
    rates = mean_rates(lab.activity())
    nominal, weighted = lab.implant().key.values, lab.truth.key.values
    merged = int((nominal > 0).sum(axis=1).argmax())
    expected = nominal[merged] * rates / (nominal[merged] @ rates)
    np.testing.assert_allclose(weighted[merged], expected)
    assert not np.allclose(weighted[merged], nominal[merged])
