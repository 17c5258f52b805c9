"""Ledgers and archives on storage that is read-only, full, or in use by others."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from toys import LagCorrelation, ToyChain

from simlab.contracts import HouseFault
from simlab.experiment import Experiment, Grid, Plan
from simlab.instruments.recording.perfect import Perfect
from simlab.running.loop import run
from simlab.store.archive import ArchiveError
from simlab.store.ledger import Ledger, LedgerError

NOBODY = 65534
SUPPORT = Path(__file__).parents[2] / "support"

OPEN = """
import sys
from simlab.store.results import Results
results = Results(sys.argv[1])
print(len(results.table), results.table["status"].tolist(), results.answer(results.table["cell"][0]) is not None)
results.ledger.close()
try:
    results.ledger.write({"cell": "a"})
except Exception as error:
    print(type(error).__name__, error)
"""


def experiment(subjects: int = 2) -> Experiment:
    grid = Grid((ToyChain(),), (Plan(20, 1.0),), (Perfect(),), (LagCorrelation(),), baselines=False)
    return Experiment("stored", "?", (grid,), subjects=subjects)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may look into, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    subprocess.run(["chmod", "-R", "u+rwX", str(folder)], check=True)
    shutil.rmtree(folder)


def as_another_user(code: str, *arguments: str) -> subprocess.CompletedProcess:
    """Runs Python without the right to write, even where the tests have every right."""
    other = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    environment = os.environ | {"HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}
    how = {"capture_output": True, "text": True, "env": environment, "cwd": "/", **other}
    if subprocess.run([sys.executable, "-S", "-c", ""], **how).returncode:
        pytest.skip("Python lies where another user may not read: its own libraries are closed to them")
    return subprocess.run([sys.executable, "-c", code, *arguments], **how)


def sealed_off(folder: Path) -> None:
    for path in (*folder.rglob("*"), folder):
        path.chmod(0o555 if path.is_dir() else 0o444)


@pytest.fixture(scope="module")
def ran(tmp_path_factory) -> Path:
    """The folder of a finished run, to be copied."""
    return run(experiment(), tmp_path_factory.mktemp("ran") / "run", archive=False).folder


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_finished_run_opens_on_read_only_storage_and_leaves_nothing_there(open_folder, ran):
    folder = Path(shutil.copytree(ran, open_folder / "run"))
    before = listing(folder)
    sealed_off(folder)
    opened = as_another_user(OPEN, str(folder))
    assert opened.stdout.splitlines()[0] == "2 ['ok', 'ok'] True", opened.stderr
    assert "LedgerError" in opened.stdout
    assert "check that its folder is writable" in opened.stdout
    assert listing(folder) == before == ["ledger.sqlite", "run.json"]


@pytest.mark.parametrize("beside", [(), ("-wal",), ("-wal", "-shm")], ids=["no log", "log", "log and index"])
def test_a_killed_run_opens_on_read_only_storage(open_folder, ran, beside):
    folder = Path(shutil.copytree(ran, open_folder / "run"))
    ledger = Ledger(folder / "ledger.sqlite")
    ledger.arrange({row["cell"]: row["position"] + 1 for row in ledger.rows()})  # now in the log alone
    copy = open_folder / "copy"
    copy.mkdir()
    for name in ("run.json", "ledger.sqlite", *(f"ledger.sqlite{ending}" for ending in beside)):
        shutil.copy(folder / name, copy / name)
    sealed_off(copy)
    opened = as_another_user(OPEN, str(copy))
    assert opened.stdout.splitlines()[0] == "2 ['ok', 'ok'] True", opened.stderr
    ledger.close()


def test_a_run_that_writes_is_read_at_the_same_time(tmp_path):
    path = tmp_path / "ledger.sqlite"
    assert Ledger(path).rows() == []
    assert not path.exists()
    writer, reader = Ledger(path), Ledger(path)
    for position in range(5):
        writer.write({"cell": f"c{position}", "position": position, "status": "ok"})
        assert len(reader.rows()) == position + 1
        newcomer = Ledger(path)
        assert len(newcomer.rows()) == position + 1
        newcomer.close()
    writer.close()
    assert len(reader.rows()) == 5
    writer.write({"cell": "again", "position": 5, "status": "ok"})
    assert len(reader.rows()) == 6
    reader.close()
    writer.close()
    assert listing(tmp_path) == ["ledger.sqlite"]


FULL = """
import json, resource, sys
sys.path.insert(0, sys.argv[2])
sys.path.insert(0, sys.argv[3])
from test_storage import experiment
from simlab.running.loop import run
from simlab.store.ledger import Ledger
rows = []
def fill_up(done, total, row):
    rows.append(row["cell"])
    if done == 3:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]),) * 2)
try:
    run(experiment(4), sys.argv[1], archive=sys.argv[5] or False, strict=False, progress=fill_up)
except Exception as error:
    print(json.dumps([type(error).__name__, str(error), rows]))
"""


@pytest.mark.parametrize(("what", "size"), [("ledger", 4096), ("archive", 512)])
def test_a_disk_that_fills_up_ends_the_run_with_a_clear_error_and_keeps_the_finished_rows(tmp_path, what, size):
    archive = str(tmp_path / "archive") if what == "archive" else ""
    folder = tmp_path / "run"
    here = str(Path(__file__).parent)
    full = subprocess.run(
        [sys.executable, "-c", FULL, str(folder), str(SUPPORT), here, str(size), archive],
        capture_output=True, text=True,
    )  # fmt: skip
    kind, said, finished = json.loads(full.stdout.splitlines()[-1])
    assert kind == {"ledger": "LedgerError", "archive": "ArchiveError"}[what], said
    assert "free some space" in said if what == "archive" else "disk not full" in said
    assert [row["cell"] for row in Ledger(folder / "ledger.sqlite").rows()] == finished
    again = run(experiment(4), folder, resume=True, archive=archive or False, strict=False)
    assert again.table["status"].tolist() == ["ok"] * 4
    if archive:
        assert not list(Path(archive).rglob(".writing-*"))


def test_faults_of_archive_and_ledger_are_the_houses():
    assert issubclass(ArchiveError, HouseFault)
    assert issubclass(LedgerError, HouseFault)
