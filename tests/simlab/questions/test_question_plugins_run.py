"""The six questions as an installed package: listed, checked, run, scored and drawn, with no edit in simlab."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import six_questions
from six_questions import CIRCUITS, METHODS, QUESTIONS

import simlab

EXPERIMENT = f"""
import simlab
EXPERIMENT = simlab.Experiment("six", "Can six questions be asked that the house does not know?", (simlab.Grid(
    circuits=(simlab.create("circuits", "noisy_clock", n_neurons=10),), rivals=("stopped_clock",),
    plans=(simlab.Plan(66, 1.0),), instruments=("perfect",), methods={METHODS!r}),), subjects=1)
PASSIVE = simlab.Experiment("passive", "The same in two processes?", (simlab.Grid(
    circuits=("noisy_clock",), plans=(simlab.Plan(10, 1.0),), instruments=("electrodes", "two_photon"),
    methods={METHODS[:5]!r}),), subjects=1)
"""

RUN = """
import json, sys
import simlab
from simlab.report.html import write_report
results = simlab.run("six.py", out="run", archive=False)
write_report(results)
table = results.table
columns = ["question", "method", "role", "status", "reason", "recovered", "false_recovery"]
json.dump(json.loads(table[columns].to_json(orient="records")), open("cells.json", "w"))
"""

IN_TWO = """
import json
import simlab
import six
if __name__ == "__main__":
    found = {}
    for workers in (None, 2):
        table = simlab.run(six.PASSIVE, out=f"workers_{workers}", workers=workers, archive=False).table
        table = table.sort_values(["question", "method", "instrument"])
        found[str(workers)] = table[["method", "status", "recovered", "reason", *METRICS]].to_json(orient="values")
    json.dump(found, open("in_two.json", "w"))
""".replace("*METRICS", ", ".join(repr(name) for name in ("r2", "median_cosine", "balanced_accuracy", "error")))


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A folder whose `python` knows the package, as if it had been installed."""
    folder = tmp_path_factory.mktemp("six")
    (folder / "path").write_text(six_questions.install(folder / "site"))
    (folder / "six.py").write_text(EXPERIMENT)
    return folder


def python(site: Path, code: str) -> str:
    (site / "block.py").write_text(code)
    path = os.pathsep.join(filter(None, [(site / "path").read_text(), os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(
        [sys.executable, "block.py"], cwd=site, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def cells(site: Path) -> list[dict]:
    """The cells of the experiment, run and reported."""
    python(site, RUN)
    return json.loads((site / "cells.json").read_text())


def test_the_package_adds_its_questions_to_those_of_the_house(site):
    listed = python(site, "import simlab; print(*simlab.names('questions'))").split()
    assert listed == sorted((*QUESTIONS, *simlab.names("questions")))


def test_every_question_circuit_and_method_passes_the_check(site):
    names = (*QUESTIONS, *CIRCUITS, *METHODS)
    printed = python(site, f"import simlab\nfor name in {names!r}: print(simlab.check(name).ok)")
    assert printed.split() == ["True"] * len(names)


def test_a_method_answers_the_same_in_a_process_of_its_own(site):
    names = ("fast_spikers", "silence_each")
    printed = python(site, f"import simlab\nfor name in {names!r}: print(simlab.check(name, strict=True))")
    assert printed.count("in a process of its own") == len(names)


def test_every_cell_is_answered_or_abstained(cells):
    assert {cell["question"] for cell in cells} == set(QUESTIONS)
    assert [cell for cell in cells if cell["status"] not in ("ok", "abstained")] == []


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_oracle_always_recovers_and_a_guess_does_not(cells, question):
    of = [cell for cell in cells if cell["question"] == question]
    oracle = [cell["recovered"] for cell in of if cell["method"] == "baseline:oracle"]
    random = [cell["recovered"] for cell in of if cell["method"] == "baseline:random"]
    assert oracle == [1.0] * 2  # the circuit and its rival
    assert sum(random) < len(random)


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_report_draws_an_answer_to_every_question(site, cells, question):
    drawn = [path.name for path in (site / "run" / "report" / "figures").glob(f"{question.replace('_', '-')}-*.svg")]
    assert [name for name in drawn if "rate" not in name], drawn
    page = site / "run" / "report" / f"question-{question.replace('_', '-')}.html"
    assert "could not be drawn" not in page.read_text()


def test_what_was_kept_is_scored_again_without_analysing(site, cells):
    code = (
        "import sys; from simlab.cli import main\n"
        "sys.argv = ['simlab', 'score', 'run']\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
    )
    assert python(site, code)


@pytest.mark.slow
def test_two_processes_find_what_one_does_through_real_instruments(site):
    python(site, IN_TWO)
    found = {workers: json.loads(rows) for workers, rows in json.loads((site / "in_two.json").read_text()).items()}
    assert found["2"] == found["None"]
    assert [row for row in found["2"] if row[1] not in ("ok", "abstained")] == []
    assert {row[1] for row in found["2"]} == {"ok", "abstained"}  # no spikes in fluorescence
