"""Made-up answers beside made-up truths, for every drawing of the report."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import Picture
from simlab.report.pictures import Answer

PAIR = ("pre", "post")
MATRIX = Picture("matrix", answer="score", truth="weight", marked="decided", held_against="edge", left_out="ambiguous")
CONFUSION = Picture("confusion", answer="label", truth="label")
SCATTER = Picture("scatter", answer="number", truth="number")
FILTERS = Picture("filters", answer="filter", truth="filter")
TRACES = Picture("traces", answer="latent", truth="latent")
PARTITION = Picture("partition", answer="group", truth="kind")


def wiring(n_units: int, density: float = 0.15, noise: float = 0.5, seed: int = 0) -> Answer:
    """A graded and decided answer on signed wiring, some pairs of which are ambiguous."""
    rng = np.random.default_rng(seed)
    weight = (rng.random((n_units, n_units)) < density) * rng.gamma(4, 0.25, (n_units, n_units))
    weight[int(0.8 * n_units) :] *= -4
    np.fill_diagonal(weight, 0)
    score = (weight != 0) + noise * rng.standard_normal(weight.shape)
    np.fill_diagonal(score, 0)
    ambiguous = (rng.random(weight.shape) < 0.03) & (weight == 0)
    truth = xr.Dataset({"weight": (PAIR, weight), "edge": (PAIR, weight != 0), "ambiguous": (PAIR, ambiguous)})
    return Answer({"score": score, "decided": score > 0.8}, truth, "glm")


def labelled(pairs: list[tuple[str, str]], label: str = "glm", listed: tuple[str, ...] = ()) -> list[Answer]:
    """One answer for each (true, answered) label."""
    brief = {"brief": {"candidates": listed, "limit": 3}} if listed else {}
    return [Answer({"label": said}, xr.Dataset({"label": ((), true)}, attrs=brief), label) for true, said in pairs]


def numbered(true: Any, said: Any, label: str = "glm") -> list[Answer]:
    """One answer for each pair of numbers of a circuit."""
    return [Answer({"number": s}, xr.Dataset({"number": ((), t)}), label) for t, s in zip(true, said, strict=True)]


def per_unit(true: Any, said: Any, name: str, truth_name: str = "", units: str = "") -> Answer:
    """One answer over units."""
    truth = xr.Dataset({truth_name or name: ("unit", np.asarray(true), {"units": units})})
    return Answer({name: np.asarray(said)}, truth, "glm")


def filtered(n_units: int, n_lags: int = 20, n_features: int = 0, noise: float = 0.02, seed: int = 0) -> Answer:
    """Damped oscillations over lag [s] (and feature), answered twice as large and with noise that grows with unit."""
    rng = np.random.default_rng(seed)
    lag = np.arange(n_lags) * 0.01
    rows = [np.exp(-lag / 0.05) * np.cos(2 * np.pi * lag * (3 + unit)) for unit in range(n_units)]
    true, dims = np.array(rows), ("unit", "lag")
    if n_features:
        true, dims = true[..., None] * np.hanning(n_features + 2)[1:-1], (*dims, "feature")
    spread = np.arange(1, n_units + 1).reshape(-1, *[1] * (true.ndim - 1))
    said = 2 * true + noise * spread * rng.standard_normal(true.shape)
    return Answer({"filter": said}, xr.Dataset({"filter": (dims, true)}, {"lag": ("lag", lag, {"units": "s"})}), "sta")


def latent(n_trials: int, n_factors: int = 2, noise: float = 0.0, seed: int = 0) -> Answer:
    """Factors over trial and time, answered up to an affine map onto one factor more."""
    rng = np.random.default_rng(seed)
    time = np.arange(100) * 0.02
    phase = rng.uniform(0, 2 * np.pi, (n_trials, 1, n_factors))
    true = np.sin(2 * np.pi * time[:, None] * (0.5 + np.arange(n_factors)) + phase)
    said = true @ rng.standard_normal((n_factors, n_factors + 1)) + 5
    said = said + noise * rng.standard_normal(said.shape)
    truth = xr.Dataset({"latent": (("trial", "time", "factor"), true)}, {"time": time})
    return Answer({"latent": said}, truth, "pca")
