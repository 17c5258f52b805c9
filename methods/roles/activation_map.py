"""Name a region after the behaviour whose contrasts light it up: the maps of imaging."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.roles._contrasts import canonical_design, contrasts
from simlab.contracts import Finding, Needs
from simlab.data import continuous, missing, modality
from simlab.rules import check_fields
from simlab.rules.quantities import Level

HAEMODYNAMICS, FIELD_POTENTIAL = "haemodynamics", "field potential"


@dataclass(frozen=True)
class ActivationMap:
    """A general linear model of each region's signal, and every contrast between two behaviours.

        y(t) = sum_k beta_k x_k(t) + constant + noise,   noise first-order autoregressive

    Of haemodynamics, y are the volumes and x_k the trials of behaviour k, as boxes convolved with the canonical
    response (Friston et al. 1995, Hum Brain Mapp 2:189; the response of SPM). Of field potentials, y is the log of each
    trial's power around its mean, and x_k says which behaviour the trial is of. Contrasts beta_k - beta_j > 0 of all
    ordered pairs are thresholded at a false discovery rate of `alpha` over regions and contrasts (Genovese et al. 2002,
    NeuroImage 15:870). A region that k activates more than each other behaviour does (a conjunction: Nichols et al.
    2005, NeuroImage 25:653), while those do not differ, serves k; one with any other contrast is generic; one without
    any is not on the map, and serves nothing. Cost: none.

    There is no rest between behaviours, so that what all of them engage alike is missed (the trouble with subtraction:
    Friston et al. 1996, NeuroImage 4:97); and what is active need not be of use.
    """

    name: ClassVar[str] = "activation_map"
    question: ClassVar[str] = "localisation"
    family: ClassVar[str] = "imaging"
    library: ClassVar[str] = "scipy"
    needs: ClassVar[Needs] = Needs((HAEMODYNAMICS, FIELD_POTENTIAL), trials=4, conditions=True)

    alpha: Level = 0.05

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The notes give t and p of every contrast (unit, behaviour, behaviour): of the first over the second."""
        behaviours = [f for f in recording.attrs.get("brief", {}).get("functions", ()) if f.startswith("behaviour")]
        if reason := missing(recording, self.needs) or _too_little(recording, len(behaviours)):
            return Finding.abstain(reason)
        t, p = contrasts(*_model(recording, len(behaviours)))
        return Finding({"function": _named(self._beyond(p), behaviours)}, notes={"t": t, "p": p})

    def _beyond(self, p: np.ndarray) -> np.ndarray:
        """Which contrasts (unit, behaviour, behaviour) are significant."""
        from scipy.stats import false_discovery_control

        pairs, beyond = ~np.eye(p.shape[1], dtype=bool), np.zeros(p.shape, dtype=bool)
        beyond[:, pairs] = false_discovery_control(p[:, pairs].ravel()).reshape(len(p), -1) <= self.alpha
        return beyond


def _too_little(recording: xr.Dataset, n_behaviours: int) -> str:
    """Why there are no contrasts, if so."""
    trials, samples = recording.sizes["trial"], recording.sizes["sample"]
    of_each = [int((recording["condition"].values == k).sum()) for k in range(n_behaviours)]
    if n_behaviours < 2 or min(of_each) < 2:
        return "a contrast takes at least two trials of each of two behaviours"
    blood = modality(recording) == HAEMODYNAMICS
    if not blood and samples < 2:
        return "a trial's power takes two samples of it at least"
    n = trials * samples if blood else trials
    return "" if n >= 2 * (n_behaviours + 1) else f"{n} samples are too few for a model of {n_behaviours} behaviours"


def _model(recording: xr.Dataset, n_behaviours: int) -> tuple[np.ndarray, np.ndarray]:
    """The signal (sample, unit) and its regressors (sample, behaviour)."""
    signal = continuous(recording).transpose("trial", "time", "unit").values.astype(float)
    if modality(recording) == HAEMODYNAMICS:
        return signal.reshape(-1, signal.shape[2]), canonical_design(recording, n_behaviours)
    power = np.log(np.maximum(signal.var(axis=1), 1e-300))
    return power, np.equal.outer(recording["condition"].values, np.arange(n_behaviours)).astype(float)


def _named(beyond: np.ndarray, behaviours: list[str]) -> np.ndarray:
    """(unit,) labels, from which contrasts are significant (unit, behaviour, behaviour)."""
    n = len(behaviours)
    above = (beyond | np.eye(n, dtype=bool)).all(axis=2)
    label = np.where(beyond.any(axis=(1, 2)), "generic", "none").astype(object)
    for k, name in enumerate(behaviours):
        others = np.delete(np.arange(n), k)
        apart = beyond[:, others][:, :, others].any(axis=(1, 2))
        label[above[:, k] & ~apart] = name
    return label
