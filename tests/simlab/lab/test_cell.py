"""One cell: blind implants keep key and recording in step, parts are simulated once, rows say all that happened."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from toys import LagCorrelation, ToyChain, single_pulse

from simlab.contracts import SimlabError
from simlab.data import mean_rates
from simlab.experiment import Cell, Plan
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.subsample import Subsample
from simlab.lab import cell as bench
from simlab.lab.cell import BlindImplant, Lab, Settings, run_cell
from simlab.session import Session
from simlab.store.ledger import COLUMNS, unpack

CELL = Cell(ToyChain(), 0, Plan(50, 1.0), Subsample(4), LagCorrelation(), candidates=("toy_chain", "toy_rival"))
SETTINGS = Settings(seed=3, archive=None, time_limit=10.0, memory_limit=2**30)


@pytest.fixture(autouse=True)
def _forget():
    bench._memory.clear()


def test_the_key_and_the_recording_are_permuted_alike():
    rng = np.random.default_rng(0)
    subject = ToyChain(n_neurons=12, rate=5.0).subject(rng)
    activity = subject.run(Session(40, 1.0), rng)
    blind = BlindImplant(Perfect().implant(subject.anatomy, rng), rng, ())
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
        BlindImplant(Leaky(), rng, ()).record(activity, rng)


def test_a_row_says_what_ran_and_what_came_of_it():
    row = run_cell(CELL, SETTINGS)
    assert set(row) <= set(COLUMNS)
    assert (row["status"], row["n_units"], row["n_neurons"], row["engine"]) == ("ok", 4, 6, "toy")
    assert json.loads(row["metrics"])["auroc"] > 0.9
    assert json.loads(row["versions"])["simlab"]
    assert row["seconds_simulation"] > 0
    assert unpack(row["exhibit"])["truth_edge"].shape == (4, 4)


def test_the_same_cell_gives_the_same_row():
    first, second = run_cell(CELL, SETTINGS), run_cell(CELL, SETTINGS)
    same = set(COLUMNS) & set(first) - {"peak_memory"} - {name for name in first if name.startswith("seconds")}
    assert all(first[name] == second[name] for name in same)


def test_methods_and_instruments_share_one_subject_and_one_simulation():
    lab, other = Lab(CELL, SETTINGS), Lab(Cell(CELL.circuit, 0, CELL.plan, Perfect(), LagCorrelation(0.002)), SETTINGS)
    assert lab.subject() is other.subject()
    assert lab.activity() is other.activity()


def test_a_subject_keeps_its_wiring_whatever_it_is_recorded_with():
    plans = [Lab(Cell(ToyChain(), 0, Plan(n, 1.0), Perfect(), LagCorrelation()), SETTINGS) for n in (5, 50)]
    bench._memory.clear()
    first = plans[0].truth()
    bench._memory.clear()
    xr.testing.assert_identical(first, plans[1].truth())


def test_the_toy_chain_does_what_its_truth_says():
    subject = ToyChain(coupling=1.0, rate=0.5).subject(np.random.default_rng(1))
    pre, post = np.argwhere(subject.truth("connectivity").weight.values)[0]
    activity = subject.run(Session(50, 0.2).perturbed(single_pulse(subject, pre)), np.random.default_rng(2))
    at_lag = activity.spike_neuron.values[np.isclose(activity.spike_time.values, 0.053)]
    assert (at_lag == post).sum() == 50
