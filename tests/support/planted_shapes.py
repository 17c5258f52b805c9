"""Recordings whose shape of states is planted: units with grid fields, place fields or a preferred angle, or none."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import xarray as xr

from circuits.space.foraging import foraging_session
from circuits.space.grid_sheet import hexagon, phase_of
from circuits.space.trajectory import STEP, Walk
from simlab.data import recording
from simlab.session import Session

TRIALS, DURATION, PEAK, SPACING = 10, 30.0, 15.0, 0.5


@cache
def foraging(asleep: float = 0.0, seed: int = 0) -> Session:
    """Five minutes in a box of 1 m."""
    return foraging_session(Walk(), asleep, TRIALS, DURATION, np.random.default_rng(seed))


def grid_rates(place: np.ndarray, n_units: int, rng: np.random.Generator) -> np.ndarray:
    """Rates (..., unit) [Hz] of one module of grid cells at places (..., 2) [m]; its mean rate where these are NaN."""
    phase = phase_of(place, SPACING, 0.3)[..., None, :] - rng.uniform(0, 1, (n_units, 2))
    fields = PEAK * np.exp(3 * (hexagon(phase) - 1))
    return np.where(np.isnan(fields), PEAK * 0.15, fields)


def place_rates(place: np.ndarray, n_units: int, rng: np.random.Generator) -> np.ndarray:
    """The same of place cells with one field each."""
    apart = np.square(place[..., None, :] - rng.uniform(0, 1, (n_units, 2))).sum(axis=-1)
    return PEAK * np.exp(-apart / (2 * 0.15**2))


def angle_rates(n_units: int, rng: np.random.Generator) -> np.ndarray:
    """Rates (trial, step, unit) [Hz] of head-direction cells while the head turns at random."""
    steps = round(DURATION / STEP)
    angle = np.cumsum(rng.normal(0, 0.1, (TRIALS, steps)), axis=1) + rng.uniform(0, 6.28, (TRIALS, 1))
    return PEAK * np.exp(3 * (np.cos(angle[..., None] - np.linspace(0, 2 * np.pi, n_units, endpoint=False)) - 1))


def recorded(
    rates: np.ndarray, rng: np.random.Generator, session: Session | None = None, brief: Mapping[str, Any] | None = None
) -> xr.Dataset:
    """Poisson spikes at rates (trial, step, unit) [Hz] of steps of `STEP`, with a session's places and conditions."""
    counts = rng.poisson(rates * STEP)
    trial, step, unit = (np.repeat(index, counts[counts > 0]) for index in np.nonzero(counts))
    when = (step + rng.uniform(0, 1, len(step))) * STEP
    known: dict[str, Any] = {}
    if session is not None:
        known = {"stimulus": session.stimulus.values, "time": np.arange(rates.shape[1]) * STEP}
        known |= {} if session.conditions is None else {"condition": np.array(session.conditions)}
    found = recording(
        duration=rates.shape[1] * STEP, n_units=rates.shape[2], n_trials=len(rates), spikes=(trial, when, unit), **known
    )
    found = found if session is None else found.assign_coords(feature=["x", "y"])
    return found.assign_attrs(brief=dict(brief or {}))
