"""What sets of areas achieve in sessions: the other route to the table that a subject of parts states."""

from __future__ import annotations

import numpy as np
import xarray as xr

from simlab.coalitions import members
from simlab.instruments.stimulating.ideal import Ideal
from simlab.session import Effect, Perturbation, Session
from simlab.streams import stream

DURATION = 0.3  # s: 60 ticks, of which the last 24 count; a dozen stages settle before


def by_patterns(subject, sets: int, repeats: int) -> tuple[Session, np.ndarray]:
    """A session in which every set meets every pattern so often, and the set (trial,) of each trial."""
    n_patterns = len(subject.layout.patterns)
    mine = np.repeat(np.arange(sets), n_patterns * repeats)
    conditions = np.tile(np.arange(n_patterns), sets * repeats)
    return Session(len(mine), DURATION, conditions=tuple(conditions.tolist())), mine


def silencing(subject, silenced: np.ndarray, mine: np.ndarray, how: str) -> list[Effect]:
    """Effects that silence sets (set, area) on their trials: `hold` at 0, or `silence` through the ideal stimulator."""
    n = subject.layout.n_seen
    key = xr.DataArray(np.eye(n), dims=("unit", "neuron"))
    actuator = Ideal().install(subject.anatomy, key, stream(0, "actuator"))
    effects: list[Effect] = []
    for number in np.flatnonzero(silenced.any(axis=1)):
        trials = tuple(np.flatnonzero(mine == number).tolist())
        targets = tuple(np.flatnonzero(silenced[number]).tolist())
        if how == "hold":
            effects.append(Effect("hold", np.where(silenced[number], 0.0, np.nan), 0.0, DURATION, trials))
        else:
            effects += actuator.aim(Perturbation(how, targets, 1.0, 0.0, DURATION, trials))
    return effects


def measured(subject, repeats: int = 1, how: str = "hold", sets: np.ndarray | None = None) -> np.ndarray:
    """(set,) mean outcomes of one session with these sets of areas intact (set, area), all by default: acute."""
    sets = members(subject.layout.n_seen) if sets is None else sets
    session, mine = by_patterns(subject, len(sets), repeats)
    outcome = subject.run(session.perturbed(*silencing(subject, ~sets, mine, how)), stream(1, "run"))["outcome"]
    return np.array([outcome.values[mine == number].mean() for number in range(len(sets))])


def measured_after_loss(subject, repeats: int = 1, how: str = "lesion", sets: np.ndarray | None = None) -> np.ndarray:
    """(set,) as `measured`, each set in a session of its own in which all the others are gone for good: chronic."""
    sets = members(subject.layout.n_seen) if sets is None else sets
    return np.array([_after_loss(subject, repeats, how, one) for one in sets])


def _after_loss(subject, repeats: int, how: str, intact: np.ndarray) -> float:
    session, mine = by_patterns(subject, 1, repeats)
    if not intact.all():
        effects = silencing(subject, ~intact[None], mine, "hold")
        if how == "lesion":
            key = xr.DataArray(np.eye(len(intact)), dims=("unit", "neuron"))
            lesion = Perturbation("lesion", tuple(np.flatnonzero(~intact).tolist()), 1.0, 0.0, DURATION)
            effects = list(Ideal().install(subject.anatomy, key, stream(0)).aim(lesion))
        session = session.perturbed(*effects)
    return float(subject.run(session, stream(1, "run"))["outcome"].mean())


def largest_z(measured: np.ndarray, stated: np.ndarray, trials: int) -> float:
    """The largest deviation in standard errors of a mean of so many trials; infinite where a certain outcome fails."""
    error = np.sqrt(stated * (1 - stated) / trials)
    off = np.abs(measured - stated)
    certain = error < 1e-6
    return float("inf") if (off[certain] > 1e-9).any() else float((off[~certain] / error[~certain]).max(initial=0.0))
