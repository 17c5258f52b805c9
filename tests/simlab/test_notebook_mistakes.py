"""What a developer sees in a notebook of a method that prints, fails or was not meant so, in a real kernel."""

from __future__ import annotations

import pytest

pytest.importorskip("nbclient", reason="nbclient and ipykernel are in the extra `test`")
pytest.importorskip("ipykernel", reason="nbclient and ipykernel are in the extra `test`")
from notebook import Shown, run_cells

METHOD = """
from dataclasses import dataclass
import numpy as np
import simlab
from toys import ToyChain, ToyRival

def helper(counts):
    return {}["nowhere"]

@dataclass(frozen=True)
class Clumsy:
    name, question = "clumsy", "connectivity"
    family, library = "cross-correlation", "own"
    needs = simlab.Needs(modalities=("spikes",), units=2)
    fails: bool = False
    def analyse(self, recording, rng):
        print("hello from inside")
        if self.fails:
            return helper(recording)
        n = recording.sizes["unit"]
        return simlab.Finding({"score": np.zeros((n, n)), "decided": np.zeros((n, n), dtype=bool)})
"""
RUN = """
grid = simlab.Grid(
    circuits=(ToyChain(),),
    rivals=(ToyRival(),),
    plans=tuple(simlab.Plan(trials=n, duration=1.0) for n in (2, 3)),
    instruments=(simlab.create("instruments", "subsample", n_units=5),),
    methods=(Clumsy(), Clumsy(fails=True)),
    baselines=False,
)
experiment = simlab.Experiment(name="mistakes", asks="?", grids=(grid,), subjects=1)
results = simlab.run(experiment, out="runs/here")
"""
AWAY = "print(simlab.run(experiment, out='runs/away', workers=1, progress=False).traceback())"


@pytest.fixture(scope="module")
def shown(tmp_path_factory) -> list[Shown]:
    folder = tmp_path_factory.mktemp("notebook")
    cells = [METHOD, RUN, "results", "print(results.traceback())", AWAY]
    cells += ["ax = results.plot_power('trials', measure='mcc')", "ax = results.plot_false_recovery('trials')"]
    cells += ["simlab.check(Clumsy())"]
    inline = "module://matplotlib_inline.backend_inline"  # as a kernel has it, whatever earlier tests have left behind
    return run_cells(cells, folder, SIMLAB_ARCHIVE=str(folder / "archive"), MPLBACKEND=inline)


def test_what_a_sealed_method_prints_shows_below_the_cell(shown) -> None:
    assert shown[1].text("stderr").count("hello from inside") == 8


def test_results_say_how_many_cells_failed_why_and_where_to_look(shown) -> None:
    (html,) = shown[2].html()
    assert "4 of 8 cells ended with an error" in html
    assert "KeyError" in html
    assert "results.traceback()" in html


@pytest.mark.parametrize("cell", [3, 4], ids=["sealed", "in a worker"])
def test_a_traceback_leads_to_the_line_in_the_notebook_and_through_none_of_the_house(shown, cell) -> None:
    trace = shown[cell].text().splitlines()
    assert [line.strip() for line in trace if not line.strip().startswith("File")] == [
        "Traceback (most recent call last):", "return helper(recording)", 'return {}["nowhere"]', "KeyError: 'nowhere'",
    ]  # fmt: skip
    assert ", in helper" in trace[-3]


def test_every_figure_is_shown_and_not_just_the_first(shown) -> None:
    assert [cell.pictures() for cell in shown[5:7]] == [1, 1]


def test_a_passed_check_shows_as_text(shown) -> None:
    (out,) = [out for out in shown[7].outputs if out["output_type"] == "execute_result"]
    assert out["data"]["text/plain"].startswith("method clumsy: 16 of 16 checks passed\n  ok    has a name")
