"""Members of a family of circuits: parameters drawn from a circuit's prior, kept where its activity is plausible."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from simlab.contracts import SimlabError
from simlab.naming import name_of
from simlab.regimes import departures
from simlab.rules import require

Rng = Callable[..., np.random.Generator]
"""The stream of a role (words and numbers) of one individual."""

DRAWS = 100
"""So many are tried; a prior of which fewer than one in a hundred is plausible is no prior of this circuit."""

TRIALS, DURATION = 4, 2.5
"""The session [s] by which a draw is judged."""


@dataclass(frozen=True)
class Member:
    """The circuit of one subject.

    drawn: the member of the family that it is, or that it imitates; None where parameters are given. rejected: how many
    draws before it were implausible, and for what `reasons`.
    """

    circuit: Any
    drawn: Any = None
    rejected: int = 0
    reasons: tuple[str, ...] = ()


def check_family(circuit: Any) -> None:
    """Raises SimlabError where a circuit has no prior to draw its parameters from."""
    require(
        callable(getattr(circuit, "prior", None)),
        f"{name_of(circuit)} has no prior(rng) to draw its parameters from: write one, or leave `drawn` False",
    )


def member(circuit: Any, rng: Rng) -> Member:
    """The first draw of parameters with which this individual's activity lies in the circuit's regime.

    rng(role, ...) makes the streams: the subject that is judged is the one that will be recorded. Raises SimlabError,
    with what was wrong, where none of `DRAWS` does.
    """
    check_family(circuit)
    reasons: list[str] = []
    for attempt in range(DRAWS):
        drawn = circuit.prior(rng("parameters", attempt))
        subject = drawn.subject(rng("subject"))
        outside = implausible(drawn, subject, rng("probe session", attempt), rng("probe", attempt))
        if not outside:
            return Member(drawn, drawn, attempt, tuple(reasons))
        reasons.append("; ".join(outside))
    raise SimlabError(
        f"of {DRAWS} draws from the prior of {name_of(circuit)} none stayed in its regime (the last: {reasons[-1]}): "
        "narrow the prior or mend the regime"
    )


def implausible(
    circuit: Any, subject: Any, session_rng: np.random.Generator, run_rng: np.random.Generator
) -> tuple[str, ...]:
    """What of a short session of the circuit's subject lies outside its regime; nothing is run where it states none."""
    regime = getattr(circuit, "regime", None)
    if regime is None:
        return ()
    session = subject.session(trials=TRIALS, duration=DURATION, rng=session_rng)
    return departures(subject.run(session, run_rng), regime)
