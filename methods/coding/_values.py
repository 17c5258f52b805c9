"""What the candidate variables were in each trial: read from a recording, or worked out from what the animal did."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Needs
from simlab.data import missing, signals

NONE = "none"
"""What a unit is called that codes none of the variables."""

SIDES = ("left value", "right value")
"""Variables that nobody records: they are estimated from choices and rewards."""

ALPHAS = np.linspace(0.02, 0.6, 30)
BETAS = np.linspace(0.25, 10.0, 40)
"""Learning rates and inverse temperatures among which the likeliest are looked for."""

START = 0.5
"""The value of a lever about which nothing is known."""


class Learner(NamedTuple):
    """A Q-learner's learning rate and inverse temperature."""

    alpha: float
    beta: float


class Seen(NamedTuple):
    """Counts and variables of a session's trials."""

    counts: np.ndarray  # (trial, unit)
    names: tuple[str, ...]
    variables: np.ndarray  # (trial, variable)
    known: dict[str, np.ndarray]  # name -> (trial,) all that was recorded of each trial
    learner: Learner | None  # who makes the choices likeliest, where values were asked for


def seen(recording: xr.Dataset, needs: Needs) -> Seen | Finding:
    """Summed activity of each trial and the brief's variables; an abstention where one of them is not to be had."""
    if reason := missing(recording, needs):
        return Finding.abstain(reason)
    names = tuple(name for name in recording.attrs.get("brief", {}).get("variables", ()) if name != NONE)
    if not names:
        return Finding.abstain("the brief names no variable that a unit could code")
    known, learner = _known(recording), None
    there = dict(known)
    if {"choice", "reward"} <= set(known) and any(name in SIDES for name in names):
        choice = known["choice"].astype(int)
        learner = fitted(choice, known["reward"])
        there |= dict(zip(SIDES, course(choice, known["reward"], learner.alpha).T, strict=True))
    if lacking := [name for name in names if name not in there]:
        return Finding.abstain(f"{', '.join(lacking)} can be neither read from this recording nor worked out")
    variables = np.column_stack([there[name] for name in names])
    if not np.isfinite(variables).all():
        return Finding.abstain("a variable is missing in some trials")
    length = float(recording.attrs["duration"])
    counts = signals(recording, length).values.sum(axis=1)
    return Seen(counts.astype(float), names, variables, known, learner)


def _known(recording: xr.Dataset) -> dict[str, np.ndarray]:
    """name -> (trial,): behaviour and stimulus, each trial's mean."""
    known: dict[str, np.ndarray] = {}
    for variable, dim in (("behaviour", "factor"), ("stimulus", "feature")):
        if variable in recording and dim in recording.coords:
            for name in recording[dim].values:
                known[str(name)] = recording[variable].sel({dim: name}).mean("time").values
    return known


def course(choice: np.ndarray, reward: np.ndarray, alpha: float | np.ndarray) -> np.ndarray:
    """(trial, 2): values of both levers when each trial began; with alpha (learner,) (trial, 2, learner), of all."""
    rate = np.asarray(alpha, dtype=float)
    value, q = np.empty((len(choice), 2, *rate.shape)), np.full((2, *rate.shape), START)
    for t, (lever, won) in enumerate(zip(choice, reward, strict=True)):
        value[t] = q
        q[lever] += rate * (won - q[lever])
    return value


def fitted(choice: np.ndarray, reward: np.ndarray) -> Learner:
    """The Q-learner of `ALPHAS` and `BETAS` that makes these choices likeliest."""
    value = course(choice, reward, ALPHAS)
    ahead = np.where(choice[:, None] == 0, value[:, 0] - value[:, 1], value[:, 1] - value[:, 0])
    likelihood = -np.logaddexp(0.0, -BETAS * ahead[..., None]).sum(axis=0)
    a, b = np.unravel_index(int(likelihood.argmax()), likelihood.shape)
    return Learner(float(ALPHAS[a]), float(BETAS[b]))
