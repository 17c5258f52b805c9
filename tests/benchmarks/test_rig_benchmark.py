"""What a session costs at the rig beyond its simulation, as a ratio. Run with `pytest -m benchmark -s`."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from circuits.causal.decision_pools import DecisionPools
from circuits.causal.microprocessor import Microprocessor
from methods.intervention.silencing_screen import SilencingScreen
from simlab.experiment import Cell, Plan
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal
from simlab.lab.analysing import _setup
from simlab.lab.laboratory import Lab, Stopwatch
from simlab.lab.memory import forget
from simlab.lab.rig import mounted
from simlab.lab.row import Settings
from simlab.session import Perturbation

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]

TRIALS, SESSIONS = 100, 8
"""As many trials as a screen of lesions gives an area, and sessions of them; the first, which compiles, is left out."""


@dataclass
class Timed:
    """Processor time [s] of each call of something."""

    spent: list[float] = field(default_factory=list)

    def around(self, work: Any) -> Any:
        def timed(*args: Any, **named: Any) -> Any:
            start = time.process_time()
            try:
                return work(*args, **named)
            finally:
                self.spent.append(time.process_time() - start)

        return timed

    @property
    def total(self) -> float:
        """Without the first."""
        return sum(self.spent[1:])


def sessions(rig: Any, at_rig: Timed, duration: float) -> None:
    """What a screen of lesions does: sessions with two units silenced in half of the trials."""
    half = tuple(range(0, TRIALS, 2))
    for k in range(SESSIONS):
        session = rig.session(trials=TRIALS, duration=duration)
        lesion = Perturbation("silence", (k, k + 1), 1.0, 0.0, duration, half)
        at_rig.around(rig.record)(session.perturbed(lesion))


@pytest.mark.parametrize(
    ("circuit", "duration"), [(DecisionPools(), 1.0), (Microprocessor(), 1.2)], ids=["decision_pools", "microprocessor"]
)
@pytest.mark.parametrize("archived", [False, True], ids=["without an archive", "with an archive"])
def test_a_session_at_the_rig(
    circuit: Any, duration: float, archived: bool, monkeypatch: Any, capsys: Any, tmp_path: Path
) -> None:
    forget()
    at_rig, run, record = Timed(), Timed(), Timed()
    settings = Settings(0, str(tmp_path / "archive") if archived else None, 3600.0, 2**34)
    plan = Plan(TRIALS * SESSIONS, duration)
    lab = Lab(Cell(circuit, 0, plan, Perfect(), SilencingScreen(), stimulator=Ideal()), settings)
    kinds = type(lab.subject()), type(lab.placed())
    monkeypatch.setattr(kinds[0], "run", run.around(kinds[0].run))
    monkeypatch.setattr(kinds[1], "record", record.around(kinds[1].record))
    known = lab.implant().known(lab.subject().anatomy)
    with mounted(_setup(lab, Stopwatch(), []), known, lab.cell.budget, {}) as rig:
        sessions(rig, at_rig, duration)
    assert len(at_rig.spent) == len(run.spent) == len(record.spent) == SESSIONS
    beyond = at_rig.total - run.total - record.total
    with capsys.disabled():
        print(f"\n{circuit.name}, {TRIALS} trials of {duration:g} s, {'with' if archived else 'without'} an archive: ")
        print(f"  a simulation {1e3 * run.total / (SESSIONS - 1):.0f} ms; of it, ", end="")
        print(f"the rig {100 * beyond / run.total:.2f}% (goal <= 3%), ", end="")
        print(f"the instrument {100 * record.total / run.total:.2f}%")
