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
