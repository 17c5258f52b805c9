"""The command line does what the README says, and fails with one clear line."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from simlab.cli import main

FILE = Path(__file__).parents[1] / "support" / "toy_experiment.py"


class Said(NamedTuple):
    """What a command printed."""

    stdout: str
    stderr: str


def spawned(*arguments: str | Path, status: int = 0, **environment: str) -> Said:
    """A command in a process of its own, as a shell starts it."""
    command, seen = [sys.executable, "-m", "simlab", *map(str, arguments)], os.environ | environment
    done = subprocess.run(command, capture_output=True, text=True, env=seen)
    assert done.returncode == status, done.stdout + done.stderr
    return Said(done.stdout, done.stderr)


@pytest.fixture
def simlab(capsys) -> Callable[..., Said]:
    """A command in this process, which has imported already what a new one would need seconds for."""

    def command(*arguments: str | Path, status: int = 0) -> Said:
        with pytest.raises(SystemExit) as ended:
            main([*map(str, arguments)])
        said = Said(*capsys.readouterr())
        assert ended.value.code == status, said
        return said

    return command


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("cli")
    arguments = ("run", FILE, "--subjects", "1", "--workers", "1", "--out", place / "run")
    done = spawned(*arguments, SIMLAB_ARCHIVE=str(place / "archive"))
    assert "lag_correlation" in done.stdout
    assert all(re.fullmatch(r"\d+ of \d+ cells, .*", line) for line in done.stderr.splitlines())  # no bar, no warning
    return place / "run"


def test_help_names_every_command(simlab):
    printed = simlab("--help").stdout
    commands = ("list", "show", "run", "results", "claims", "score", "report", "generate", "check", "archive")
    assert all(command in printed for command in commands)


def test_list_of_a_kind_prints_bare_names(simlab):
    listed = simlab("list", "questions").stdout.split()
    assert {"assemblies", "connectivity", "dynamics", "mechanism", "topology"} <= set(listed)
    assert listed == sorted(listed)


def test_show_prints_documentation_parameters_and_truths(simlab):
    printed = simlab("show", "balanced_ei").stdout
    assert "balanced_ei (circuit)" in printed
    assert "parameters:" in printed
    assert "truths: connectivity, cell_type, effect, mechanism" in printed
    rivals = (
        "bursting_units", "common_cause_chain", "common_drive", "comodulated_gain", "drifting_units",
        "independent_poisson", "irregular_units",
    )  # fmt: skip
    assert f"rivals: {', '.join(rivals)}" in printed


def test_an_unknown_name_ends_with_status_2_and_what_there_is():
    done = spawned("show", "nonesuch", status=2)
    there_are = "circuits: action_value, adapting_synapses, aperiodic_drive"
    assert done.stderr.startswith(f"simlab: nothing is named 'nonesuch'; there are: {there_are}")
    assert "Traceback" not in done.stderr


def test_a_run_leaves_its_folder_with_report_and_figures(folder):
    assert {"run.json", "ledger.sqlite", "report"} <= {p.name for p in folder.iterdir()}


def test_results_print_as_table_csv_json_and_parquet(simlab, folder, tmp_path):
    assert "lag_correlation" in simlab("results", folder).stdout
    csv = pd.read_csv(io.StringIO(simlab("results", folder, "--csv").stdout))
    records = json.loads(simlab("results", folder, "--json").stdout)
    simlab("results", folder, "--parquet", tmp_path / "cells.parquet")
    parquet = pd.read_parquet(tmp_path / "cells.parquet")
    assert len(csv) == len(records) == len(parquet) > 0
    assert csv["cell"].tolist() == [r["cell"] for r in records] == parquet["cell"].tolist()


def test_claims_print_their_figures_and_exit_with_1_if_one_fails(simlab, folder):
    printed = simlab("claims", folder, status=1).stdout
    assert "HOLDS        chain_found" in printed
    assert "FAILS        chain_missed" in printed
    assert "measured" in printed
    assert "source: toy" in printed


def test_a_second_run_into_the_folder_needs_resume(simlab, folder):
    done = simlab("run", FILE, "--subjects", "1", "--out", folder, status=2)
    assert "--resume" in done.stderr
    simlab("run", FILE, "--subjects", "1", "--out", folder, "--resume", "--workers", "1", "--no-report")


def test_what_is_no_run_folder_is_a_clear_error(simlab, tmp_path):
    assert "is no run folder" in simlab("results", tmp_path, status=2).stderr


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (("--trials", "0", "--duration", "1"), "trials must be"),
        (("--trials", "2", "--duration", "-1"), "duration must be"),
        (("--trials", "2", "--duration", "1", "--instrument", "spectacles"), "no instrument named 'spectacles'"),
    ],
)
def test_impossible_datasets_are_refused_by_rule(simlab, arguments, rule, tmp_path):
    done = simlab("generate", "independent_poisson", *arguments, "--out", tmp_path / "data.nwb", status=2)
    assert rule in done.stderr
    assert not (tmp_path / "data.nwb").exists()


def test_version(simlab):
    from simlab import __version__

    assert simlab("--version").stdout == f"simlab {__version__}\n"


def test_generate_takes_parameters_of_circuit_and_instrument(simlab, tmp_path):
    data, truth = tmp_path / "my data é.zarr", tmp_path / "truth.json"
    settings = ("--set", "circuit.like.n_neurons=30", "--set", "n_units=12")
    where = ("--out", data, "--truth", truth)
    size = ("--trials", "2", "--duration", "1", "--instrument", "subsample")
    assert "12 units, 2 trials of 1 s" in simlab("generate", "independent_poisson", *size, *settings, *where).stdout
    origin = json.loads(truth.read_text())["origin"]
    assert origin["circuit"]["parameters"]["like"]["parameters"]["n_neurons"] == 30
    assert origin["instrument"]["parameters"] == {"n_units": 12, "regions": []}


def test_show_takes_parameters(simlab, tmp_path):
    printed = simlab("show", "subsample", "--set", "instrument.n_units=7", "--figure", tmp_path / "seven.svg").stdout
    assert "n_units = 7 (default 20)" in printed
    assert (tmp_path / "seven.svg").stat().st_size > 10_000
    assert "plans: 3 x 1 s" in simlab("show", "first_light", "--set", "plan.trials=3", "--set", "duration=1").stdout


def test_a_run_with_parameters_says_what_failed_and_where_its_report_is(simlab, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    out = tmp_path / "a run"
    printed = simlab(
        "run", FILE, "--subjects", "1", "--out", out,
        "--set", "plan.trials=10", "--set", "lag_correlation.width=0.002", "--set", "subsample.n_units=5",
    ).stdout  # fmt: skip
    assert "4 of 28 cells ended with an error:\n     4 x " in printed
    assert "ValueError: this method always raises" in printed
    assert "lag_correlation(width=0.002)" in printed
    written = Path(printed.rsplit("report: ", 1)[1].strip())
    assert written.is_file()
    assert written.is_relative_to(out)
    claims = spawned("claims", out, status=1)
    assert "chain_found" in claims.stdout  # of the changed experiment, found again by its settings
    assert claims.stderr == ""


def test_the_archive_reports_its_size_and_purges(simlab, folder):
    assert "entries" in simlab("archive").stdout
    assert ": 0 entries" in simlab("archive", "--purge").stdout


def test_a_run_is_scored_again_under_another_criterion(simlab, folder):
    assert "lag_correlation" in simlab("score", folder, "--set", "connectivity.least_mcc=1.01").stdout
    harsh = pd.read_csv(io.StringIO(simlab("results", folder, "--csv").stdout))
    assert harsh.query("role == 'circuit'")["recovered"].max() == 0
    simlab("score", folder)
    back = pd.read_csv(io.StringIO(simlab("results", folder, "--csv").stdout))
    assert back.query("method == 'baseline:oracle' and role == 'circuit'")["recovered"].min() == 1


@pytest.mark.parametrize(
    ("criterion", "rule"),
    [
        ("least_mcc=0.4", "must read question.field=value"),
        ("connectivity.least_mcc=high", "must be a number"),
        ("connectivity.mcc=0.4", "has no parameter mcc"),
        ("colour.hue=1", "no question named 'colour'"),
    ],
)
def test_a_criterion_that_is_none_is_refused_by_rule(simlab, folder, criterion, rule):
    done = simlab("score", folder, "--set", criterion, status=2)
    assert rule in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_of_an_earlier_version_is_refused_by_every_command_that_opens_one(simlab, tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"experiment": "toy", "seed": 1, "subjects": 1}))
    for command in ("results", "claims", "report", "score"):
        assert "run the experiment again into another folder" in simlab(command, tmp_path, status=2).stderr


def test_a_method_in_the_experiment_s_own_file_is_sealed_without_running_that_file(simlab, tmp_path):
    (tmp_path / "whole.py").write_text(BROKEN.replace('{}["nowhere"]', 'simlab.Finding.abstain("as it is meant to")'))
    simlab("run", tmp_path / "whole.py", "--workers", "1", "--out", tmp_path / "run", "--no-report")
    (row,) = json.loads(simlab("results", tmp_path / "run", "--json").stdout)
    assert (row["status"], row["reason"]) == ("abstained", "as it is meant to")


def test_errors_are_printed_with_where_in_the_code_they_arose(simlab, tmp_path):
    (tmp_path / "broken.py").write_text(BROKEN)
    done = simlab("run", tmp_path / "broken.py", "--out", tmp_path / "run", "--no-report")
    assert "--errors`" in done.stdout
    told = simlab("results", tmp_path / "run", "--errors").stdout
    assert told.startswith("1 x broken, first in cell ")
    assert re.search(r"broken\.py\", line 1[0-5], in analyse", told), told
    assert 'return {}["nowhere"]' in told
    assert "KeyError: 'nowhere'" in told


BROKEN = """
from dataclasses import dataclass
import simlab
from toys import ToyChain

@dataclass(frozen=True)
class Broken:
    name, question = "broken", "connectivity"
    family, library = "none", "own"
    needs = simlab.Needs()

    def analyse(self, recording, rng):
        return {}["nowhere"]

plan = simlab.Plan(trials=2, duration=0.5)
grid = simlab.Grid((ToyChain(),), (plan,), ("perfect",), (Broken(),), baselines=False)
experiment = simlab.Experiment("broken_one", "?", (grid,), subjects=1)
"""
