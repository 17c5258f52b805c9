"""The source of a network's kernel: one function that takes one trial from a step to another.

A step is Brian2's: records and inputs; couplings and state updates; thresholds; arriving spikes; resets.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simlab.simulators.brian.module import generating
from simlab.simulators.brian.objects import Objects
from simlab.simulators.kernel.arguments import Arguments
from simlab.simulators.kernel.build import Build, block, function, together
from simlab.simulators.kernel.inputs import noise, rows
from simlab.simulators.kernel.links import arrivals, coupling
from simlab.simulators.kernel.neurons import records, reset, threshold, update
from simlab.simulators.spiking_network import Coupling, words
from simlab.simulators.spiking_plan import InexpressibleError, Plan

HEADER = '''"""Made by simlab from the equations of a spiking network; it may be deleted at any time."""

import math

from numba import njit

from simlab.simulators.kernel.functions import clip, exprel, one_normal, one_uniform, sign, timestep
from simlab.simulators.normals import fill_normals, fill_uniforms
'''


def source(plan: Plan) -> str:
    """The text of a module: the kernel of a network and what it takes, or the reason why it has none.

    Raises SimlabError where not even Brian2 can run the equations.
    """
    with generating("numpy"):
        objects = Objects(plan, 1, [1] * len(plan.network.populations))
        build = Build(plan, objects)
        declared = [_declared(group) for group in objects.groups]
        try:
            advance, (prepare, prepared) = _advance(build), _prepare(build)
        except InexpressibleError as reason:
            return unkernelled(str(reason))
    tables = {"REASON": "", "DECLARED": declared, "ARGUMENTS": build.use.listed(), "PREPARED": prepared}
    return "\n\n".join([HEADER + together(*(f"{k} = {v!r}" for k, v in tables.items())), advance, prepare]) + "\n"


def unkernelled(reason: str) -> str:
    """The text of a module for a network that has no kernel."""
    return f'"""Made by simlab; it may be deleted at any time."""\n\nREASON = {reason!r}\n'


def _advance(build: Build) -> str:
    for always in ("first", "stop", "dt", "burn_in"):
        build.use(always)
    of_links = range(len(build.objects.links))
    graded = [isinstance(link.of, Coupling) for link in build.objects.links]
    every = range(len(build.objects.groups))
    record, given = records(build), rows(build)
    coupled = [coupling(build, i) for i in of_links if graded[i]]
    stepped = [*(update(build, p) for p in every), *(threshold(build, p) for p in every)]
    arrived = [arrivals(build, i) for i in of_links if not graded[i]]
    after = [reset(build, p) for p in every]
    steps = block(
        "for step in range(first, stop):",
        "t = step * dt",
        *(given, noise(build), record),  # numbers that the equations draw are known only now
        *(*coupled, *stepped, *arrived, *after),
    )
    return function("advance", build.use, "n_spikes = 0", steps, "return n_spikes")


def _prepare(build: Build) -> tuple[str, list[tuple[str, int, str]]]:
    """The function that computes, once per network, what never changes; and its arguments."""
    use, loops = Arguments(), []
    use("dt")
    for p, hoisted in enumerate(build.hoisted):
        lines = [f"{name}[_i] = {code}" for code, name in hoisted.items()]
        use.like(argument for argument in build.use.used if argument.code in words(" ".join(lines)))
        if lines:
            loops.append(block(f"for _i in range({use('size', p)}):", *lines))
    return function("prepare", use, *loops, "return 0"), use.listed()


def _declared(group: Any) -> dict[str, str]:
    """name -> `shared`, `constant` or `state` of each variable of a group that may be given a value."""
    kinds = {}
    for name, variable in group.variables.items():
        if (
            name != "lastspike"
            and type(variable).__name__ == "ArrayVariable"
            and variable.owner.name == group.name
            and variable.dtype == np.float64
        ):
            kinds[name] = "shared" if variable.scalar else ("constant" if variable.constant else "state")
    return kinds
