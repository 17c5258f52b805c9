"""The task of cells that map a place: trials of foraging, then, where the circuit says so, trials of sleep."""

from __future__ import annotations

import numpy as np

from circuits.space.trajectory import STEP, Walk, positions
from simlab.contracts import SimlabError
from simlab.session import Session, Stimulus

AWAKE, ASLEEP = 0, 1
"""Conditions of trials."""

FEATURES = ("x", "y")


def foraging_session(walk: Walk, asleep: float, trials: int, duration: float, rng: np.random.Generator) -> Session:
    """Trials of foraging, the position [m] shown every `STEP`, and after them the share `asleep` of sleep (NaN).

    With sleep, conditions say which trial is which.
    """
    steps = int(np.ceil(duration / STEP - 1e-9))
    place = positions(walk, trials, steps, rng)
    n_asleep = round(asleep * trials)
    place[trials - n_asleep :] = np.nan
    conditions = None if asleep == 0 else (AWAKE,) * (trials - n_asleep) + (ASLEEP,) * n_asleep
    return Session(trials, duration, Stimulus(FEATURES, place, STEP), conditions)


def places(session: Session) -> np.ndarray:
    """Where the animal is (trial, step, 2) [m] every `STEP` of the session; NaN while it sleeps.

    Raises SimlabError for another task than foraging.
    """
    steps, shown = int(np.ceil(session.duration / STEP - 1e-9)), session.stimulus
    if shown is None:
        return np.full((session.trials, steps, 2), np.nan)
    if shown.features != FEATURES:
        raise SimlabError(f"cells that map a place are shown 'x' and 'y' [m], got {shown.features}: give both")
    at = np.minimum((np.arange(steps) * STEP / shown.interval + 1e-9).astype(int), shown.values.shape[1] - 1)
    return shown.values[:, at]


def awake(place: np.ndarray) -> np.ndarray:
    """(trial,) bool: in which trials of positions (trial, step, 2) the animal is anywhere at all."""
    return np.isfinite(place).all(axis=(1, 2))
