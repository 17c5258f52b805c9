"""Granger causality: whose past improves the prediction of whom, given everybody else's past."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.wiring._pairs import SameBin, abstention, edges, same_bin_counts
from simlab.contracts import Finding, Needs, SimlabError
from simlab.data import signals
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Level, Width

ROWS = 20_000
"""Samples laid out with their lags at once: bounds memory."""


@dataclass(frozen=True)
class GrangerCausality:
    """Conditional (multivariate) Granger causality of a vector autoregression over all units.

    x(t) = c + sum_{k=1..p} A_k x(t - k) + e(t) by ordinary least squares, order p by the Bayesian information
    criterion; a directed pair j -> i is tested by the F statistic of (A_1..A_p)[i, j] = 0, every other unit's
    past kept in the model (Granger 1969; Geweke 1984; Lutkepohl 2005, ch. 3.6). Graded by the causality
    ln(1 + p F / degrees of freedom), the log ratio of residual variances; signed by the sum of coefficients. Trials
    share the model; no lag reaches over a trial's edge. Works on counts and on any continuous signal alike.

    With `same_bin`, the partial correlation r of the residuals of i and j given all others' adds -ln(1 - r^2) to the
    grade of both directions (Geweke 1982, instantaneous feedback), and Fisher's z^2 to p F for a chi-square with p + 1
    degrees of freedom.
    """

    name: ClassVar[str] = "granger_causality"
    question: ClassVar[str] = "connectivity"
    family: ClassVar[str] = "autoregression"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=2)

    alpha: Level = 0.05
    """False discovery rate of decided edges (Benjamini & Hochberg 1995)."""
    bin_width: Width = 0.005
    """Bins of the spike counts [s]; ignored for continuous signals, which keep their sampling."""
    max_order: Annotated[int, Within(1, 1000)] = 5
    """Longest model tried, in samples."""
    min_order: Annotated[int, Within(1, 1000)] = 1
    """Shortest model tried: with `max_order` the order is given, and not chosen. A model that is right for all units
    may be too short for those without the source, whose causality it then overstates (Stokes & Purdon 2017)."""
    same_bin: SameBin = "coarse"
    """Whether what units do at one sample counts as well, for both directions: in spike counts of bins longer than 5 ms
    and in fluorescence if `coarse`. It cannot tell synaptic effects from common input."""

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.min_order <= self.max_order,
            f"min_order must be at most max_order, got {self.min_order} and {self.max_order}: write the lesser first",
        )

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Graded, decided and signed edges (pre, post); works on any signal."""
        from scipy.special import chdtrc, fdtrc

        if reason := abstention(recording, self.needs, self.bin_width):
            return Finding.abstain(reason)
        trace = signals(recording, self.bin_width).values
        if not np.isfinite(trace).all():
            return Finding.abstain("the signals hold values that are not finite: drop or fill those samples")
        live = np.flatnonzero(np.ptp(trace, axis=(0, 1)) > 0)
        n_rows = trace.shape[0] * max(0, trace.shape[1] - self.max_order)
        if live.size < 2 or n_rows < 2 * (live.size * self.max_order + 1):
            return Finding.abstain(
                f"{n_rows} samples of {live.size} changing units are too few for a model of order {self.max_order}"
            )
        model = autoregression(trace[:, :, live], self.max_order, self.min_order)
        everyone = np.ix_(live, live)
        statistic, sign, p = (np.zeros((trace.shape[2],) * 2) for _ in range(3))
        p[:] = 1.0
        statistic[everyone], sign[everyone] = model.f_statistic(), model.coefficients.sum(axis=0)
        p[everyone] = fdtrc(model.order, model.freedom, statistic[everyone])
        grade = np.log1p(model.order * statistic / model.freedom)
        if same_bin_counts(recording, self.bin_width, self.same_bin):
            together = model.same_sample()
            z = np.arctanh(together) * np.sqrt(model.freedom)
            grade[everyone] -= np.log1p(-(together**2))
            sign[everyone] = np.where(z**2 > statistic[everyone], z, sign[everyone])
            p[everyone] = chdtrc(model.order + 1, model.order * statistic[everyone] + z**2)
        return edges(grade, p, sign, self.alpha, order=model.order)


@dataclass(frozen=True, eq=False)
class Autoregression:
    """A fitted model: `coefficients` (lag, pre, post), `precision` the inverse of its Gram matrix (lag x pre, same),
    `variance` of the residuals (post,), their `covariance` (post, post), `order`, and residual degrees of freedom."""

    coefficients: np.ndarray
    precision: np.ndarray
    variance: np.ndarray
    covariance: np.ndarray
    order: int
    freedom: int

    def f_statistic(self) -> np.ndarray:
        """F (pre, post) of all lags of one unit in the equation of another, given all else."""
        order, n, _ = self.coefficients.shape
        unit = np.arange(n)
        block = self.precision.reshape(order, n, order, n)[:, unit, :, unit]  # (pre, lag, lag)
        weights = self.coefficients.transpose(1, 0, 2)  # (pre, lag, post)
        wald = (weights * np.linalg.solve(block, weights)).sum(axis=1)
        return wald / (order * np.maximum(self.variance, 1e-300))

    def same_sample(self) -> np.ndarray:
        """Partial correlation (unit, unit) of the residuals given all others'; 0 on the diagonal."""
        n = len(self.covariance)
        scale = np.sqrt(np.maximum(np.diag(self.covariance), 1e-300))
        precision = np.linalg.inv(self.covariance / np.outer(scale, scale) + 1e-9 * np.eye(n))
        root = np.sqrt(np.diag(precision))
        result = np.clip(-precision / np.outer(root, root), -1 + 1e-12, 1 - 1e-12)
        np.fill_diagonal(result, 0.0)
        return np.asarray(result)


def autoregression(trace: np.ndarray, max_order: int, min_order: int = 1) -> Autoregression:
    """Least squares on (trial, time, unit) of order min_order to max_order: that of least BIC, all on the same samples.

    Raises SimlabError if the signals hold values that are not finite.
    """
    if not np.isfinite(trace).all():
        raise SimlabError("Granger causality needs finite signals; drop or fill the samples that are not")
    gram, n_rows = _gram(trace, max_order)
    n = trace.shape[2]
    fits = {order: _solve(gram, n, order) for order in range(min_order, max_order + 1)}
    order = min(fits, key=lambda order: _bic(fits[order][2] / n_rows, order, n_rows))
    weights, precision, residual = fits[order]
    freedom = n_rows - order * n - 1
    return Autoregression(
        weights.reshape(order, n, n), precision, np.diag(residual) / freedom, residual / freedom, order, freedom
    )


def _bic(covariance: np.ndarray, order: int, n_rows: int) -> float:
    """Bayesian information criterion of a model, per sample (Lutkepohl 2005, eq. 4.3.9)."""
    return float(np.linalg.slogdet(covariance)[1] + np.log(n_rows) / n_rows * order * len(covariance) ** 2)


def _gram(trace: np.ndarray, order: int) -> tuple[np.ndarray, int]:
    """Centred second moments of [x(t-1) .. x(t-order), x(t)] over all t with a past in their trial; how many t."""
    n_trials, n_samples, n = trace.shape
    scale = trace.std(axis=(0, 1))
    centre = trace.mean(axis=(0, 1))
    size = (order + 1) * n
    gram, total, n_rows = np.zeros((size, size)), np.zeros(size), 0
    for trial in range(n_trials):
        for start in range(order, n_samples, ROWS):
            stop = min(start + ROWS, n_samples)
            part = (trace[trial, start - order : stop] - centre) / scale
            lagged = [part[order - lag : len(part) - lag] for lag in (*range(1, order + 1), 0)]
            rows = np.concatenate(lagged, axis=1)
            gram += rows.T @ rows
            total += rows.sum(axis=0)
            n_rows += len(rows)
    return gram - np.outer(total, total) / n_rows, n_rows


def _solve(gram: np.ndarray, n: int, order: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coefficients (lag x pre, post), inverse Gram matrix and residual sums of products of one order."""
    past, now = slice(0, order * n), slice(len(gram) - n, len(gram))
    # a whisper of ridge, so that twin signals share their coefficient instead of ending the analysis
    precision = np.linalg.inv(gram[past, past] + 1e-10 * np.trace(gram[past, past]) / (order * n) * np.eye(order * n))
    weights = precision @ gram[past, now]
    residual = gram[now, now] - weights.T @ gram[past, now]
    return weights, precision, (residual + residual.T) / 2
