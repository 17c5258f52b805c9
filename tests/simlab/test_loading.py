"""An experiment's file is loaded as it now is, with the modules beside it, however often it was loaded before."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from simlab.loading import load_experiment
from simlab.running.loop import run

METHOD = """
from dataclasses import dataclass
from typing import ClassVar

from toys import LagCorrelation


@dataclass(frozen=True)
class Edited(LagCorrelation):
    name: ClassVar[str] = "edited"

    def analyse(self, recording, rng):
        found = super().analyse(recording, rng)
        return type(found)(found.estimate, confidence={CONFIDENCE})
"""

EXPERIMENT = """
import simlab
{IMPORT}
from toys import ToyChain

EXPERIMENT = simlab.Experiment("edited", "{ASKS}", (simlab.Grid(
    circuits=(ToyChain(),), plans=(simlab.Plan(5, 0.5),), instruments=("perfect",), methods=(Edited(),),
    baselines=False),), subjects=1)
"""


def write(file: Path, text: str, **parts: str) -> None:
    """Writes the file with the same second of change always: what is compiled already then looks current to Python."""
    for name, part in parts.items():
        text = text.replace("{" + name + "}", part)
    file.write_text(text)
    os.utime(file, (1.7e9, 1.7e9))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([*sys.path]))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


def test_an_edited_file_is_loaded_anew_and_an_unedited_one_is_not(folder):
    file = folder / "whole_in_one.py"
    write(file, METHOD + EXPERIMENT, CONFIDENCE="0.1", IMPORT="", ASKS="one")
    first = load_experiment(str(file))
    assert load_experiment(str(file)) is first
    write(file, METHOD + EXPERIMENT, CONFIDENCE="0.2", IMPORT="", ASKS="two")
    assert load_experiment(str(file)).asks == "two"
    assert load_experiment(str(file)) is load_experiment(str(file))


@pytest.mark.parametrize("workers", [None, pytest.param(1, marks=pytest.mark.slow)])
def test_a_module_beside_the_file_is_loaded_anew_too_and_by_workers(folder, workers):
    beside, file = folder / "beside_it.py", folder / f"with_a_helper_{workers}.py"
    write(beside, METHOD, CONFIDENCE="0.1")
    write(file, EXPERIMENT, IMPORT="from beside_it import Edited", ASKS="?")
    first = run(str(file), folder / "run", archive=False, workers=workers)
    assert first.table["confidence"].tolist() == [0.1], first.table["reason"].tolist()
    write(beside, METHOD, CONFIDENCE="0.2")
    said: list[str] = []
    again = run(str(file), folder / "run", archive=False, workers=workers, resume=True, say=said.append)
    assert again.table["confidence"].tolist() == [0.2]
    assert said == ["1 cells are stale and run again: the code of the method has changed (1 cells)"]


def test_a_file_that_was_broken_is_loaded_once_it_is_mended(folder):
    file = folder / "mended.py"
    write(file, "import beside_mended")
    with pytest.raises(Exception, match="ModuleNotFoundError: No module named 'beside_mended'"):
        load_experiment(str(file))
    write(folder / "beside_mended.py", METHOD, CONFIDENCE="0.1")
    write(file, EXPERIMENT, IMPORT="from beside_mended import Edited", ASKS="mended")
    assert load_experiment(str(file)).asks == "mended"


def test_the_labs_own_modules_stay_when_a_file_among_them_is_loaded():
    import experiments.first_light as built_in

    load_experiment(str(built_in.__file__))
    assert sys.modules["experiments.first_light"] is built_in
