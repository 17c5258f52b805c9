"""Recordings with candidate models beside them, of which it is known which is right: small, and without a lab."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from simlab.data import recording

STEP = 0.05
Features = Mapping[str, np.ndarray]  # name -> (individual, trial, bin, unit), or (trial, bin, unit)


def spiking(counts: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns of spikes: so many (trial, bin, unit), each at random within its bin."""
    trial, place, unit = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
    # each in a slot of its own, as a unit fires once in a tick at most
    return trial, (place + rng.uniform(0.01, 0.99, len(place))) * STEP, unit


def beside(
    models: Features,
    *,
    counts: np.ndarray | None = None,
    signal: np.ndarray | None = None,
    stimulus: np.ndarray | None = None,
    condition: np.ndarray | None = None,
    blind: bool = True,
    seed: int = 0,
) -> xr.Dataset:
    """Counts or a signal (trial, bin, unit), the models' rates, and a candidate `blind` that did not see it."""
    n_trials, n_bins, n_units = (counts if counts is not None else signal).shape
    names = tuple(sorted([*models, *(["blind"] if blind else [])]))
    blocks, owners = [], []
    for name, block in models.items():
        for number, one in enumerate(block if block.ndim == 4 else block[None]):
            blocks.append(one)
            owners += [(names.index(name), number)] * one.shape[2]
    whose, which = np.array(owners).T
    held = {} if signal is None else {"signal": signal, "modality": "rate", "sample_time": np.arange(n_bins) * STEP}
    if counts is not None:
        held["spikes"] = spiking(counts, np.random.default_rng(seed))
    if stimulus is not None:
        held |= {"stimulus": stimulus, "time": np.arange(n_bins) * STEP}
    made = recording(
        duration=n_bins * STEP, n_units=n_units, n_trials=n_trials, condition=condition,
        model_response=np.concatenate(blocks, axis=2).astype(np.float32), model_time=np.arange(n_bins) * STEP,
        model=whose, model_individual=which, **held,
    )  # fmt: skip
    return made.assign_attrs(brief={"candidates": names})


def filters(n: int, n_features: int, rng: np.random.Generator) -> np.ndarray:
    """(unit, feature), of unit length."""
    found = rng.standard_normal((n, n_features))
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def half_squares(shown: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(.., unit) of mean 1."""
    return 2 * np.maximum(shown @ weights.T, 0) ** 2


def energies(shown: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(.., unit) of mean 1; each of two filters of the weights (2 unit, feature)."""
    first, second = np.split(weights, 2)
    return ((shown @ first.T) ** 2 + (shown @ second.T) ** 2) / 2


def seeing(
    kind: str = "half_squares",
    *,
    n_units: int = 12,
    n_model: int = 30,
    trials: int = 10,
    bins: int = 60,
    repeats: int = 1,
    features: int = 5,
    rate: float = 20.0,
    individuals: int = 1,
    seed: int = 0,
    **more: np.ndarray,
) -> xr.Dataset:
    """Cells of one kind that look at white features, between candidates of either kind: other cells, drawn alike.

    repeats: of each trial's frames.
    """
    rng = np.random.default_rng(seed)
    shown = np.repeat(rng.standard_normal((trials // repeats, bins, features)), repeats, axis=0)
    makes = {
        "half_squares": lambda n: half_squares(shown, filters(n, features, rng)),
        "energies": lambda n: energies(shown, filters(2 * n, features, rng)),
    }
    rates = rate * (0.1 + 0.9 * makes[kind](n_units))
    models = {
        name: rate * (0.1 + 0.9 * np.stack([make(n_model) for _ in range(individuals)])) for name, make in makes.items()
    }
    return beside(models | more, counts=rng.poisson(rates * STEP), stimulus=shown, seed=seed)


def turning(frequency: float, trials: int, bins: int, n_units: int, rng: np.random.Generator) -> np.ndarray:
    """(trial, bin, unit): units that read a state which turns at so many Hz and forgets within half a second."""
    angle, keeps = 2 * np.pi * frequency * STEP, np.exp(-STEP / 0.5)
    turn = keeps * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    state, states = rng.standard_normal((trials, 2)), []
    for _ in range(bins):
        state = state @ turn.T + np.sqrt(1 - keeps**2) * rng.standard_normal(state.shape)
        states.append(state)
    return np.maximum(1 + 0.5 * np.stack(states, axis=1) @ filters(n_units, 2, rng).T, 0)
