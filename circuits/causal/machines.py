"""Subjects that are machines: sessions of programs, activity of gates, and which module is for what."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Protocol

import numba
import numpy as np
import xarray as xr

from circuits.causal import floor_plan
from circuits.causal.instructions import BEHAVIOURS, Program
from circuits.causal.lesions import Lesions, Outcomes, functions, modules_of, region_lesions, unit_lesions
from circuits.causal.operands import drawn_session, operands_of, programs_of
from circuits.causal.running import Machine, Task, expected, given_to, lesion_outcomes, share_right, shown
from simlab import truths
from simlab.data import activity
from simlab.rules import require
from simlab.session import Session
from simlab.simulators.clocked import ClockedNetwork, onsets, run

SCREENED, SCREENED_OTHERS = 8, 4
"""Pairs of operands that a lesion is tried on, under the behaviours and under other programs."""

TURNS = 75
"""Turns of the clock for which each program runs then: 19 to 25 words of the behaviours."""

OPERANDS_SEED = 2


class MachineCircuit(Protocol):
    """A circuit whose subjects are machines; frozen, so that what is known of it is computed once."""

    name: ClassVar[str]

    def __hash__(self) -> int: ...
    @property
    def machine(self) -> Machine: ...
    @property
    def programs(self) -> tuple[Program, ...]: ...
    @property
    def tick(self) -> float: ...
    @property
    def temperature(self) -> float: ...


@dataclass(frozen=True, eq=False)
class MachineSubject:
    """One individual: its network, and an anatomy in which each module is a region."""

    circuit: MachineCircuit
    network: ClockedNetwork
    anatomy: xr.Dataset

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """The three behaviours equally often, in random order, each trial with random operands."""
        return drawn_session(trials, duration, len(BEHAVIOURS), self.circuit.machine.width, rng)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with spikes, `behaviour` and `outcome`."""
        machine, tick = self.circuit.machine, self.network.tick
        turn = machine.period * tick
        require(
            session.duration >= turn, f"a trial must last a turn of the clock, {turn:g} s, got {session.duration} s"
        )
        task = self._task(session, rng)
        start = machine.start(task.memory, task.accumulator)
        states = run(self.network, given_to(machine, task), session, int(rng.integers(2**63)), start=start)
        trial, when, unit = onsets(states, start[:, None])
        lines = states[:, :, machine.lines]
        sampled = np.arange(machine.period - 1, states.shape[1], machine.period)
        right = share_right(shown(lines), expected(machine, task, states.shape[1]))
        return activity(
            session, machine.net.n_units, spikes=(trial, when * tick, unit), time=sampled * tick,
            behaviour=lines[:, sampled].astype(float), outcome=right,
        ).assign_attrs(engine=f"numpy {np.__version__}, numba {numba.__version__} (clocked)")  # fmt: skip

    def _task(self, session: Session, rng: np.random.Generator) -> Task:
        programs, machine = self.circuit.programs, self.circuit.machine
        top = 2**machine.width
        left_over = rng.integers(top, size=(session.trials, machine.memory_words + 1))
        number, words = programs_of(session, len(programs)), operands_of(session, top)
        return Task(programs, number, words, left_over[:, 1:], left_over[:, 0])

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity`: weights between different gates; `localisation`, `assemblies`: the modules, and what for."""
        answers = {"connectivity": self._wiring, "localisation": self._localisation, "assemblies": self._modules}
        return truths.among(self.circuit.name, question, answers)

    def _localisation(self) -> xr.Dataset:
        """`function` and `area` of each gate's module."""
        found, area = localisation(self.circuit), self._areas()
        named = truths.per_neuron(function=found["function"].values[area], area=area)
        return named.assign(n_behaviours=len(BEHAVIOURS))

    def _modules(self) -> xr.Dataset:
        return truths.per_neuron(group=self._areas())

    def _areas(self) -> np.ndarray:
        """(gate,) the place of its module among those of `localisation`."""
        return modules_of(self.circuit.machine.net.modules)[1].argmax(axis=0)

    def _wiring(self) -> xr.Dataset:
        weights = self.network.matrix()
        np.fill_diagonal(weights, 0.0)  # latches excite themselves, which nobody is asked about
        return truths.wiring(weights, "1")


def drawn(circuit: MachineCircuit, rng: np.random.Generator) -> MachineSubject:
    """One machine. All have the same gates; modules lie in other places."""
    net = circuit.machine.net
    network = net.network(circuit.tick, circuit.temperature)
    wires = (network.matrix() != 0).astype(int)
    np.fill_diagonal(wires, 0)
    return MachineSubject(circuit, network, floor_plan.placed(net.modules, wires, rng))


def lesions(circuit: MachineCircuit, programs: tuple[Program, ...] = BEHAVIOURS, *, pairs: int = SCREENED) -> Lesions:
    """Every single unit, silenced under every program: mean outcomes (unit, program) over so many pairs of operands."""
    return unit_lesions(circuit.machine.net.names, _screen(circuit, programs, pairs))


def module_lesions(
    circuit: MachineCircuit, programs: tuple[Program, ...] = BEHAVIOURS, *, pairs: int = SCREENED
) -> Lesions:
    """Every module as a whole, likewise."""
    return region_lesions(circuit.machine.net.modules, _screen(circuit, programs, pairs))


def _screen(circuit: MachineCircuit, programs: tuple[Program, ...], pairs: int) -> Outcomes:
    machine = circuit.machine
    operands = np.random.default_rng(OPERANDS_SEED).integers(2**machine.width, size=(pairs, 2))
    network = machine.net.network(circuit.tick)
    return lesion_outcomes(machine, network, programs, operands, TURNS * machine.period)


@lru_cache(maxsize=32)
def localisation(circuit: MachineCircuit) -> xr.Dataset:
    """Which module is for what: by lesions of modules under the three behaviours and under all other programs."""
    others = circuit.programs[len(BEHAVIOURS) :]
    served = module_lesions(circuit, others, pairs=SCREENED_OTHERS) if others else None
    return functions(module_lesions(circuit), served)
