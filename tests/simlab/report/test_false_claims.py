"""Realised false discovery against minutes, beside the rates that methods state, on any question that declares it."""

import json

import pytest
import toys
from synthetic_run import row, write_run

from simlab.experiment import Experiment, Grid, Plan
from simlab.instruments.recording.perfect import Perfect
from simlab.questions.connectivity import Connectivity
from simlab.report import charts, tables, write_report
from simlab.store.results import Results

SHARES = {"careful": (0.0, 0.04, 0.05), "careless": (0.1, 0.4, 0.7)}
MINUTES = (1.0, 4.0, 15.0)


def rows(question: str = "connectivity", n_methods: int = 2) -> list[dict]:
    names = [*SHARES, *(f"other{i}" for i in range(n_methods - 2))]
    return [
        row(
            cell=f"{question}-{name}-{minutes}-{subject}",
            subject=subject,
            question=question,
            method=name,
            method_parameters=json.dumps({"alpha": 0.05} if name != "careless" else {}),
            trials=int(minutes * 6),
            duration=10.0,
            recovered=1.0,
            metrics=json.dumps({"mcc": 0.6, "false_share": share + 0.01 * (subject - 1), "spearman": 0.9}),
        )
        for name in names
        for minutes, share in zip(MINUTES, SHARES.get(name, (0.2, 0.2, 0.2)), strict=True)
        for subject in range(3)
    ]


@pytest.fixture
def run(tmp_path):
    def made(found: list[dict]) -> Results:
        spec = Experiment(
            "e", "?", (Grid((toys.ToyChain(),), (Plan(1, 1.0),), (Perfect(),), (toys.LagCorrelation(),)),)
        )
        return Results(write_run(tmp_path / "run", spec, found), spec)

    return made


def test_the_false_share_is_averaged_over_subjects_at_each_of_the_minutes(run):
    found = tables.false_claims(run(rows()).table, "connectivity")
    careless = found.curves[found.curves["line"] == "careless"].sort_values("minutes")
    assert careless["minutes"].tolist() == list(MINUTES)
    assert careless["value"].tolist() == pytest.approx(SHARES["careless"])
    assert (careless["value_low"] < careless["value"]).all()
    assert (careless["value_high"] > careless["value"]).all()
    assert found.stated == (0.05,)
    assert found.metric == Connectivity.error_metric


def test_the_page_draws_it_with_the_stated_rate_and_grey_lines_beyond_eight(run):
    results = run(rows(n_methods=10))
    page = (write_report(results).parent / "question-connectivity.html").read_text()
    assert "Are stated error rates kept?" in page
    assert "the rates that methods state (0.05)" in page
    found = tables.false_claims(results.table, "connectivity")
    lines = sorted(set(found.curves["line"]))
    measure = charts.Row("value", "false share", stated=found.stated)
    figure, _ = charts.power_figure(found.curves, "minutes", "minutes recorded", [measure], lines)
    level = [line for line in figure.axes[0].lines if list(line.get_ydata()) == [0.05, 0.05]]
    assert len(level) == 1
    grey = figure.axes[0].collections[0]
    assert len(grey.get_segments()) == 2
    assert [text.get_text() for text in figure.legends[0].get_texts()][-1] == "2 others"


def test_a_question_that_declares_it_has_it_and_no_other(run):
    results = run(rows("effect") + rows("dynamics"))
    assert tables.false_claims(results.table, "effect") is not None
    assert tables.false_claims(results.table, "dynamics") is None
    assert "Are stated error rates kept?" not in (write_report(results).parent / "question-dynamics.html").read_text()


def test_nothing_is_drawn_where_all_recordings_are_of_one_length(run):
    assert tables.false_claims(run([r for r in rows() if r["trials"] == 6]).table, "connectivity") is None
