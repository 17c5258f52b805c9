"""Results as a user holds them: report, claims, figures and what a notebook shows, on made-up rows of a real shape."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import matplotlib as mpl
import numpy as np
import pytest
from synthetic_run import connectivity_rows, row, write_run
from toy_experiment import EXPERIMENT

import simlab
from simlab.claims import Claim, Measured
from simlab.results import Results

mpl.use("Agg")


@dataclass(frozen=True)
class Blurred:
    """An instrument with notes on its fields."""

    name: ClassVar[str] = "blurred"
    width: float = 0.1  # s; Someone 2000
    reach: float = 0.1
    """How far it sees [mm]."""
    odd: float = 1.0  # so many
    many: int = 3
    """How many [1]."""

    def implant(self, anatomy, rng): ...


CLAIMS = (
    Claim("sure", "it <b>is</b> so", "Smith & Jones 1999", lambda table: Measured(0.5, 0.4, 0.6, 9), (0.3, 1.0)),
    Claim("broken", "it is not", "nobody", lambda table: table["nonesuch"].mean(), (0.0, 0.1)),
)
SPEC = replace(EXPERIMENT, name="made_up", claims=CLAIMS)


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Results:
    rows = connectivity_rows(2, np.random.default_rng(0))
    rows = [r | {"instrument_parameters": f'{{"n_units": {r["n_units"]}}}'} for r in rows]
    rows.append(row(cell="x", method="<script>alert(1)</script>", recovered=1.0, metrics='{"mcc": 1.0}'))
    found = Results(write_run(tmp_path_factory.mktemp("run"), SPEC, rows), SPEC)
    found.provenance["experiment"] = "made_up <i>"  # whatever a run file holds
    return found


def test_the_top_of_the_package_gives_these_results() -> None:
    assert simlab.Results is Results
    assert simlab.open_results.__module__ == "simlab.results"


def test_claims_are_iterable_and_a_table_and_show_as_text(results) -> None:
    claims = results.claims()
    assert [found.verdict for found in claims] == ["holds", "not measured"]
    assert (len(claims), claims[0].measured.n) == (2, 9)
    table = claims.table.set_index("claim")
    assert table.loc["sure", ["verdict", "value", "low", "high", "n", "expected"]].tolist() == [
        "holds", 0.5, 0.4, 0.6, 9, "0.3 to 1",
    ]  # fmt: skip
    assert "it &lt;b&gt;is&lt;/b&gt; so" in claims._repr_html_()
    assert "<b>" not in claims._repr_html_()


def test_a_notebook_shows_progress_leaderboard_and_claims_and_runs_nobodys_script(results) -> None:
    shown = results._repr_html_()
    assert "made_up" in shown
    for word in ("coupling_glm", "false_recovery", "asked", "answered", "abstained", "sure", "holds"):
        assert f">{word}<" in shown
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


def test_an_unfinished_and_an_empty_run_say_so(tmp_path) -> None:
    found = Results(write_run(tmp_path / "none", SPEC, []), SPEC)
    found.provenance["cells"] = 7
    assert "unfinished, 0 of 7 cells" in found._repr_html_()
    one = Results(write_run(tmp_path / "one", SPEC, [row(recovered=1.0, metrics='{"mcc": 1.0}')]))
    one.provenance |= {"cells": 7, "source": "nowhere"}
    assert "unfinished, 1 of 7 cells" in one._repr_html_()
    assert "code that cannot be found" in one._repr_html_()


def test_a_power_curve_shows_what_the_table_says(results) -> None:
    axes = results.plot_power("duration")
    curve = results.curve("duration")
    best = curve["method_label"].iloc[0]
    drawn = axes.lines[-1 - len(axes.lines) :]
    own = curve[curve["method_label"] == best]["recovery"].to_numpy()
    assert any(np.array_equal(line.get_ydata(), own) for line in drawn)
    assert axes.get_xlabel() == "length of a trial [s]"
    assert axes.get_ylabel() == "recovery rate"
    texts = " ".join(text.get_text() for text in axes.texts)
    assert "chance" in texts
    assert "ceiling" in texts
    assert "each point over" in texts
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    silent = next(label for label in labels if label.startswith("cross_correlogram"))
    counts = curve[curve["method_label"] == "cross_correlogram"][["answered", "asked"]].sum()
    assert silent == f"cross_correlogram ({counts['answered']} of {counts['asked']} answered)"
    assert counts["answered"] < counts["asked"]


def test_false_recovery_is_drawn_on_axes_that_are_given(results) -> None:
    from matplotlib.figure import Figure

    mine = Figure().subplots()
    assert results.plot_false_recovery("instrument", ax=mine, methods=["spike_count_correlation"]) is mine
    assert mine.get_ylabel() == "false-recovery rate"
    assert [tick.get_text() for tick in mine.get_xticklabels()] == ["subsample", "electrodes", "two_photon", "perfect"]
    assert len(mine.get_legend().get_texts()) == 1


def test_lines_beyond_the_eighth_are_grey_and_an_interval_that_there_is_not_is_not_drawn(tmp_path) -> None:
    rows = [
        row(cell=f"{m}{n}", method=f"m{m:02}", subject=0, n_units=n, instrument_parameters=f'{{"n_units": {n}}}',
            recovered=1.0, metrics=f'{{"mcc": {1 - m / 20}}}')
        for m in range(11) for n in (10, 20)
    ]  # fmt: skip
    found = Results(write_run(tmp_path, SPEC, rows), SPEC)
    axes = found.plot_power("instrument.n_units", measure="mcc")
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == [f"m{m:02} (2 of 2 answered)" for m in range(8)] + ["3 others"]
    assert len({handle.get_color() for handle in axes.get_legend().legend_handles}) == 9
    curve = found.curve("instrument.n_units", "mcc")
    told = curve[~curve["mcc"].isin([1.0, 0.0])]
    assert told["mcc_low"].isna().all()  # one subject
    assert len(axes.collections) <= 1  # only where every value is 1, which is a rate, is there an interval


@pytest.mark.parametrize(
    ("over", "unit"), [("width", " [s]"), ("reach", " [mm]"), ("odd", ""), ("many", ""), ("nonesuch", "")]
)
def test_the_unit_on_the_axis_is_that_of_the_fields_note(results, monkeypatch, over, unit) -> None:
    grid = replace(SPEC.grids[0], instruments=(Blurred(),))
    monkeypatch.setattr(results, "spec", replace(SPEC, grids=(grid,)))
    assert results._unit(f"instrument.{over}") == unit


def test_a_figure_of_several_questions_asks_which(tmp_path) -> None:
    rows = [row(cell=q, question=q, recovered=1.0, metrics="{}", duration=d) for q in ("topology", "mechanism")
            for d in (1.0, 2.0)]  # fmt: skip
    found = Results(write_run(tmp_path, SPEC, [r | {"cell": str(i)} for i, r in enumerate(rows)]), SPEC)
    with pytest.raises(simlab.SimlabError, match="give question='mechanism'"):
        found.plot_power("duration")
    assert set(found.curve("duration")["question"]) == {"topology", "mechanism"}


def test_the_report_is_written_where_it_is_wanted(tmp_path) -> None:
    rows = [row(cell="x", method="onlyone", recovered=1.0, metrics='{"mcc": 1.0}')]
    found = Results(write_run(tmp_path / "run", SPEC, rows))
    found.provenance["source"] = "nowhere"
    path = found.report(tmp_path / "there")
    assert path.is_file()
    assert path.is_relative_to(tmp_path / "there")
    written = "".join(page.read_text() for page in path.parent.rglob("*.html"))
    assert "onlyone" in written


def test_failures_stand_above_the_table_with_where_to_look(tmp_path) -> None:
    rows = [row(cell="x", status="error", reason="KeyError: '<b>'", traceback="File x, line 3"), row(cell="y")]
    found = Results(write_run(tmp_path, SPEC, rows), SPEC)
    shown = found._repr_html_()
    assert "1 of 2 cells ended with an error" in shown
    assert "&lt;b&gt;" in shown
    assert found.traceback() == found.traceback("x") == "File x, line 3"
    assert found.traceback("y") == ""


def test_a_cell_that_is_not_there_is_an_error_and_no_empty_answer(results) -> None:
    for ask in (results.answer, results.traceback):
        for cell in ("nonesuch", 0):
            with pytest.raises(simlab.SimlabError, match="give the `cell` of a line"):
                ask(cell)


def test_a_folder_of_runs_or_a_file_in_one_says_which_was_meant(results) -> None:
    with pytest.raises(simlab.SimlabError, match=f"one of .*{results.folder.name}"):
        simlab.open_results(results.folder.parent)
    with pytest.raises(simlab.SimlabError, match=f"did you mean {results.folder}"):
        simlab.open_results(results.folder / "run.json")


def test_a_figure_in_the_place_of_axes_and_rivals_that_there_are_not_are_named(results, tmp_path) -> None:
    from matplotlib.figure import Figure

    with pytest.raises(simlab.SimlabError, match=r"got Figure: give one of fig\.subplots"):
        results.plot_power("duration", ax=Figure())
    rows = [row(cell=str(d), duration=d, recovered=1.0, metrics="{}") for d in (1.0, 2.0)]
    with pytest.raises(simlab.SimlabError, match="this run has no rivals"):
        Results(write_run(tmp_path, SPEC, rows), SPEC).plot_false_recovery("duration")
