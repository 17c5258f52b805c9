"""The script that sets up and tests: one bad check ends the rest, and its status is the script's."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def lab() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lab_script", ROOT / "lab.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def python(code: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-S", "-c", code])


def test_all_have_passed_once_the_last_has(lab):
    began = time.monotonic()
    assert lab.passed([python(""), python("import time; time.sleep(0.3)")]) == 0
    assert time.monotonic() - began >= 0.3
    assert lab.passed([]) == 0


def test_the_first_to_fail_gives_its_status_and_ends_the_others(lab):
    waiting = python("import time; time.sleep(600)")
    assert lab.passed([waiting, python("raise SystemExit(3)")]) == 3
    assert waiting.wait(timeout=30) != 0


def test_what_is_run_keeps_what_it_compiles(lab, monkeypatch, tmp_path):
    """Whoever sets PYTHONDONTWRITEBYTECODE would have each process of the tests compile the house again."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setattr(lab, "BINARIES", Path(sys.executable).parent)
    told = lab.start(Path(sys.executable).name, "-c", "import sys; raise SystemExit(sys.dont_write_bytecode)")
    assert told.wait(timeout=60) == 0
