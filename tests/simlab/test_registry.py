"""Names: unknown and duplicate ones are errors that list what is there; listing imports nothing."""

from __future__ import annotations

import subprocess
import sys
import types
from dataclasses import dataclass

import pytest
from toys import LagCorrelation, ToyChain

from simlab import registry
from simlab.contracts import SimlabError
from simlab.registry import RegistryError


@dataclass(frozen=True)
class Unchecked(LagCorrelation):
    """A plug-in that checks its parameters in its own words."""

    def __post_init__(self):
        raise ValueError("no")


@pytest.mark.parametrize("kind", [*registry.KINDS, "questions"])
def test_everything_listed_can_be_loaded_and_carries_its_name(kind):
    for name in registry.names(kind):
        assert registry.name_of(registry.get(kind, name)) == name


def test_an_unknown_name_lists_what_exists():
    with pytest.raises(
        RegistryError,
        match=r"named 'nonesuch'; there are: action_value, .*; to use one of your own by name, `simlab.reg",
    ):
        registry.get("circuits", "nonesuch")
    with pytest.raises(RegistryError, match=r"questions: assemblies, branching_ratio, cell_type"):
        registry.find("nonesuch")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("balanced_e", "(did you mean balanced_ei?)"), ("Balanced-EI", "(did you mean balanced_ei?)"),
        ("coupledrates", "(did you mean coupled_rates?)"), ("nonesuch", "'nonesuch'; there are"), ("", "''; there are"),
    ],
)  # fmt: skip
def test_a_name_that_is_nearly_right_is_offered(name, hint):
    for look in (lambda: registry.get("circuits", name), lambda: registry.find(name)):
        with pytest.raises(RegistryError) as refused:
            look()
        assert hint in str(refused.value)


def test_what_a_plug_in_raises_when_it_is_made_is_a_clear_error():
    with pytest.raises(
        RegistryError, match=r"lag_correlation cannot be made with width=1: ValueError: no; `simlab show"
    ):
        registry.made(Unchecked, {"width": 1})


def test_an_unknown_parameter_lists_those_that_exist():
    with pytest.raises(RegistryError, match=r"no parameter units \(did you mean n_units\?\); it takes: n_units"):
        registry.create("instruments", "subsample", units=3)


def test_what_a_notebook_registers_is_found_by_name():
    registry.register(LagCorrelation)
    assert "lag_correlation" in registry.names("methods")
    assert registry.create("methods", "lag_correlation", width=0.002).width == 0.002


def test_registering_a_taken_name_is_refused_unless_replaced():
    registry.register(ToyChain)
    with pytest.raises(RegistryError, match="already a circuit named 'toy_chain'"):
        registry.register(ToyChain)
    assert registry.register(ToyChain, replace=True) is ToyChain


def test_what_is_no_plug_in_is_refused():
    with pytest.raises(SimlabError, match="is no plug-in"):
        registry.register(object())


@pytest.mark.parametrize("package", registry.BUILT_IN_PACKAGES)
def test_a_foreign_package_of_the_same_name_is_named(package, monkeypatch):
    foreign = types.ModuleType(package)
    foreign.__file__ = "/somewhere/else/__init__.py"
    monkeypatch.setitem(sys.modules, package, foreign)
    with pytest.raises(RegistryError, match=r"shadowed by a foreign one at /somewhere/else"):
        registry.get(package, registry.names(package)[0])


def test_listing_imports_nothing_heavy():
    code = (
        "import sys; from simlab.cli import main; from simlab.registry import names\n"
        "for kind in ('circuits', 'instruments', 'methods', 'experiments', 'questions'): names(kind)\n"
        "print([m for m in ('numpy', 'xarray', 'pandas', 'brian2', 'jax', 'matplotlib') if m in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
