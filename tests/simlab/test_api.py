"""The names at the top of the package mean the same whatever was imported before."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import simlab


@pytest.mark.parametrize("name", simlab.__all__)
def test_every_public_name_is_what_it_says_even_after_its_module_was_imported(name):
    importlib.import_module(simlab._HOMES[name])
    found = getattr(simlab, name)
    assert callable(found)
    assert getattr(simlab, name) is found


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonesuch'"):
        _ = simlab.nonesuch


def test_importing_the_package_imports_nothing_heavy():
    code = "import simlab, sys; print([m for m in ('numpy', 'xarray', 'pandas', 'brian2', 'jax') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
