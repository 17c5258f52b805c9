"""The README's example in a real kernel: it runs there as it is written, results show, and the bar keeps its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("nbclient", reason="nbclient and ipykernel are in the extra `test`")
pytest.importorskip("ipykernel", reason="nbclient and ipykernel are in the extra `test`")
from notebook import Shown, run_cells

README = (Path(__file__).parents[2] / "README.md").read_text()
EXAMPLE = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)[0]
QUIET = "simlab.run(experiment, out='runs/seen', progress=False, subjects=1)"


@pytest.fixture(scope="module")
def shown(tmp_path_factory) -> list[Shown]:
    folder = tmp_path_factory.mktemp("notebook")
    return run_cells([EXAMPLE, "results", QUIET, "_.claims()"], folder, SIMLAB_ARCHIVE=str(folder / "archive"))


def test_the_example_of_the_readme_runs_in_a_kernel(shown) -> None:
    assert "lagged_covariance" in shown[0].text()
    assert "Traceback" not in shown[0].text("stderr")


def test_the_bar_is_one_display_that_ends_with_what_was_done(shown) -> None:
    bars = shown[0].html(displayed=True)
    assert len(bars) == 1
    assert re.fullmatch(r"16 of 16 cells in \d+ s", bars[0])
    assert shown[0].text("stderr") == ""


def test_a_bar_that_is_not_wanted_is_not_there(shown) -> None:
    assert shown[2].html(displayed=True) == []


def test_results_show_as_a_table(shown) -> None:
    (table,) = shown[1].html()
    assert "my_first" in table
    assert ">lagged_covariance<" in table
    assert shown[3].html() == ["<p>This experiment makes no claims.</p>"]


COMPARED = """
from simlab.store.columns import TIMINGS

def science(results):
    return results.table.drop(columns=[*TIMINGS, "engine"]).sort_values("cell").reset_index(drop=True)

once = dict(subjects=1, seed="0123456789abcdef0123", progress=False, archive=False)
here = simlab.run(experiment, out="runs/here", strict=False, **once)
print(set(here.table["status"]))
"""
WAYS = {
    "workers": 'there = simlab.run(experiment, out="runs/workers", workers=2, **once)',
    "strict": 'there = simlab.run(experiment, out="runs/strict", strict=True, **once)',
    "dask": """
from distributed import Client, LocalCluster
with LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=None) as cluster, Client(cluster) as client:
    there = simlab.run(experiment, out="runs/dask", executor=client.get_executor(), **once)
""",
}
SAME = "print(science(there).equals(science(here)), set(there.table['status']))"


@pytest.mark.slow
def test_a_notebook_s_method_has_the_same_rows_in_workers_sealed_and_on_a_dask_cluster(tmp_path) -> None:
    cells = [EXAMPLE.partition("results = simlab.run")[0], COMPARED]
    cells += [f"{way}\n{SAME}" for way in WAYS.values()]
    shown = run_cells(cells, tmp_path, timeout=300.0)
    assert shown[1].text().strip().endswith("'ok'}")
    assert [cell.text().strip().startswith("True") for cell in shown[2:]] == [True] * len(WAYS)
