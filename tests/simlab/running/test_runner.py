"""Runs are the same to the bit however they are cut up, killed, resumed or damaged; no method can end one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pytest
from toy_experiment import EXPERIMENT
from toys import LagCorrelation, Misbehaving, PulseAndCount, ToyChain, ToyRival

from simlab.contracts import Finding, SimlabError
from simlab.execution import limits
from simlab.experiment import Experiment, Grid, Plan
from simlab.instruments.recording.perfect import Perfect
from simlab.lab.memory import forget
from simlab.running.loop import run
from simlab.store.archive import Archive
from simlab.store.columns import TIMINGS
from simlab.store.ledger import Ledger
from simlab.store.results import Results

FILE = Path(__file__).parents[2] / "support" / "toy_experiment.py"


def science(results: Results) -> pd.DataFrame:
    """All that must not depend on how the run was done."""
    return results.table.drop(columns=[*TIMINGS, "engine"]).sort_values("cell").reset_index(drop=True)


def tiny(*methods, **changes) -> Experiment:
    grid = Grid((ToyChain(),), (Plan(30, 1.0),), (Perfect(),), methods, rivals=(ToyRival(),), baselines=False)
    return Experiment("tiny", "?", (grid,), **{"subjects": 2, "time_limit": 1.0, **changes})


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Results:
    return run(EXPERIMENT, tmp_path_factory.mktemp("runs") / "undisturbed", archive=False, strict=False)


def test_every_cell_becomes_one_row(undisturbed):
    assert len(undisturbed.table) == len(list(EXPERIMENT.cells())) == undisturbed.table["cell"].nunique()


def test_a_good_method_recovers_and_the_oracle_always_does(undisturbed):
    table = undisturbed.table.query("role == 'circuit' and trials == 200")
    assert table.query("method == 'lag_correlation'")["recovered"].mean() == 1
    assert table.query("method == 'baseline:oracle'")["recovered"].mean() == 1


def test_an_active_methods_spending_is_recorded(undisturbed):
    active = undisturbed.table.query("method == 'pulse_and_count'")
    within = active.query("trials == 20 and instrument == 'subsample'")
    assert set(within["status"]) == {"ok"}
    assert (within["spent_trials"] == 12).all()
    assert (within["spent_perturbations"] == 12).all()
    assert (within["spent_interventions"] == 4).all()  # each of 4 units, three times
    assert (within["budget_interventions"] == float("inf")).all()


def test_parallel_processes_give_identical_results(undisturbed, tmp_path):
    parallel = run(EXPERIMENT, tmp_path / "run", workers=2)
    pd.testing.assert_frame_equal(science(parallel), science(undisturbed))


@pytest.mark.slow
def test_any_executor_gives_identical_results(undisturbed, tmp_path):
    with ThreadPoolExecutor(2) as pool:
        threaded = run(EXPERIMENT, tmp_path / "run", executor=pool)
    pd.testing.assert_frame_equal(science(threaded), science(undisturbed))


def test_another_seed_gives_other_results(undisturbed, tmp_path):
    other = run(replace(EXPERIMENT, subjects=1), tmp_path / "run", seed=12, archive=False, strict=False)
    mine = undisturbed.table.query("subject == 0 and method == 'lag_correlation'")["auroc"]
    assert mine.tolist() != other.table.query("method == 'lag_correlation'")["auroc"].tolist()


def test_a_killed_run_resumes_to_the_same_results(undisturbed, tmp_path):
    out = tmp_path / "run"
    command = [sys.executable, "-m", "simlab", "run", str(FILE), "--out", str(out), "--workers", "2", "--no-report"]
    killed = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if (out / "ledger.sqlite").exists() and len(Ledger(out / "ledger.sqlite").made_of()) >= 5:
            break
        time.sleep(0.02)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    before = {row["cell"]: row["seconds_analysis"] for row in Ledger(out / "ledger.sqlite").rows()}
    assert 5 <= len(before) < len(undisturbed.table)

    resumed = run(str(FILE), out, resume=True)
    pd.testing.assert_frame_equal(science(resumed), science(undisturbed))
    kept = resumed.table.set_index("cell")["seconds_analysis"]
    finished = [key for key, seconds in before.items() if resumed.table.set_index("cell")["status"][key] != "error"]
    assert all(kept[key] == before[key] or before[key] is None for key in finished)


def test_a_damaged_archive_entry_is_simulated_again(undisturbed, tmp_path):
    store = Archive(tmp_path / "archive")
    run(EXPERIMENT, tmp_path / "first", archive=store.root, strict=False)
    forget()
    for key, _ in store.entries():
        biggest = max((f for f in store.path(key).rglob("*") if f.is_file()), key=lambda f: f.stat().st_size)
        biggest.write_bytes(b"damage" + biggest.read_bytes()[6:])
    with pytest.warns(UserWarning, match="damaged"):
        again = run(EXPERIMENT, tmp_path / "second", archive=store.root, strict=False)
    pd.testing.assert_frame_equal(science(again), science(undisturbed))


def test_a_full_archive_saves_every_simulation(tmp_path):
    run(tiny(LagCorrelation()), tmp_path / "first", archive=tmp_path / "archive", strict=False)
    entries = Archive(tmp_path / "archive").entries()
    forget()
    run(tiny(LagCorrelation()), tmp_path / "second", archive=tmp_path / "archive", strict=False)
    assert len(entries) == 4  # two subjects of circuit and rival
    assert Archive(tmp_path / "archive").entries() == entries


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("raise", "ValueError: this method always raises"),
        ("hang", "ran past its limit"),
        ("memory", "MemoryError"),
        ("shape", "must have dims"),
        ("nan", "must be finite"),
        ("none", "must return a Finding"),
        ("exit", "SystemExit"),
    ],
)
def test_a_method_that_goes_wrong_is_a_row_and_the_run_goes_on(tmp_path, monkeypatch, how, reason):
    monkeypatch.setattr(limits, "WALL_FACTOR", 1.0)  # who hangs is given up after 3 s instead of 20 s
    monkeypatch.setattr(limits, "WALL_SLACK", 2.0)
    table = run(tiny(Misbehaving(how), LagCorrelation(), subjects=1), tmp_path / "run").table
    bad = table[table["method"] == "misbehaving"]
    assert set(bad["status"]) == {"error"}
    assert bad["reason"].str.contains(reason).all()
    assert set(table.query("method == 'lag_correlation'")["status"]) == {"ok"}


def test_a_method_that_kills_its_worker_is_a_row_and_the_run_goes_on(tmp_path):
    table = run(tiny(Misbehaving("die"), LagCorrelation(), subjects=1), tmp_path / "run", workers=2).table
    assert set(table.query("method == 'misbehaving'")["status"]) == {"error"}
    assert set(table.query("method == 'lag_correlation'")["status"]) == {"ok"}


def test_an_abstention_is_neither_right_nor_wrong(tmp_path):
    table = run(tiny(Misbehaving("abstain"), subjects=1), tmp_path / "run").table
    assert set(table["status"]) == {"abstained"}
    assert set(table["reason"]) == {"it would rather not say"}
    assert table["recovered"].isna().all()


def test_going_over_budget_is_recorded_as_spent_not_as_a_crash(tmp_path):
    table = run(tiny(PulseAndCount(greed=100), subjects=1), tmp_path / "run").table
    assert set(table["status"]) == {"over_budget"}


def test_a_run_folder_is_not_overwritten_unasked(tmp_path):
    run(tiny(LagCorrelation(), subjects=1), tmp_path / "run")
    with pytest.raises(SimlabError, match="already holds a run"):
        run(tiny(LagCorrelation(), subjects=1), tmp_path / "run")


def test_resuming_with_more_subjects_adds_only_theirs(tmp_path):
    first = len(run(tiny(LagCorrelation(), subjects=1), tmp_path / "run").table)
    seen = []
    more = run(
        tiny(LagCorrelation()), tmp_path / "run", subjects=3, resume=True, progress=lambda d, n, row: seen.append(row)
    )
    assert first == 2
    assert len(more.table) == 6
    assert {row["subject"] for row in seen} == {1, 2}


def test_run_json_holds_what_is_needed_to_repeat_the_run(tmp_path):
    run(tiny(LagCorrelation()), tmp_path / "run", subjects=1, seed="word")
    kept = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (kept["experiment"], kept["seed"], kept["subjects"]) == ("tiny", "word", 1)
    assert kept["grids"][0]["parameters"]["circuits"][0]["parameters"]["coupling"] == 0.5
    assert {"simlab", "numpy", "brian2"} <= set(kept["versions"])


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SimlabError, match=r"out must be a folder, .* is a file: name another"):
        run(tiny(LagCorrelation()), tmp_path / "file" / "run")


def test_a_full_disk_ends_with_a_clear_message_and_a_valid_ledger(tmp_path, monkeypatch):
    written = []
    write = Ledger.write

    def fill_up(self: Ledger, row: dict, blobs=()) -> None:
        if len(written) == 2:
            with self._open() as connection:
                connection.execute("PRAGMA max_page_count = 1")  # SQLite's own SQLITE_FULL, as on a full disk
                connection.execute("CREATE TABLE filler AS SELECT randomblob(10000000)")
        written.append(row)
        write(self, row, blobs)

    with monkeypatch.context() as full:
        full.setattr(Ledger, "write", fill_up)
        with pytest.raises(SimlabError, match="disk not full"):
            run(tiny(LagCorrelation()), tmp_path / "run")
    assert len(Ledger(tmp_path / "run" / "ledger.sqlite").rows()) == 2
    assert len(run(tiny(LagCorrelation()), tmp_path / "run", resume=True).table) == 4


def test_a_file_without_an_experiment_is_a_clear_error(tmp_path):
    (tmp_path / "empty_file.py").write_text("x = 1\n")
    with pytest.raises(SimlabError, match="must define one simlab"):
        run(str(tmp_path / "empty_file.py"), tmp_path / "run")


def test_a_circuit_that_fails_is_a_row_not_a_crash(tmp_path):
    @dataclass(frozen=True)
    class Broken(ToyChain):
        name: ClassVar[str] = "broken"

        def subject(self, rng):
            raise RuntimeError("no such animal")

    grid = Grid((Broken(), ToyChain()), (Plan(20, 1.0),), (Perfect(),), (LagCorrelation(),), baselines=False)
    table = run(Experiment("broken", "?", (grid,), subjects=1), tmp_path / "run").table
    assert table["status"].tolist() == ["fault", "ok"]
    assert "no such animal" in table["reason"][0]


def test_strict_execution_gives_identical_results(tmp_path):
    methods = (LagCorrelation(), PulseAndCount(repeats=3))
    here = run(tiny(*methods, subjects=1, time_limit=60.0), tmp_path / "here", strict=False)
    sealed = run(tiny(*methods, subjects=1, time_limit=60.0), tmp_path / "sealed", strict=True, seed=2026)
    assert set(sealed.table["status"]) == {"ok"}
    pd.testing.assert_frame_equal(science(sealed), science(here))


def test_a_strict_run_draws_a_secret_seed_and_says_that_one_given_by_hand_could_be_tried(tmp_path, capsys):
    spec = tiny(LagCorrelation(), subjects=1)
    drawn = [run(spec, tmp_path / out, strict=True, archive=False) for out in ("one", "two")]
    seeds = [str(results.provenance["seed"]) for results in drawn]
    assert seeds[0] != seeds[1]
    assert all(len(seed) == 32 and int(seed, 16) >= 0 for seed in seeds)  # 128 bits
    resumed = run(spec, tmp_path / "one", strict=True, archive=False, resume=True)
    pd.testing.assert_frame_equal(resumed.table, drawn[0].table)
    assert "could try seeds" not in capsys.readouterr().err
    given = run(spec, tmp_path / "three", strict=True, archive=False, seed=7)
    assert str(given.provenance["seed"]) == "7"
    assert "could try seeds like 7" in capsys.readouterr().err
    assert given.provenance["strict"] is True
    assert set(given.provenance["protections"]) >= {"landlock", "seccomp"}


@pytest.mark.slow
def test_a_dask_cluster_gives_identical_results(undisturbed, tmp_path):
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        clustered = run(EXPERIMENT, tmp_path / "run", executor=client.get_executor())
    pd.testing.assert_frame_equal(science(clustered), science(undisturbed))


def test_a_class_of_a_notebook_or_function_travels_to_workers_by_value(tmp_path):
    @dataclass(frozen=True)
    class Local(LagCorrelation):
        pass

    experiment = tiny(Local(), subjects=1)
    here = run(experiment, tmp_path / "here", strict=False)
    there = run(experiment, tmp_path / "there", workers=1)
    assert set(there.table["status"]) == {"ok"}
    pd.testing.assert_frame_equal(science(there), science(here))  # the names of cells too: the code is hashed once


def test_workers_leave_the_environment_as_it_was(tmp_path, monkeypatch):
    monkeypatch.delenv("MPLBACKEND", raising=False)
    before = dict(os.environ)
    run(tiny(LagCorrelation(), subjects=1), tmp_path / "run", workers=1, archive=False)
    assert dict(os.environ) == before


def test_what_cannot_travel_to_a_worker_is_a_clear_error(tmp_path):
    @dataclass(frozen=True)
    class Locked(LagCorrelation):
        def analyse(self, recording, rng):
            return lock

    lock = threading.Lock()
    with pytest.raises(SimlabError, match=r"cannot be sent to a worker.*leave out workers"):
        run(tiny(Locked(), subjects=1), tmp_path / "run", workers=1)


SCRIPT = """
from dataclasses import dataclass
import numpy as np
import simlab
from toys import ToyChain

@dataclass(frozen=True)
class Mine:
    name, question, family, library, needs = "mine", "connectivity", "own", "own", simlab.Needs()
    def analyse(self, recording, rng):
        n = recording.sizes["unit"]
        return simlab.Finding({"score": rng.random((n, n)), "decided": np.zeros((n, n), bool)})

grid = simlab.Grid((ToyChain(),), (simlab.Plan(20, 1.0),), ("perfect",), (Mine(),), baselines=False)
found = simlab.run(simlab.Experiment("script", "?", (grid,), subjects=1), OUT, workers=1, archive=False)
print(set(found.table["status"]))
"""


def test_a_script_without_a_main_guard_may_use_workers(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace("OUT", repr(str(tmp_path / "run"))))
    path = os.pathsep.join([str(FILE.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, script], env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.strip() == "{'ok'}", done.stderr


@pytest.mark.parametrize("workers", [None, pytest.param(2, marks=pytest.mark.slow)])
def test_a_killer_costs_its_own_cells_alone_on_a_user_s_executor_too(tmp_path, workers):
    experiment = tiny(Misbehaving("die"), LagCorrelation(), subjects=1)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        given = {"executor": pool} if workers is None else {"workers": workers}
        table = run(experiment, tmp_path / "run", strict=False, archive=False, **given).table
    assert set(table.query("method == 'misbehaving'")["status"]) == {"error"}
    assert table.query("method == 'misbehaving'")["reason"].str.startswith("ProcessDied").all()
    assert set(table.query("method == 'lag_correlation'")["status"]) == {"ok"}


def test_grids_with_other_candidates_tell_their_methods_other_briefs(tmp_path):
    seen = []

    class Reader(LagCorrelation):
        question = "mechanism"

        def analyse(self, recording, rng):
            seen.append(recording.attrs["brief"]["candidates"])
            return Finding({"label": "chain"})

    with_rival = Grid((ToyChain(),), (Plan(20, 1.0),), (Perfect(),), (Reader(),), rivals=(ToyRival(),), baselines=False)
    both = (with_rival, replace(with_rival, rivals=()))
    run(Experiment("two", "?", both, subjects=1), tmp_path / "run", strict=False)
    assert sorted(set(seen)) == [("chain",), ("chain", "no chain")]


def test_resuming_where_no_run_is_and_zero_workers_are_refused_before_anything_is_written(tmp_path):
    with pytest.raises(SimlabError, match="no run to go on with"):
        run(tiny(LagCorrelation()), tmp_path / "run", resume=True)
    with pytest.raises(SimlabError, match=r"workers must be a whole number in 1\.\.1024"):
        run(tiny(LagCorrelation()), tmp_path / "run", workers=0)
    assert not (tmp_path / "run").exists()


def test_a_file_that_cannot_be_run_is_a_clear_error(tmp_path):
    (tmp_path / "broken_file.py").write_text("import nonesuch_module\n")
    with pytest.raises(SimlabError, match="ModuleNotFoundError"):
        run(str(tmp_path / "broken_file.py"), tmp_path / "run")


def test_a_killed_lab_leaves_no_worker_behind(tmp_path):
    import psutil

    command = [
        sys.executable,
        "-m",
        "simlab",
        "run",
        str(FILE),
        "--out",
        str(tmp_path / "run"),
        "--workers",
        "1",
        "--no-report",
    ]
    lab = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    ledger = tmp_path / "run" / "ledger.sqlite"
    while time.monotonic() < deadline and not (ledger.exists() and Ledger(ledger).made_of()):
        time.sleep(0.05)
    children = psutil.Process(lab.pid).children(recursive=True)
    lab.kill()
    lab.wait()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert children
    assert alive == []
