"""What the lab itself costs, as ratios within one run; printed, never asserted by the clock (`-m benchmark -s`)."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from simlab.lab.memory import forget
from simlab.running.loop import run

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]

SUBJECTS = 2


@pytest.fixture(scope="module")
def experiment():
    from experiments.connectivity_sampling import AMOUNT, CONNECTIVITY_SAMPLING

    small = replace(AMOUNT, plans=AMOUNT.plans[:2], ceiling=None)
    return replace(CONNECTIVITY_SAMPLING, grids=(small,), subjects=SUBJECTS)


def timed(work) -> tuple[float, object]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def processor(work) -> tuple[float, object]:
    """Processor time [s] of this process, which others on the machine change little, and what the work returns."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def test_overhead_of_the_lab(experiment, tmp_path, capsys):
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # an analysis is measured in processor time, of which several threads make more than is
        first, results = timed(lambda: run(experiment, tmp_path / "run", archive=tmp_path / "archive"))
    table = results.table
    science = table["seconds_simulation"].fillna(0).sum() + table["seconds_analysis"].fillna(0).sum()
    again, _ = timed(lambda: run(experiment, tmp_path / "run", archive=tmp_path / "archive", resume=True))
    with capsys.disabled():
        print(f"\nlab overhead: {100 * (1 - science / first):.2f}% of the run (goal <= 3%), {len(table)} cells")
        print(f"repeated with a full archive and ledger: {100 * again / first:.2f}% of the first (goal <= 2%)")
    assert len(table) == len(list(experiment.cells()))


def of_children() -> float:
    """Processor time [s] of all worker processes so far: what a busy machine does not change, or little."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_two_workers_against_one(experiment, tmp_path, capsys):
    seconds, processor = {}, {}
    for workers in (1, 2, 1, 2):
        forget()
        out = tmp_path / f"{workers}-{len(seconds)}-{time.monotonic_ns()}"
        before = of_children()
        spent, results = timed(lambda out=out, n=workers: run(experiment, out, workers=n, archive=False))
        seconds.setdefault(workers, []).append(spent)
        processor.setdefault(workers, []).append(of_children() - before)
    one, two = (min(processor[n]) for n in (1, 2))
    with capsys.disabled():
        print(f"\ntwo workers: {min(seconds[1]) / min(seconds[2]):.2f} x one (goal >= 1.8)")
        print(
            f"processor time of workers: one {one:.1f} s in {min(seconds[1]):.1f} s, two {two:.1f} s; on two idle cores"
        )
        print(f"at best {2 * one / two:.2f} x. A worker that uses more processor than time holds more than one core")
    assert (results.table["status"] == "ok").all()


@pytest.mark.parametrize("arguments", [["--help"], ["list"]])
def test_the_command_line_answers_at_once(arguments, capsys):
    seconds = [
        timed(lambda: subprocess.run([sys.executable, "-m", "simlab", *arguments], capture_output=True, check=True))[0]
        for _ in range(5)
    ]
    bare = min(timed(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True))[0] for _ in range(5))
    with capsys.disabled():
        ratio = min(seconds) / bare
        print(f"\nsimlab {' '.join(arguments)}: {min(seconds):.2f} s (goal <= 0.4), {ratio:.0f} x bare Python")
    assert len(seconds) == 5


def test_what_sealing_costs(capsys):
    from toys import LagCorrelation

    from simlab.checks.problem import spiking_recording
    from simlab.execution.execute import execute

    recording, limits = spiking_recording(), {"entropy": 7, "time_limit": 60.0, "memory_limit": 2**29}

    def once(strict: bool) -> float:
        spent, outcome = timed(lambda: execute(LagCorrelation(), recording, strict=strict, **limits))
        assert outcome.error == ""
        return spent

    once(True)  # starts the warm parent
    sealed, here = (min(once(strict) for _ in range(20)) for strict in (True, False))
    with capsys.disabled():
        print(f"\nsealing adds {sealed - here:.3f} s to a method of {here:.4f} s (goal <= 0.1)")


def test_a_check_a_resume_and_a_report(experiment, tmp_path, capsys):
    from big_ledger import write_big_ledger

    from simlab.checks.check import check
    from simlab.report import write_report
    from simlab.results import Results

    checked, outcome = timed(lambda: check("coupling_glm", raises=False))
    run(experiment, tmp_path / "run", progress=False)
    resumed, _ = timed(lambda: run(experiment, tmp_path / "run", resume=True, progress=False))
    results = Results(write_big_ledger(tmp_path / "big", 3, 20, 4))
    ranked, board = processor(results.leaderboard)
    reported, index = processor(lambda: write_report(results))
    with capsys.disabled():
        print(f"\nsimlab check of a method: {checked:.1f} s (goal <= 5); a resume with nothing to do: {resumed:.2f} s")
        print(f"processor time with {len(results.table)} cells: leaderboard {ranked:.1f} s, then the report ", end="")
        print(f"{reported:.1f} s (goal <= 10 together for 500)")
    assert outcome.ok
    assert index.is_file()
    assert len(board) == 3 * 22


def test_the_leaderboard_of_the_largest_run_that_the_house_must_carry(capsys):
    import numpy as np
    from big_ledger import big_rows

    from simlab.statistics import leaderboard
    from simlab.store.tables import table

    rows = list(big_rows(18, 70, 40, np.random.default_rng(0)))
    spread, cells = processor(lambda: table(rows))
    ranked, board = processor(lambda: leaderboard(cells))
    with capsys.disabled():
        print(f"\nprocessor time with {len(cells)} cells: their table {spread:.1f} s, leaderboard {ranked:.1f} s")
    assert len(board) == 18 * 72
