"""Whose methods are sealed by default: every one that is not the house's own, with all its parts."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import ModuleType

import pytest

from methods.pipelines.deconvolution import Deconvolution
from methods.pipelines.pipeline import Pipeline
from methods.wiring.coupling_glm import CouplingGLM
from simlab import registry
from simlab.execution.trust import built_in, sealed


class PlainStep:
    """A user's step that is no dataclass."""

    name, library = "plain_step", "own"

    def apply(self, recording, rng):
        return recording

    def before(self, needs):
        return needs


@dataclass(frozen=True)
class Mine(CouplingGLM):
    """A user's change of a method of the house."""


def test_all_of_the_house_s_methods_with_their_parts_are_built_in():
    for name in registry.names("methods"):
        assert built_in(registry.create("methods", name)), name


@pytest.mark.parametrize(
    "method",
    [
        Mine(),
        Pipeline(steps=(Deconvolution(), PlainStep())),
        Pipeline(steps=(), method=Mine()),
        Pipeline(steps=(), method=Pipeline(steps=(), method=Mine())),
    ],
)
def test_a_user_s_part_makes_a_method_the_user_s(method):
    assert sealed(method, None, elsewhere=False)
    assert not sealed(method, False, elsewhere=False)


def test_a_user_s_own_package_of_the_house_s_name_is_not_the_house(monkeypatch, tmp_path):
    """`methods` is what many projects call the folder of their methods."""
    module = ModuleType("methods.mine")
    module.__file__ = str(tmp_path / "methods" / "mine.py")
    exec("class Method: pass", vars(module))
    monkeypatch.setitem(sys.modules, "methods.mine", module)
    assert sealed(module.Method(), None, elsewhere=False)


def test_a_class_that_only_says_that_it_is_the_house_s_is_not():
    said = type("CouplingGLM", (), {"__module__": CouplingGLM.__module__})
    assert not built_in(said())


def test_a_method_with_a_function_put_in_its_place_is_not_the_house_s():
    method = CouplingGLM()
    object.__setattr__(method, "analyse", lambda recording, rng: None)
    assert not built_in(method)
