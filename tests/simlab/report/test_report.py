"""The report holds what the results say, needs nothing from outside, and lets nobody write into the page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import toys
from synthetic_run import connectivity_rows, row, write_run

import simlab
from simlab.claims import Claim, Measured
from simlab.contracts import SimlabError
from simlab.experiment import Experiment, Grid, Plan
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.subsample import Subsample
from simlab.report import tables, write_report
from simlab.report.html import band_words, claim_row, duration_words, rate
from simlab.running.loop import run
from simlab.statistics import leaderboard
from simlab.store.results import Results

EVIL = "<script>alert('x')</script>&\"'$"


@dataclass(frozen=True)
class Evil(toys.LagCorrelation):
    """A method whose name and errors carry markup."""

    name: ClassVar[str] = EVIL
    how: str = "raise"

    def analyse(self, recording, rng):
        if self.how == "raise":
            raise ValueError(f"reason {EVIL}")
        return simlab.Finding.abstain(f"abstained {EVIL}")


class Page(HTMLParser):
    """What a browser would act on: tags, where they point, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.handlers: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href", "action", "data", "xlink:href")]
        self.ids |= {value for name, value in attrs if name == "id"}
        self.handlers += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data):
        self.text += data


def claim(name: str, value: float, band: tuple[float, float] = (0.5, 1.0)) -> Claim:
    return Claim(
        name, f"statement of {name}", f"source of {name}", lambda t: Measured(value, value - 0.1, value + 0.1, 9), band
    )


@pytest.fixture(scope="module")
def toy_run(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """A real run: a circuit and its rival, two instruments, good, failing, abstaining and evil methods."""
    methods = (toys.LagCorrelation(), toys.PulseAndCount(), Evil(), Evil(how="abstain"), toys.Misbehaving("raise"))
    grid = Grid(
        (toys.ToyChain(),),
        (Plan(4, 1.0), Plan(4, 5.0)),
        (Perfect(), Subsample(4)),
        methods,
        rivals=(toys.ToyRival(),),
        ceiling=Plan(10, 5.0),
    )
    claims = (
        claim("a claim that holds", 0.75),
        claim("a claim that fails", 0.2),
        Claim("an absent figure", EVIL, EVIL, lambda table: table["absent"].mean(), (0.0, 1.0)),
    )
    spec = Experiment("evil", f"First paragraph {EVIL}\n\nSecond paragraph.", (grid,), claims, subjects=2, seed=3)
    folder = tmp_path_factory.mktemp("run")
    return run(spec, folder / "run", archive=folder / "archive")


@pytest.fixture(scope="module")
def toy_file(toy_run: Results) -> Path:
    return write_report(toy_run)


@pytest.fixture(scope="module")
def toy_page(toy_file: Path) -> Page:
    return Page(toy_file.read_text())


def test_the_report_lies_in_the_run_folder(toy_run, toy_file):
    assert toy_file == toy_run.folder / "report.html"


def test_nothing_is_fetched_and_nothing_is_executed(toy_file, toy_page):
    assert "script" not in toy_page.tags
    assert toy_page.handlers == []
    allowed = ("data:image/svg+xml;base64,", "#", "figures/")
    assert all(link.startswith(allowed) for link in toy_page.links)
    style = toy_file.read_text().split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style


def test_user_text_is_shown_as_text(toy_file, toy_page):
    assert "<script>" not in toy_file.read_text()
    for place in ("First paragraph", "abstained", "reason"):
        assert f"{place} {EVIL}" in toy_page.text
    assert toy_page.text.count("alert('x')") > 5


def test_links_within_the_page_lead_somewhere(toy_page):
    anchors = [link[1:] for link in toy_page.links if link.startswith("#")]
    assert len(anchors) >= 5
    assert set(anchors) <= toy_page.ids


def test_every_figure_is_also_a_file(toy_file, toy_page):
    files = [link for link in toy_page.links if link.startswith("figures/")]
    assert len(files) == toy_page.tags.count("img") > 5
    assert all((toy_file.parent / name).read_text().startswith("<?xml") for name in files)


def test_every_image_says_in_words_what_it_shows(toy_file):
    assert toy_file.read_text().count("<img ") == toy_file.read_text().count(' alt="')


def test_each_claim_stands_with_source_figure_and_verdict(toy_page):
    for text in (
        "✓ holds",
        "✗ fails",
        "– not measured",
        "statement of a claim that fails",
        "source of a claim that holds",
    ):
        assert text in toy_page.text
    assert "0.75 [0.65, 0.85]" in toy_page.text
    assert "claimed: 0.50 to 1" in toy_page.text


def test_errors_and_abstentions_are_listed_with_their_reasons(toy_page):
    assert "this method always raises" in toy_page.text
    assert "abstained" in toy_page.text


def test_circuit_and_rival_are_shown_through_the_instruments(toy_run, toy_page):
    names = {path.name for path in (toy_run.folder / "figures").iterdir()}
    assert {"circuit-toy-chain.svg", "seen-toy-chain.svg", "circuit-toy-rival.svg", "seen-toy-rival.svg"} <= names
    assert "Subject 0 of this run" in toy_page.text


def test_power_curves_and_matrices_are_drawn(toy_run, toy_file):
    names = {path.name for path in (toy_run.folder / "figures").iterdir()}
    assert {"connectivity-against-seconds.svg", "connectivity-best.svg", "connectivity-worst.svg"} <= names


def test_provenance_names_versions_seed_machine_and_parameters(toy_page):
    for text in ("version: numpy", "machine: system", "seed", "n_neurons", "toy_chain"):
        assert text in toy_page.text


def test_the_same_results_give_the_same_page_in_the_folder_that_is_named(toy_run, toy_file, tmp_path):
    again = write_report(toy_run, tmp_path / "there")
    assert again == tmp_path / "there" / "report.html"
    assert again.read_bytes() == toy_file.read_bytes()


def test_a_place_that_cannot_be_written_is_a_clear_error(toy_run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SimlabError, match="cannot write the figure"):
        write_report(toy_run, tmp_path / "file" / "report.html")


def test_a_run_whose_experiment_is_gone_is_still_reported(toy_run, tmp_path):
    results = Results(toy_run.folder)
    assert results.spec is None
    page = Page(write_report(results, tmp_path / "r.html").read_text())
    assert "code could not be found" in page.text
    assert "Leaderboard" in page.text


def test_a_run_without_rows_is_reported(tmp_path):
    spec = Experiment("empty", "Nothing yet.", (Grid((toys.ToyChain(),), (Plan(1, 1.0),), (Perfect(),), (Evil(),)),))
    page = Page(write_report(Results(write_run(tmp_path / "run", spec, []), spec)).read_text())
    assert "Nothing yet." in page.text


def test_a_circuit_that_raises_costs_its_picture_and_nothing_else(tmp_path):
    @dataclass(frozen=True)
    class Broken(toys.ToyChain):
        name: ClassVar[str] = "broken"

        def subject(self, rng):
            raise RuntimeError(f"no subject {EVIL}")

    grid = Grid((Broken(), toys.ToyChain()), (Plan(2, 1.0),), (Perfect(),), (toys.LagCorrelation(),))
    spec = Experiment("partly", "Asked.", (grid,), subjects=1)
    page = Page(write_report(run(spec, tmp_path / "run", archive=False)).read_text())
    assert f"RuntimeError: no subject {EVIL}" in page.text
    assert "circuit-toy-chain.svg" in {path.name for path in (tmp_path / "run" / "figures").iterdir()}


@pytest.fixture(scope="module")
def sampling(tmp_path_factory: pytest.TempPathFactory) -> Results:
    spec = Experiment(
        "sampling", "How much?", (Grid((toys.ToyChain(),), (Plan(2, 1.0),), (Perfect(),), (toys.LagCorrelation(),)),)
    )
    rows = connectivity_rows(4, np.random.default_rng(0))
    return Results(write_run(tmp_path_factory.mktemp("sampling") / "run", spec, rows), spec)


def test_amounts_that_vary_get_a_power_curve(sampling):
    assert list(tables.swept(sampling.table)) == ["n_units", "seconds"]
    power = tables.power(sampling.table, sampling.leaderboard(), "connectivity", "n_units", "recorded units", 0.8)
    assert power.label == "recorded units (of 100 neurons)"


def test_a_hidden_fraction_is_an_amount_of_its_own_when_networks_differ_in_size():
    rows = [row(cell=str(i), n_units=20, n_neurons=n) for i, n in enumerate((40, 80))]
    assert list(tables.swept(tabled(rows))) == ["hidden_fraction"]


def test_parameters_that_vary_within_a_circuit_are_amounts():
    rows = [row(cell=str(i), circuit_parameters=json.dumps({"coupling": c, "model": m}))
            for i, (c, m) in enumerate(((0.1, "a"), (0.5, "b")))]  # fmt: skip
    assert tables.swept(tabled(rows)) == {"circuit.coupling": "circuit: coupling"}


def test_an_active_methods_budget_is_an_amount_and_an_unlimited_one_is_not_drawn():
    budgets = (5.0, 20.0, float("inf"))
    rows = [
        row(
            cell=f"{budget}-{subject}",
            subject=subject,
            question="mechanism",
            kind="active",
            budget_perturbations=budget,
            recovered=float(subject < 2),
            metrics=json.dumps({"correct": float(subject < 2)}),
            chance=json.dumps({"correct": 0.5}),
        )
        for budget in budgets
        for subject in range(3)
    ]
    table = tabled(rows)
    assert list(tables.swept(table)) == ["budget_perturbations"]
    power = tables.power(table, leaderboard(table), "mechanism", "budget_perturbations", "x", 0.8)
    assert power.curves["budget_perturbations"].tolist() == [5.0, 20.0]
    assert power.curves["value"].isna().all()  # being right is the recovery itself: no second row
    assert power.chance == {"balanced_ei": 0.5}


def test_power_curves_rise_with_data_and_stay_below_their_ceiling(sampling):
    power = tables.power(sampling.table, sampling.leaderboard(), "connectivity", "seconds", "s", 0.8)
    glm = power.curves[(power.curves["line"] == "coupling_glm") & (power.curves["panel"] == "subsample")]
    assert glm.sort_values("seconds")["recovery"].is_monotonic_increasing
    assert glm["value"].max() < power.ceiling["coupling_glm"]
    assert (glm["recovery_low"] <= glm["recovery"]).all()
    assert power.blind["subsample"] == 0
    assert {need["verdict"] for need in power.needed} >= {"reached", "not reached"}


def one_at_a_time(effect_of_units: float, effect_of_time: float) -> list[dict]:
    """Units and duration swept in grids of their own, as in a star, with effects on MCC that just add up."""
    rows = []
    for n_units, duration in ((10, 4.0), (20, 1.0), (20, 4.0), (20, 16.0), (40, 4.0)):
        mcc = 0.4 + effect_of_units * np.log2(n_units / 20) + effect_of_time * np.log2(duration / 4)
        rows += [
            row(
                cell=f"{n_units}-{duration}-{subject}",
                subject=subject,
                n_units=n_units,
                duration=duration,
                instrument="subsample",
                instrument_label=f"subsample(n_units={n_units})",
                metrics=json.dumps({"mcc": mcc}),
                recovered=float(mcc >= 0.5),
            )
            for subject in range(2)
        ]
    return rows


def test_a_curve_shows_the_effect_of_its_amount_alone():
    table = tabled(one_at_a_time(effect_of_units=0.1, effect_of_time=0.15))
    power = tables.power(table, leaderboard(table), "connectivity", "n_units", "units", 0.8)
    assert power.curves["value"].tolist() == pytest.approx([0.3, 0.4, 0.5])
    assert power.curves["n"].tolist() == [2, 2, 2]
    assert power.held == "balanced_ei, 20 × 4 s"
    power = tables.power(table, leaderboard(table), "connectivity", "seconds", "s", 0.8)
    assert power.curves["value"].tolist() == pytest.approx([0.1, 0.4, 0.7])
    assert power.held == "balanced_ei, subsample(n_units=20)"


def test_a_map_of_instruments_compares_them_on_the_same_amount_of_data():
    rows = one_at_a_time(effect_of_units=0.0, effect_of_time=0.2)
    heat = tables.heat(tabled(rows), "connectivity", "instrument_label", "value", "n_answers", ["m"])
    assert heat.values.loc["m"].tolist() == pytest.approx([0.4, 0.4, 0.4])
    assert heat.held == "balanced_ei, 20 × 4 s"


def test_settings_that_cross_fully_are_pooled(sampling):
    power = tables.power(sampling.table, sampling.leaderboard(), "connectivity", "n_units", "units", 0.8)
    glm = power.curves[(power.curves["line"] == "transfer_entropy") & (power.curves["panel"] == "subsample")]
    assert glm["n"].tolist() == [12] * 4  # 4 subjects x 3 durations
    assert "×" not in power.held


def test_an_amount_of_many_values_is_pooled_into_few(sampling):
    power = tables.power(sampling.table, sampling.leaderboard(), "connectivity", "n_units", "units", 0.8)
    electrodes = power.curves[power.curves["panel"] == "electrodes"]
    assert 2 <= electrodes["n_units"].nunique() <= tables.MOST_VALUES
    assert set(power.curves["panel"]) == {"electrodes", "subsample", "two_photon"}


def test_a_map_counts_rivals_only_as_false_recovery(sampling):
    order = list(sampling.leaderboard()["method_label"])
    fooled = tables.heat(sampling.table, "connectivity", "circuit_label", "false_recovery", "n_rival", order)
    right = tables.heat(sampling.table, "connectivity", "circuit_label", "recovery", "n_answers", order)
    assert list(fooled.values.columns) == ["common_drive"]
    assert list(right.values.columns) == ["balanced_ei"]
    assert fooled.values.loc["spike_count_correlation", "common_drive"] > 0.7
    assert right.values.loc["oracle", "balanced_ei"] == 1


def test_failures_are_grouped_by_reason_errors_first(sampling):
    rows = tables.failures(sampling.table)
    assert [r["status"] for r in rows] == sorted((r["status"] for r in rows), key=["error", "abstained"].index)
    assert sum(r["n"] for r in rows) == (sampling.table["status"] != "ok").sum()


def test_calibration_counts_a_rival_left_alone_as_right():
    rows = [row(cell=str(i), subject=i, confidence=0.9, role="rival", false_recovery=0.0) for i in range(6)]
    points = tables.calibration_points(tabled(rows), "connectivity")
    assert points["recovery"].tolist() == [1.0]


def test_the_best_and_the_worst_kept_matrices_are_chosen():
    rows = [row(cell=str(i), metrics=json.dumps({"mcc": m}), recovered=1.0)
            for i, m in enumerate((0.2, 0.9, 0.5))]  # fmt: skip
    found = tables.notable_cells(tabled(rows), "connectivity", "mcc")
    first = {case: cell["cell"] for case, cell in reversed(found)}
    assert first == {"best": "1", "median": "2", "worst": "0"}


def test_a_claims_plot_spans_band_and_figure_even_where_the_band_is_open():
    found = claim_row(claim("x", 0.2, (0.5, float("inf"))).check(None))
    low, high = found["range"]
    assert low < 0.1
    assert 0.5 < high < 1


@pytest.mark.parametrize(
    ("band", "words"),
    [((0.5, 1.0), "0.50 to 1"), ((1.0, 1.0), "1"), ((0.2, np.inf), "at least 0.20"), ((-np.inf, 3.0), "at most 3")],
)
def test_a_band_reads_as_one_would_say_it(band, words):
    assert band_words(*band) == words


@pytest.mark.parametrize(("seconds", "words"), [(0.04, "0.040 s"), (90, "90 s"), (600, "10 min"), (36000, "10 h")])
def test_durations_read_in_the_unit_that_suits_them(seconds, words):
    assert duration_words(seconds) == words


def test_rates_have_two_digits_and_no_negative_zero():
    assert [rate(v) for v in (0.876, -0.001, float("nan"), -0.5)] == ["0.88", "0.00", "–", "−0.50"]


def tabled(rows):
    """The results table of these rows."""
    from simlab.store.tables import table

    return table([{k: v for k, v in r.items() if k != "kept"} for r in rows])
