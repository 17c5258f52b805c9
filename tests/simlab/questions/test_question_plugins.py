"""Six more questions, each of one file in a package of its own: registered, checked, run, scored and drawn as any."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from simlab.contracts import Finding, SimlabError
from simlab.data import recording
from simlab.questions.form import validate

PACKAGE = Path(__file__).parents[3] / "docs" / "examples" / "questions"
QUESTIONS = ("latents", "receptive_field", "cell_type", "dynamics", "dimensionality", "necessity")


@pytest.fixture(scope="module", autouse=True)
def importable():
    sys.path.insert(0, str(PACKAGE))
    yield
    sys.path.remove(str(PACKAGE))


def question(name: str):
    return getattr(importlib.import_module(name), "".join(part.title() for part in name.split("_")))()


def key_of(*rows: list[float]) -> xr.DataArray:
    return xr.DataArray(np.array(rows), dims=("unit", "neuron"))


@pytest.fixture(scope="module")
def world():
    """A subject of the circuit, its natural session and activity."""
    from rotating_population import RotatingPopulation

    subject = RotatingPopulation().subject(np.random.default_rng(0))
    session = subject.session(trials=160, duration=2.0, rng=np.random.default_rng(1))
    return subject, session, subject.run(session, np.random.default_rng(2))


def projected(name: str, world) -> xr.Dataset:
    subject, _, activity = world
    asked, whole = question(name), subject.truth(name, activity, np.random.default_rng(0))
    truth = asked.project(whole, xr.DataArray(np.eye(20), dims=("unit", "neuron")))
    return truth.assign_attrs(brief=dict(asked.brief(("rotation", "held state"), whole)))


def spikes(world) -> xr.Dataset:
    activity = world[2]
    columns = tuple(activity[name].values for name in ("spike_trial", "spike_time", "spike_neuron"))
    return recording(duration=2.0, n_units=20, n_trials=160, spikes=columns)


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_oracle_recovers_and_blind_guesses_do_not(name, world):
    asked, truth, rng = question(name), projected(name, world), np.random.default_rng(3)
    answers = {kind: give(truth, spikes(world), rng) for kind, give in asked.baselines().items()}
    assert asked.recovered(asked.score(answers["oracle"], truth))
    assert not asked.false_recovery(answers["oracle"], truth)
    assert set(asked.score(answers["oracle"], truth)) == set(asked.metrics)
    guesses = [asked.baselines()["random"](truth, spikes(world), rng) for _ in range(20)]
    assert np.mean([asked.recovered(asked.score(guess, truth)) for guess in guesses]) < 0.5


@pytest.mark.parametrize("name", QUESTIONS)
def test_chance_is_what_the_random_baseline_gets(name, world):
    asked, truth, rng = question(name), projected(name, world), np.random.default_rng(4)
    draws = [asked.score(asked.baselines()["random"](truth, spikes(world), rng), truth) for _ in range(300)]
    for metric, chance in asked.chance(truth).items():
        values = np.array([draw[metric] for draw in draws])
        # five standard errors, and what 300 draws miss of a rare hit or of the smaller of two shares
        assert abs(values.mean() - chance) <= 5 * values.std() / np.sqrt(300) + 2e-3, metric


@pytest.mark.parametrize("name", QUESTIONS)
def test_an_abstention_scores_nothing_and_claims_nothing(name, world):
    asked, truth = question(name), projected(name, world)
    assert all(np.isnan(value) for value in asked.score(Finding.abstain("no"), truth).values())
    assert not asked.false_recovery(Finding.abstain("no"), truth)


def test_latents_count_what_is_missing_and_what_is_made_up(world):
    asked, truth = question("latents"), projected("latents", world)
    true, rng = truth["latent"].values, np.random.default_rng(5)
    turned = true @ np.array([[2.0, 1.0], [0.0, 3.0]]) + 7
    assert asked.score(Finding({"latent": turned}), truth)["r2"] == pytest.approx(1)
    half = asked.score(Finding({"latent": true[..., :1]}), truth)
    assert (half["r2_answer"], half["r2_truth"]) == (pytest.approx(1), pytest.approx(0.5, abs=0.02))
    padded = np.concatenate([true, rng.standard_normal(true.shape)], axis=2)
    more = asked.score(Finding({"latent": padded}), truth)
    assert more["r2_truth"] == pytest.approx(1)
    assert not asked.recovered(more)


def test_filters_are_right_up_to_their_scale_and_a_merged_unit_has_the_mixture():
    asked = question("receptive_field")
    whole = xr.Dataset({"filter": (("neuron", "lag"), np.eye(2))})
    truth = asked.project(whole, key_of([1.0, 0.0], [0.5, 0.5]))
    assert truth["filter"].values.tolist() == [[1, 0], [0.5, 0.5]]
    scores = asked.score(Finding({"filter": np.array([[3.0, 0.0], [1.0, 0.0]])}), truth)
    assert scores["worst_cosine"] == pytest.approx(np.sqrt(0.5))


def test_units_without_a_dominant_neuron_are_not_asked_for_their_type():
    asked = question("cell_type")
    whole = xr.Dataset({"label": ("neuron", np.array(["E", "I", "E"], object))})
    truth = asked.project(whole, key_of([1, 0, 0], [0, 1, 0], [0.4, 0.3, 0.3]))
    assert truth["label"].values.tolist() == ["E", "I", ""]
    assert asked.score(Finding({"label": np.array(["E", "I", "I"])}), truth)["balanced_accuracy"] == 1
    assert asked.score(Finding({"label": np.array(["E", "E", "E"])}), truth)["balanced_accuracy"] == 0.5


def test_necessity_needs_the_order_and_the_exact_set():
    asked = question("necessity")
    truth = asked.project(xr.Dataset({"importance": ("neuron", [0.0, 3.0, 0.0, 1.0])}), key_of(*np.eye(4).tolist()))
    right = asked.score(Finding({"importance": np.array([0.1, 5, 0.0, 2])}), truth)
    assert asked.recovered(right)
    wrong = asked.score(Finding({"importance": np.array([2.5, 5, 0.0, 2])}), truth)
    assert (wrong["top_set"], asked.recovered(wrong)) == (0, False)
    assert asked.false_recovery(Finding({"importance": np.array([9.0, 1, 0, 0])}), truth)


@pytest.mark.parametrize(
    ("name", "estimate", "rule"),
    [
        ("latents", {"latent": np.zeros((3, 4))}, r"must have dims \(trial, time, factor\)"),
        ("receptive_field", {"filter": np.zeros((3, 2))}, "4 along unit"),
        ("cell_type", {"label": np.array(["E", "I", "X", "E"])}, "must be one of E, I, got 'X'"),
        ("dynamics", {"label": "waltz"}, "must be one of fixed point"),
        ("dimensionality", {"dimension": 2.5}, "whole numbers"),
        ("dimensionality", {"dimension": -1}, "must lie in 0"),
        ("necessity", {"importance": np.full(4, np.nan)}, "must be finite"),
    ],
)
def test_answers_out_of_form_are_refused_by_the_one_validator(name, estimate, rule):
    with pytest.raises(SimlabError, match=rule):
        validate(Finding(estimate), question(name), {"unit": 4, "trial": 2, "time": 3})


def test_silencing_a_reader_costs_the_behaviour_its_shapley_value(world):
    """The truth of necessity by another route: the simulated lesion."""
    from simlab.session import Effect

    subject, session, activity = world
    whole = activity["behaviour"].values.mean()
    importance = subject.truth("necessity", activity, None)["importance"].values
    for neuron in (int(importance.argmax()), int(importance.argmin())):
        hold = np.where(np.arange(20) == neuron, 0.0, np.nan)
        lesioned = subject.run(session.perturbed(Effect("hold", hold, 0.0, 2.0)), np.random.default_rng(2))
        lost = (whole - lesioned["behaviour"].values.mean()) / 0.05  # per second
        expected = (
            importance[neuron] * np.i0(0.9) * np.exp(0.3**2 / 2)
        )  # mean of exp(gain cos) and of exp(filtered noise)
        assert lost == pytest.approx(expected, rel=0.1, abs=1.0)


def test_the_package_registers_runs_scores_and_draws_with_nothing_but_its_entry_points(tmp_path):
    """In a fresh process that knows the package by its metadata alone."""
    info = tmp_path / "site" / "six_questions-0.1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: six-questions\nVersion: 0.1\n")
    groups = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]["entry-points"]
    lines = [
        line for group, points in groups.items() for line in (f"[{group}]", *(f"{k} = {v}" for k, v in points.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    path = os.pathsep.join([str(tmp_path / "site"), str(PACKAGE), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "run" / "report.html").read_text()
    assert all(f"{name}" in page for name in QUESTIONS)
    assert done.stdout.strip().endswith("all is well")


SCRIPT = """
import simlab
from simlab.report import write_report

SIX = ("latents", "receptive_field", "cell_type", "dynamics", "dimensionality", "necessity")
METHODS = (
    "principal_latents", "spike_triggered_average", "rate_gap", "state_speed", "parallel_analysis", "silence_each",
)

if __name__ == "__main__":
    assert set(SIX) < set(simlab.names("questions"))
    for name in (*SIX, *METHODS, "rotating_population", "still_population"):
        simlab.check(name)
    grid = simlab.Grid(
        circuits=("rotating_population",), rivals=("still_population",), plans=(simlab.Plan(80, 2.0),),
        instruments=("perfect",), methods=METHODS,
    )
    spec = simlab.Experiment("six", "Do six further questions fit the house?", (grid,), subjects=2)
    results = simlab.run(spec, "run", archive=False)
    table = results.table
    assert set(table["status"]) == {"ok"}, table[table["status"] != "ok"][["method", "status", "reason"]].to_string()
    oracle = table[(table["method"] == "baseline:oracle") & (table["role"] == "circuit")]
    assert (oracle["recovered"] == 1).all() and set(oracle["question"]) == set(SIX)
    found = table[(table["kind"] != "baseline") & (table["role"] == "circuit")].groupby("question")["recovered"].mean()
    assert found["dynamics"] == found["cell_type"] == 1, found
    parallel = simlab.run(spec, "again", workers=2, archive=False).table
    same = ["cell", "status", "recovered", "false_recovery", "seed"]
    assert parallel[same].equals(table[same])
    page = write_report(results)
    drawn = [plate for plate in page.parent.rglob("*.svg")] or page.read_text().count("<svg")
    assert drawn
    print("all is well")
"""
