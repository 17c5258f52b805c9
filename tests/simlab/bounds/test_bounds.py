"""What could be known: statistics that no numbering changes, a classifier near Bayes, and bounds kept beside a run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtr
from toys import LagCorrelation, ToyChain, ToyRival

import simlab
from simlab.bounds.features import features
from simlab.bounds.of_run import kept, measure, pairs_of
from simlab.bounds.separation import separation
from simlab.contracts import SimlabError
from simlab.data import recording
from simlab.experiment import Experiment, Grid, Plan
from simlab.report.figures import Gallery
from simlab.report.material import Links, gathered
from simlab.report.question_section import question_section
from simlab.report.rendering import Pages
from simlab.statistics.knowable import MISSED, REACHED, UNKNOWN, _verdict, beside_bounds


def spikes(order: np.ndarray, shared: float = 0.0):
    rng = np.random.default_rng(5)
    n_units, trials, bins = len(order), 12, 400
    common = rng.random((trials, bins, 1)) < shared
    fired = (rng.random((trials, bins, n_units)) < 0.03) | (common & (rng.random((trials, bins, n_units)) < 0.5))
    trial, time, unit = np.nonzero(fired)
    return recording(
        duration=bins * 5e-3, n_units=n_units, n_trials=trials, spikes=(trial, (time + 0.5) * 5e-3, order[unit])
    )


def test_statistics_are_the_same_however_units_are_numbered() -> None:
    here, there = features(spikes(np.arange(8), 0.05)), features(spikes(np.array([3, 1, 7, 0, 2, 6, 5, 4]), 0.05))
    assert len(here) > 200
    assert here.keys() == there.keys()
    np.testing.assert_allclose(list(here.values()), list(there.values()), rtol=1e-4, atol=1e-6)


def test_shared_input_shows_in_correlations_of_the_statistics() -> None:
    apart, together = features(spikes(np.arange(8))), features(spikes(np.arange(8), 0.05))
    assert together["correlation all 50 ms mean"] > apart["correlation all 50 ms mean"] + 0.1


def rows(shift: float, n: int, seed: int) -> list[dict[str, float]]:
    rng = np.random.default_rng(seed)
    return [{"a": float(rng.normal(shift)), "b": float(rng.normal()), "gap": np.nan} for _ in range(n)]


def test_it_separates_two_normal_populations_as_well_as_bayes() -> None:
    # the best classifier of two normals d apart is right in Phi(d / 2): .933 at d = 3; of 400, standard error .0125
    found = separation(rows(3.0, 200, 1), rows(0.0, 200, 2), np.random.default_rng(3))
    assert found.accuracy == pytest.approx(ndtr(1.5), abs=0.04)
    assert found.youden_low < found.youden < found.youden_high
    assert found.tells[0][0] == "a"
    assert found.tells[0][1] == pytest.approx(3.0, abs=0.3)


def test_of_one_population_nothing_is_told_apart() -> None:
    # of 40 recordings a rate's standard error is .08, so that of three values of 2 x rate - 1 the mean's is .09
    found = [separation(rows(0.0, 20, k), rows(0.0, 20, k + 50), np.random.default_rng(k)) for k in range(3)]
    assert np.mean([one.youden for one in found]) == pytest.approx(0, abs=0.3)
    assert sum(one.youden_low > 0 for one in found) <= 1


def test_too_few_recordings_are_refused() -> None:
    with pytest.raises(SimlabError, match="10 recordings of each"):
        separation(rows(0.0, 9, 1), rows(0.0, 9, 2), np.random.default_rng(0))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory):
    grid = Grid((ToyChain(),), (Plan(20, 0.5),), ("perfect",), (LagCorrelation(), Guess()), rivals=(ToyRival(),))
    spec = Experiment("bounded", "Can a chain be told?", (grid,), subjects=3)
    found = simlab.run(spec, tmp_path_factory.mktemp("bounds") / "run", archive=False, progress=False)
    told: list[tuple] = []
    return found, found.bounds(10, lambda *step: told.append(step)), told


class Guess:
    name, question, family, library = "guess", "mechanism", "none", "own"

    def analyse(self, recording, rng):
        return simlab.Finding({"label": str(rng.choice(recording.attrs["brief"]["candidates"]))})


def test_each_circuit_and_rival_is_measured_and_kept_with_the_run(run) -> None:
    results, bounds, told = run
    assert [(b["circuit_label"], b["rival_label"], b["n"]) for b in bounds] == [("toy_chain", "toy_rival", 20)]
    assert kept(results.folder) == json.loads(json.dumps(bounds))
    assert told == [(1, 1, {"circuit": "toy_chain", "instrument": "perfect", "method": "toy_rival"})]
    assert bounds[0]["youden_low"] > 0.3  # followers three milliseconds later show in the lagged counts
    assert any("lagged" in name for name, _ in bounds[0]["tells"])


def test_the_report_says_what_could_be_known_where_the_question_is_about_that(run) -> None:
    links = Links()
    material, gallery = gathered(run[0], links), Gallery(None)
    sections = [question_section(material, name, gallery) for name in ("connectivity", "mechanism")]
    page = Pages(links).environment.get_template("question.html")
    assert ["What could be known" in page.render(section=section) for section in sections] == [False, True]


def test_circuits_and_rivals_of_a_family_go_by_the_names_that_the_run_gives_them() -> None:
    grid = Grid(("redundant",), (Plan(20, 0.5),), ("perfect",), (Guess(),), rivals=("single_path",), drawn=True)
    spec = Experiment("family", "?", (grid,), subjects=1)
    (pair,) = pairs_of(spec)
    cells = {cell.role: cell.label_of(cell.circuit) for cell in spec.cells()}
    assert (pair.named["circuit_label"], pair.named["rival_label"]) == (cells["circuit"], cells["rival"])
    assert all(name.endswith(", drawn") for name in cells.values())
    assert pair.cell(pair.rival).twin is pair.circuit  # whose drawn parameters it follows


def test_a_method_is_held_against_the_bound(run) -> None:
    results, bounds, _ = run
    table = results.table
    shown = beside_bounds(table, bounds, "mechanism")[0]
    assert shown["method"] == "guess"
    assert shown["verdict"] in (MISSED, "undecided")
    above, chance = {"youden_low": 0.9}, {"youden_low": -0.2}
    base = {"separation": 0.5, "separation_low": 0.3, "separation_high": 0.7}
    assert _verdict(above, base) == MISSED
    assert _verdict(chance, base) == REACHED
    assert _verdict(chance, {"separation": 0.0, "separation_low": -0.1, "separation_high": 0.1}) == UNKNOWN


def test_what_cannot_be_measured_is_said(run, tmp_path: Path) -> None:
    results, _, _ = run
    with pytest.raises(SimlabError, match="10 subjects of each"):
        measure(results, 9)
    grid = Grid((ToyChain(),), (Plan(20, 0.5),), ("perfect",), (LagCorrelation(),), rivals=(ToyRival(),))
    wiring = simlab.run(Experiment("alone", "?", (grid,), subjects=1), tmp_path / "run", archive=False, progress=False)
    with pytest.raises(SimlabError, match="no grid with rivals that asks which circuit it is"):
        measure(wiring, 10)


def test_pairs_of_grids_that_ask_about_something_else_are_left_out(run) -> None:
    which, wiring = (
        Grid((ToyChain(),), (Plan(trials, 0.5),), ("perfect",), (method,), rivals=(ToyRival(),))
        for trials, method in ((20, Guess()), (30, LagCorrelation()))
    )
    assert [pair.plan.trials for pair in pairs_of(Experiment("two", "?", (which, wiring)))] == [20]
    results, bounds, _ = run
    elsewhere = dict(bounds[0]) | {"trials": 30}  # as a folder may hold of before
    assert [row["trials"] for row in beside_bounds(results.table, [*bounds, elsewhere], "mechanism")] == [20]
