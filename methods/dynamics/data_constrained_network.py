"""The regime read off a network that is trained to repeat the recorded units: its modes, taken for the circuit's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.dynamics._delay import in_the_dark
from methods.population._population import unusable
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Pause

SAMPLES_PER_UNIT = 10
"""Samples that the fit needs for each of its units: as many coefficients as there are units belong to one."""


@dataclass(frozen=True)
class DataConstrainedNetwork:
    """Fits a linear recurrent network of the recorded units to every next sample, and names what its modes would do.

        x(t + dt) = A x(t) + b,    growth = |A^(delay / dt)|,    score = log2(T1 / T2) of time constants -dt / ln|mode|

    A surrogate that is trained on a recording and dissected in place of the circuit (Perich et al. 2021, bioRxiv;
    Sussillo & Barak 2013, Neural Comput 25:626), here linear, as some students of Qian et al. 2024 (NeurIPS 37), who
    score line attractors by how far the slowest mode stands apart from the next, as Nair et al. 2023 (Cell 186:178) do
    (both read at the level of abstract and captions; limits are ours). In this order: a mode that outlasts the delay
    and turns within it, a limit cycle; one that does and has a score, a line attractor; none that does, yet activity
    that may be as large as ever after the delay, a non-normal integrator; else a fixed point.

    That is right of a circuit which is recorded whole. Neurons that are not seen are states that the map has to do
    without, and it lends their memory to modes of its own; prediction is none the worse. Abstains where several modes
    outlast the delay and none stands out, where it predicts nothing, and on too few samples for so many units. Only for
    rates: noise of single spikes would be taken for decay. Costs less than a second for 100 units and trials.
    """

    name: ClassVar[str] = "data_constrained_network"
    question: ClassVar[str] = "dynamics"
    family: ClassVar[str] = "state space"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("rate",), units=5, trials=8)

    ridge: Annotated[float, Within(0, 100)] = 1e-6  # of the mean variance of a unit
    least_score: Annotated[float, Within(0, 20)] = 1.0  # octaves between the slowest time constant and the next
    least_prediction: Level = 0.1  # share of the variance of trials that were left out
    min_dark: Pause = 0.8  # s
    wait: Pause = 0.1  # s after the cue

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The regime; the notes give the three slowest time constants [s], their score, growth, and prediction."""
        refusal = unusable(recording, self.needs)
        if refusal is not None:
            return refusal
        delay = in_the_dark(recording, self.min_dark, self.min_dark, self.wait)
        if isinstance(delay, Finding):
            return delay
        values = delay.values[:, :, delay.values.std((0, 1)) > 0]
        n_samples, n_units = len(values) * (values.shape[1] - 1), values.shape[2]
        if n_samples < SAMPLES_PER_UNIT * n_units:
            return Finding.abstain(
                f"{n_samples} samples are too few for {n_units} units: needs {SAMPLES_PER_UNIT * n_units}"
            )
        predicted = self._predicted(values)
        if predicted < self.least_prediction:
            return Finding.abstain(f"the fit predicts {predicted:.2g} of what is to come in other trials")
        step = float(np.median(np.diff(delay.times)))
        return self._named(fitted_map(values, self.ridge), step, values.shape[1], predicted)

    def _predicted(self, values: np.ndarray) -> float:
        """Share of the variance of the next sample, in every other trial, that a fit to the rest predicts."""
        train, test = values[::2], values[1::2] - values[::2].mean((0, 1))
        missed = test[:, 1:] - test[:, :-1] @ fitted_map(train, self.ridge)
        return float(1 - missed.var() / test[:, 1:].var())

    def _named(self, fitted: np.ndarray, step: float, n_steps: int, predicted: float) -> Finding:
        times, frequencies = modes(fitted, step)
        delay = n_steps * step
        score = float(np.log2(times[0] / times[1]))
        growth = float(np.linalg.norm(np.linalg.matrix_power(fitted, n_steps), 2))
        notes: dict[str, object] = {
            "time_constants": times[:3].tolist(), "score": score, "growth": growth, "predicted": predicted,
        }  # fmt: skip
        if times[0] >= delay:
            if frequencies[0] * delay > 1:
                return Finding({"label": "limit cycle"}, notes=notes)
            if score >= self.least_score:
                return Finding({"label": "line attractor"}, notes=notes)
            return Finding.abstain(f"{(times >= delay).sum()} modes outlast the delay, and none of them stands out")
        return Finding({"label": "non-normal integrator" if growth >= 1 else "fixed point"}, notes=notes)


def fitted_map(values: np.ndarray, ridge: float) -> np.ndarray:
    """A (unit before, unit after): what a least-squares fit makes of the next of values (trial, time, unit)."""
    x = values - values.mean((0, 1))
    before, after = x[:, :-1].reshape(-1, x.shape[2]), x[:, 1:].reshape(-1, x.shape[2])
    gram = before.T @ before
    return np.linalg.solve(gram + ridge * np.trace(gram) / len(gram) * np.eye(len(gram)), before.T @ after)


def modes(fitted: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Time constants [s] and frequencies [Hz] of a map's modes, slowest first; one that grows lasts for 1e6 steps."""
    found = np.linalg.eigvals(fitted)
    found = found[np.argsort(-np.abs(found))]
    times = -step / np.log(np.clip(np.abs(found), 1e-12, 1 - 1e-6))
    return times, np.abs(np.angle(found)) / (2 * np.pi * step)
