"""Receptive fields by a generalised quadratic model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

import numpy as np
import xarray as xr

from methods.coding._frames import NEEDS, looked
from methods.coding._subspaces import confirmed
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Repeats


@dataclass(frozen=True)
class QuadraticModel:
    """Counts are Poisson, of a rate that is a softened quadratic function of one product or two.

        rate = mean softplus(a + sum_k b_k x_k +- x_k^2) / log 2,   x_k = w_k . s

    The generalised quadratic model of low rank (Park & Pillow 2011, NIPS 24; Park, Archer, Priebe & Pillow 2013, NIPS
    26), by maximum penalised likelihood from the whitened average and covariance on; the sign is that of the variance
    before spikes along the start less that of all frames. A held-out quarter decides between no filter, one and two
    (`least_z`). Its nonlinearity is close to those of this lab's cells. Cost: some 4 fits per unit.
    """

    name: ClassVar[str] = "quadratic_model"
    question: ClassVar[str] = "receptive_field"
    family: ClassVar[str] = "generalised quadratic model"
    library: ClassVar[str] = "scipy"
    needs: ClassVar[Needs] = NEEDS

    penalty: Annotated[float, Within(0, 100)] = 1e-3  # of squared lengths, per frame and spike of the mean
    steps: Repeats = 100
    least_z: Annotated[float, Within(0, 100)] = 3.0

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Each unit's filters, or zeros."""
        found = looked(recording, self.needs)
        if isinstance(found, Finding):
            return found
        first, second = confirmed(found, self._fit, self.least_z)
        return Finding({"filter": first, "second_filter": second})

    def _fit(self, frames: np.ndarray, count: np.ndarray, start: np.ndarray) -> Quadratic:
        """The cell of greatest penalised likelihood, with filters (filter, feature) like `start`."""
        from scipy.optimize import minimize

        along = frames @ start.T
        spread = np.maximum(np.sqrt((along**2).mean(axis=0)), 1e-300)
        before_spikes = (along**2 * count[:, None]).sum(axis=0) / count.sum()
        sign = np.where(before_spikes >= spread**2, 1.0, -1.0)
        begin = np.concatenate([[-0.5], np.full(len(start), 0.3), (0.5 * start / spread[:, None]).ravel()])

        def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
            return penalised(Quadratic.of(flat, sign, count.mean()), frames, count, self.penalty)

        best = minimize(loss, begin, jac=True, method="L-BFGS-B", options={"maxiter": self.steps})
        return Quadratic.of(best.x, sign, count.mean())._replace(objective=float(best.fun))


class Quadratic(NamedTuple):
    """A cell of this kind."""

    offset: float
    linear: np.ndarray  # (filter,)
    filters: np.ndarray  # (filter, feature)
    sign: np.ndarray  # (filter,)
    mean: float  # spikes in a frame
    objective: float = 0.0

    @classmethod
    def of(cls, flat: np.ndarray, sign: np.ndarray, mean: float) -> Quadratic:
        """From offset, linear weights and filters in one row."""
        number = len(sign)
        return cls(flat[0], flat[1 : 1 + number], flat[1 + number :].reshape(number, -1), sign, float(mean))

    def drive(self, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(frame,) what the nonlinearity is given, and the products (frame, filter)."""
        x = frames @ self.filters.T
        return self.offset + x @ self.linear + x**2 @ self.sign, x

    def expected(self, frames: np.ndarray) -> np.ndarray:
        """(frame,) spikes."""
        return np.asarray(self.mean * np.logaddexp(0, self.drive(frames)[0]) / np.log(2))


def penalised(cell: Quadratic, frames: np.ndarray, count: np.ndarray, penalty: float) -> tuple[float, np.ndarray]:
    """Mean negative log likelihood per spike, with its penalty, and the slope in the order of `Quadratic.of`."""
    from scipy.special import expit

    drive, x = cell.drive(frames)
    soft = np.maximum(np.logaddexp(0, drive), 1e-300)
    rate, spikes = cell.mean * soft / np.log(2), count.sum()
    size, weight = (cell.filters**2).sum(axis=1), 1 + cell.linear**2
    value = (rate - count * np.log(rate)).sum() / spikes + penalty * (size * weight).sum()
    pull = (cell.mean / np.log(2) - count / soft) * expit(drive) / spikes
    by_filter = (pull[:, None] * (cell.linear + 2 * cell.sign * x)).T @ frames + 2 * penalty * weight[
        :, None
    ] * cell.filters
    by_linear = pull @ x + 2 * penalty * cell.linear * size
    return float(value), np.concatenate([[pull.sum()], by_linear, by_filter.ravel()])
