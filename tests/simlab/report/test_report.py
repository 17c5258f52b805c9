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
from simlab.registry import names, question
from simlab.report import glossary, tables, write_report
from simlab.report.index_section import claim_row
from simlab.report.matrices import by_circuit
from simlab.report.words import band_words, duration_words, rate
from simlab.running.loop import run
from simlab.statistics import heat, leaderboard
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
        self.text = self.policy = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href", "action", "data", "xlink:href")]
        self.ids |= {value for name, value in attrs if name == "id"}
        if dict(attrs).get("http-equiv") == "Content-Security-Policy":
            self.policy = dict(attrs)["content"]
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
    return run(spec, folder / "run", archive=folder / "archive", strict=False)


@pytest.fixture(scope="module")
def toy_index(toy_run: Results) -> Path:
    return write_report(toy_run)


@pytest.fixture(scope="module")
def pages(toy_index: Path) -> dict[str, Page]:
    return {file.stem: Page(file.read_text()) for file in sorted(toy_index.parent.glob("*.html"))}


@pytest.fixture(scope="module")
def text(pages: dict[str, Page]) -> str:
    return " ".join(page.text for page in pages.values())


def test_the_report_is_a_folder_in_the_run_folder_with_a_page_for_each_part(toy_run, toy_index, pages):
    assert toy_index == toy_run.folder / "report" / "index.html"
    assert {
        "index",
        "question-connectivity",
        "method-lag-correlation",
        "circuit-toy-chain",
        "circuit-toy-rival",
    } <= set(pages)
    n_methods = toy_run.table.loc[toy_run.table["kind"] != "baseline", "method_label"].nunique()
    assert sum(name.startswith("method-") for name in pages) == n_methods


def test_a_page_loads_only_what_lies_beside_it(toy_index, pages):
    for page in pages.values():
        assert page.handlers == []
        assert page.tags.count("script") == 1
        local = [link for link in page.links if not link.startswith("#")]
        assert all((toy_index.parent / link.split("#")[0]).is_file() for link in local), local
        assert "default-src 'none'" in page.policy
        assert "unsafe" not in page.policy
    style = (toy_index.parent / "report.css").read_text()
    assert "url(" not in style
    assert "@import" not in style


def test_user_text_is_shown_as_text(toy_index, text):
    assert all("<script>" not in file.read_text() for file in toy_index.parent.glob("*.html"))
    for place in ("First paragraph", "abstained", "reason"):
        assert f"{place} {EVIL}" in text
    assert text.count("alert('x')") > 5


def test_links_within_a_page_lead_somewhere(pages):
    for page in pages.values():
        assert {link[1:] for link in page.links if link.startswith("#") and len(link) > 1} <= page.ids


def test_every_page_is_reached_from_the_first(pages):
    assert {f"{name}.html" for name in pages if name != "index"} <= set(pages["index"].links)


def test_every_image_says_in_words_what_it_shows(toy_index):
    for file in toy_index.parent.glob("*.html"):
        assert file.read_text().count("<img ") == file.read_text().count(' alt="')


def test_each_claim_stands_with_source_figure_and_verdict(pages):
    for words in (
        "✓ holds",
        "✗ fails",
        "– not measured",
        "statement of a claim that fails",
        "source of a claim that holds",
    ):
        assert words in pages["index"].text
    assert "0.75 [0.65, 0.85]" in pages["index"].text
    assert "claimed: 0.50 to 1" in pages["index"].text


def test_errors_and_abstentions_are_listed_with_their_reasons(pages):
    assert "this method always raises" in pages["index"].text
    assert "this method always raises" in next(p.text for name, p in pages.items() if name.startswith("method-misb"))


def test_circuit_and_rival_are_shown_through_the_instruments(toy_run, pages):
    names = {path.name for path in (toy_run.folder / "report" / "figures").iterdir()}
    assert {"circuit-toy-chain.svg", "seen-toy-chain.svg", "circuit-toy-rival.svg", "seen-toy-rival.svg"} <= names
    assert "Subject 0 of this run" in pages["circuit-toy-chain"].text
    assert "toy_chain" in pages["circuit-toy-rival"].text  # whom it imitates


def test_power_curves_and_matrices_are_drawn(toy_run, toy_index):
    names = {path.name for path in (toy_run.folder / "report" / "figures").iterdir()}
    assert {"connectivity-against-seconds.svg", "connectivity-best.svg", "connectivity-worst.svg"} <= names


def test_what_recovered_and_mcc_mean_is_said(pages):
    assert "reaches 0.50 (least_mcc)" in pages["question-connectivity"].text
    for page in ("index", "question-connectivity"):
        assert "Matthews correlation coefficient" in pages[page].text
    assert "The answer meets its question's criterion" in pages["index"].text
    assert not [name for name in names("questions") if "`" in glossary.rule(question(name))]


def test_provenance_names_versions_seed_machine_and_parameters(pages):
    for words in ("version: numpy", "machine: system", "seed", "n_neurons", "toy_chain"):
        assert words in pages["index"].text


def test_a_method_is_told_where_it_works_what_it_needs_and_what_it_costs(pages):
    words = pages["method-lag-correlation"].text
    for told in ("Where it works", "Where it claims wrongly", "How much data it needs", "recording used", "Brier"):
        assert told in words


def test_one_file_holds_everything_and_needs_nothing_beside_it(toy_run, tmp_path, pages):
    file = write_report(toy_run, tmp_path / "all.html")
    assert file == tmp_path / "all.html"
    assert list(tmp_path.iterdir()) == [file]
    page = Page(file.read_text())
    assert all(link.startswith(("#", "data:image/")) for link in page.links)
    assert {link[1:] for link in page.links if link.startswith("#") and len(link) > 1} <= page.ids
    for part in ("question-connectivity", "method-lag-correlation", "circuit-toy-rival"):
        assert part in page.ids


def test_the_same_results_give_the_same_pages_in_the_folder_that_is_named(toy_run, toy_index, tmp_path):
    again = write_report(toy_run, tmp_path / "there")
    assert again == tmp_path / "there" / "index.html"
    for file in again.parent.glob("*.html"):
        assert file.read_bytes() == (toy_index.parent / file.name).read_bytes()


def test_a_place_that_cannot_be_written_is_a_clear_error(toy_run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SimlabError, match="cannot write the figure"):
        write_report(toy_run, tmp_path / "file" / "report")
    with pytest.raises(SimlabError, match="cannot be written"):
        write_report(toy_run, tmp_path / "file" / "report.html")


def all_text(index: Path) -> str:
    return " ".join(Page(file.read_text()).text for file in index.parent.glob("*.html"))


def test_a_run_whose_experiment_is_gone_is_still_reported(toy_run, tmp_path):
    results = Results(toy_run.folder)
    assert results.spec is None
    words = all_text(write_report(results, tmp_path / "r"))
    assert "The claims cannot be checked" in words
    assert "code that cannot be found" in words
    assert "This circuit is not registered here" in words
    assert "Leaderboard" in words


def test_a_run_of_registered_circuits_needs_no_registration_of_its_experiment(tmp_path):
    grid = Grid((simlab.create("circuits", "coupled_rates", n_neurons=8),), (Plan(2, 1.0),), (Perfect(),), (Evil(),))
    run(Experiment("of_a_notebook", "Asked.", (grid,), subjects=1, seed=5), tmp_path / "run", archive=False)
    results = Results(tmp_path / "run")
    assert results.spec is None
    words = Page((write_report(results).parent / "circuit-coupled-rates.html").read_text()).text
    assert "2 trials of 1 s, 8 neurons" in words


def test_a_question_that_is_not_registered_here_is_still_reported(tmp_path):
    rows = [row(cell=str(i), subject=i, question="whither", recovered=float(i > 1), metrics="{}") for i in range(4)]
    spec = Experiment("of_elsewhere", "Asked.", (Grid((toys.ToyChain(),), (Plan(1, 1.0),), (Perfect(),), (Evil(),)),))
    index = write_report(Results(write_run(tmp_path / "run", spec, rows)))
    words = Page((index.parent / "question-whither.html").read_text()).text
    assert "0.50 [0.15, 0.85]" in words
    assert "not registered here" in words


def test_a_run_without_rows_is_reported(tmp_path):
    spec = Experiment("empty", "Nothing yet.", (Grid((toys.ToyChain(),), (Plan(1, 1.0),), (Perfect(),), (Evil(),)),))
    assert "Nothing yet." in all_text(write_report(Results(write_run(tmp_path / "run", spec, []), spec)))


def test_a_circuit_that_raises_costs_its_picture_and_nothing_else(tmp_path):
    @dataclass(frozen=True)
    class Broken(toys.ToyChain):
        name: ClassVar[str] = "broken"

        def subject(self, rng):
            raise RuntimeError(f"no subject {EVIL}")

    grid = Grid((Broken(), toys.ToyChain()), (Plan(2, 1.0),), (Perfect(),), (toys.LagCorrelation(),))
    spec = Experiment("partly", "Asked.", (grid,), subjects=1)
    index = write_report(run(spec, tmp_path / "run", archive=False))
    assert f"RuntimeError: no subject {EVIL}" in all_text(index)
    assert "circuit-toy-chain.svg" in {path.name for path in (index.parent / "figures").iterdir()}


def test_methods_that_met_unlike_settings_stand_in_leagues_of_their_own(tmp_path):
    where = {"a": "x", "b": "x", "c": "y", "d": "y"}
    rows = [
        row(cell=f"{method}{i}", subject=i, method=method, instrument=where[method], recovered=float(i % 2))
        for method in where
        for i in range(4 if where[method] == "x" else 3)
    ]
    spec = Experiment("unlike", "Asked.", (Grid((toys.ToyChain(),), (Plan(1, 1.0),), (Perfect(),), (Evil(),)),))
    index = write_report(Results(write_run(tmp_path / "run", spec, rows)))
    html = (index.parent / "question-connectivity.html").read_text()
    first, second = html.split("League 1:")[1].split("League 2:")
    assert [f"method-{name}.html" in first for name in "abcd"] == [True, True, False, False]
    assert "2 methods compared over the 4 settings" in first
    assert "2 methods compared over the 3 settings" in second


def test_the_parameter_that_goes_with_success_is_told_or_how_many_subjects_that_takes(tmp_path):
    spec = Experiment("family", "Asked.", (Grid((toys.ToyChain(),), (Plan(1, 1.0),), (Perfect(),), (Evil(),)),))
    for n_subjects, said in ((6, "noise"), (2, "2 subjects of a family: at least 5")):
        rows = [
            row(cell=str(i), subject=i, metrics=json.dumps({"mcc": 1 - i / 10}), drawn=json.dumps({"noise": i / 10}))
            for i in range(n_subjects)
        ]
        index = write_report(Results(write_run(tmp_path / str(n_subjects), spec, rows)))
        section = Page((index.parent / "question-connectivity.html").read_text()).text.split("What decides success")[1]
        assert said in section


def test_long_names_are_cut_and_told_up_to_300_characters(tmp_path):
    long = "n" * 10_000
    rows = [
        row(cell=str(i), subject=i, method=long, circuit=long, instrument=long, recovered=1.0, confidence=0.5)
        for i in range(6)
    ] + [row(cell="a", subject=9, method=long, status="abstained", reason="r" * 10_000)]
    spec = Experiment("long", "Asked.", (Grid((toys.ToyChain(),), (Plan(1, 1.0),), (Perfect(),), (Evil(),)),))
    index = write_report(Results(write_run(tmp_path / "run", spec, rows)))
    for file in index.parent.glob("*.html"):
        assert file.stat().st_size < 60_000
        assert "n" * 301 not in file.read_text()
    assert f'title="{"n" * 299}…"' in (index.parent / "question-connectivity.html").read_text()
    assert all(file.stat().st_size < 200_000 for file in (index.parent / "figures").iterdir())


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
    found = heat(tabled(rows), "connectivity", "instrument_label", "value", "n_answers", ["m"])
    assert found.values.loc["m"].tolist() == pytest.approx([0.4, 0.4, 0.4])
    assert found.held == "balanced_ei, 20 × 4 s"


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
    fooled = heat(sampling.table, "connectivity", "circuit_label", "false_recovery", "n_rival", order)
    right = heat(sampling.table, "connectivity", "circuit_label", "recovery", "n_answers", order)
    assert list(fooled.values.columns) == ["common_drive"]
    assert list(right.values.columns) == ["balanced_ei"]
    assert fooled.values.loc["spike_count_correlation", "common_drive"] > 0.7
    assert right.values.loc["baseline:oracle", "balanced_ei"] == 1


def test_a_circuit_that_was_met_through_another_instrument_alone_is_in_the_matrix_as_well():
    rows = [
        row(cell=f"{circuit}{i}", circuit=circuit, instrument=instrument, subject=i, recovered=float(i < n))
        for circuit, instrument, n in (("a", "x", 1), ("b", "x", 2), ("c", "y", 3))
        for i in range(3)
    ]
    (block,) = by_circuit(tabled(rows), ["m"]).blocks
    assert block.columns == ["a", "b", "c"]
    assert [(square.hits, square.asked) for square in block.row("m")] == [(1, 3), (2, 3), (3, 3)]


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
    found = tables.notable_cells(tabled(rows), "mcc")
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


def test_two_subjects_that_agree_make_no_interval_of_zero_width():
    rows = [
        row(cell=f"{subject}-{seconds}", subject=subject, duration=seconds, recovered=float(seconds > 2))
        for subject in range(2)
        for seconds in (1.0, 4.0)
    ]
    power = tables.power(tabled(rows), leaderboard(tabled(rows)), "connectivity", "seconds", "s", 0.8)
    (need,) = power.needed
    assert need["low"] < need["amount"] < need["high"]
