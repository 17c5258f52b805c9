"""Code counts as the parser sees it: an edited comment recomputes nothing, an edited equation just what it decides."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from simlab import sources
from simlab.streams import stream

PLUGIN = '''
"""A circuit."""

from dataclasses import dataclass
from animals.helper import double


@dataclass(frozen=True)
class Beast:
    """It draws its weights."""

    name = "beast"
    size: int = 3  # neurons

    def subject(self, rng):
        # a comment
        return double(rng.standard_normal(self.size))
'''
HELPER = '''
def double(x):
    """Twice x."""
    return 2 * x
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes a package of two modules and returns the class that it defines, however often it is edited."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(plugin: str = PLUGIN, helper: str = HELPER, folder: str = ""):
        for name in [name for name in sys.modules if name.partition(".")[0] == "animals"]:
            del sys.modules[name]
        for function in (sources._code_hash, sources._file_of, sources._parsed):
            function.cache_clear()
        root = tmp_path / "animals"
        place = root / folder
        place.mkdir(parents=True, exist_ok=True)
        for path in {root, place}:
            (path / "__init__.py").write_text("")
        (root / "helper.py").write_text(helper)
        (place / "beast.py").write_text(plugin)
        importlib.invalidate_caches()
        module = ".".join(filter(None, ("animals", folder, "beast")))
        return importlib.import_module(module).Beast

    return write


def test_comments_docstrings_and_layout_do_not_count(package):
    before = sources.code_hash(package())
    edited = PLUGIN.replace("# a comment", "# another one").replace("It draws its weights.", "Otherwise said.")
    edited = edited.replace("self.size))", "\n            self.size\n        ))")
    assert sources.code_hash(package(edited)) == before


def test_an_equation_counts_in_the_module_and_in_what_it_is_built_on(package):
    before = sources.code_hash(package())
    assert sources.code_hash(package(PLUGIN.replace("standard_normal", "standard_exponential"))) != before
    assert sources.code_hash(package(helper=HELPER.replace("2 * x", "3 * x"))) != before
    assert sources.code_hash(package(helper=HELPER.replace("Twice x.", "Doubles."))) == before


def test_lazy_imports_count_and_those_for_the_type_checker_do_not(package):
    lazy = PLUGIN.replace("from animals.helper import double\n", "").replace(
        "        # a comment", "        from animals.helper import double"
    )
    before = sources.code_hash(package(lazy))
    assert sources.code_hash(package(lazy, helper=HELPER.replace("2 * x", "3 * x"))) != before
    typed = (
        PLUGIN.replace("from animals.helper import double\n", "")
        .replace("double(", "abs(")
        .replace(
            "@dataclass",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from animals.helper import double\n\n@dataclass",
        )
    )
    before = sources.code_hash(package(typed))
    assert sources.code_hash(package(typed, helper=HELPER.replace("2 * x", "3 * x"))) == before


def test_a_circuit_that_moves_and_gets_a_field_draws_the_same_subjects_and_keeps_its_code_hash(package):
    here = package()
    code, drawn = sources.code_hash(here), here().subject(stream(7, "subject", "beast", 0))
    moved = package(folder="large")
    assert moved.__module__ == "animals.large.beast"
    assert sources.code_hash(moved) == code
    np.testing.assert_array_equal(moved().subject(stream(7, "subject", moved.name, 0)), drawn)
    grown = package(PLUGIN.replace("# neurons", "# neurons\n    weight: float = 1.0"), folder="large")
    np.testing.assert_array_equal(grown().subject(stream(7, "subject", grown.name, 0)), drawn)


def test_a_built_in_circuits_code_is_its_module_and_the_engine_that_it_runs_on():
    from circuits.networks.balanced_ei import BalancedEI

    found = {
        path.stem
        for path in sources._built_on(BalancedEI.__module__, Path(sys.modules[BalancedEI.__module__].__file__))
    }
    assert {"balanced_ei", "spiking", "spiking_network", "lif_theory", "truths", "building"} <= found
    assert not {"ring_attractor", "ledger", "loop", "coupling_glm"} & found


def test_two_methods_of_one_helper_have_codes_of_their_own():
    from methods.wiring.coupling_glm import CouplingGLM
    from methods.wiring.spike_count_correlation import SpikeCountCorrelation

    assert sources.code_hash(CouplingGLM) != sources.code_hash(SpikeCountCorrelation)


def test_the_libraries_that_compute_are_named_with_their_versions():
    class Wrapper:
        library = "oasis-deconv, gudhi"

    found = sources.libraries(Wrapper())
    assert {"numpy", "scipy", "brian2", "jax", "oasis-deconv", "gudhi"} <= set(found)
    assert found["numpy"] == np.__version__


NOTEBOOK = """
class Method:
    name = "method"
    def analyse(self, recording, rng):
        return [helper(t) for t in recording] if threshold > 0 else None
def helper(x): return deeper(x)
def deeper(x): return x + 1
threshold = 0.5
unrelated = 3
"""


def test_an_edit_of_what_a_notebook_s_method_calls_is_seen_in_the_same_session(monkeypatch):
    notebook = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", notebook)
    exec(NOTEBOOK, vars(notebook))
    before = sources.code_hash(notebook.Method)
    exec("unrelated = 4\ndef stranger(x): return x", vars(notebook))
    assert sources.code_hash(notebook.Method) == before
    seen = {before}
    for edit in ("threshold = 0.7", "def deeper(x): return x + 2", "def helper(x): return x"):
        exec(edit, vars(notebook))
        seen.add(sources.code_hash(notebook.Method))
    assert len(seen) == 4
