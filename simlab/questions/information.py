"""How much does the recorded population tell of a stimulus, and would more neurons tell more?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, SimlabError, Variable
from simlab.data import durations, in_window
from simlab.questions._scalars import NAN, covered, form_of, interval, width
from simlab.questions.form import BaselineAnswer, answer, check_key, undefined
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Level

Discriminability = Annotated[float, Within(1e-4, 1e6)]
"""d'^2 of the two stimuli: information times the square of their difference."""


@dataclass(frozen=True)
class Information:
    """Linear Fisher information about a one-dimensional stimulus in the units' summed activity of a trial.

        I = f'(s)^T C^-1 f'(s)      [1 / stimulus^2]

    f': how the units' mean activity changes with the stimulus, from one of the two that are shown to the other; C:
    their covariance, the mean of that at both. The best linear discrimination of the two, a step ds apart, has d' = ds
    sqrt(I) (Averbeck & Lee 2006, J Neurophysiol 95:3633). `saturates`, optional: whether Fisher information tends to a
    limit as neurons like these are added: a property of the population, which a sample need not show.

    Errors are relative to the truth, or to what makes d'^2 = `least` where that is more, and keep their sign. An answer
    that overstates I by more than `tolerance`, and by more than its own interval allows, is a false claim; so is
    saturation where there is none.
    """

    name: ClassVar[str] = "information"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {**form_of("information"), "saturates": Variable((), "flag", optional=True)}
    )
    truth_form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {
            "derivative": Variable(("neuron",)),  # of the mean activity in a trial
            "covariance": Variable(("neuron", "other")),  # of the activity in a trial
            "level": Variable(("neuron",), low=0),  # mean activity in a trial
            "step": Variable((), low=0),  # difference of the two stimuli
            "feature": Variable((), "label"),  # the stimulus that is asked about
            "saturates": Variable((), "flag", optional=True),  # absent where nothing is coded
        }
    )
    metrics: ClassVar[tuple[str, ...]] = (
        "within", "relative_error", "error_size", "covered", "interval_width", "verdict", "discriminability",
    )  # fmt: skip
    headline: ClassVar[str] = "within"
    picture: ClassVar[Picture] = Picture("scatter", answer="information", truth="information")

    tolerance: Level = 0.2  # largest relative error of a recovery
    least: Discriminability = 0.1  # d'^2 below which nobody cares: 56% of forced choices are right
    most: Discriminability = 100.0  # a blind guess is spread evenly over the logarithm of d'^2, from least to this

    def __post_init__(self) -> None:
        check_fields(self)
        require(self.least < self.most, f"information: least must be below most, got {self.least} and {self.most}")

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, Any]:
        """`feature`: the stimulus that is asked about."""
        return {"feature": str(truth["feature"].values)}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """`information` of the recorded units, and what no instrument changes: `step` and `saturates`.

        What an instrument loses beyond its key (spikes that it misses, noise of its own) is not taken off: an answer
        from such a recording falls short by it.

        Raises SimlabError where key and truth are not over the same neurons, or the covariance is not positive.
        """
        check_key(key, truth)
        weights, spurious = _mixing(key.transpose("unit", "neuron").values, truth["level"].values)
        slope = weights @ truth["derivative"].values
        covariance = weights @ truth["covariance"].transpose("neuron", "other").values @ weights.T + np.diag(spurious)
        found = {"information": _linear(slope, covariance), "step": float(truth["step"])}
        if "saturates" in truth:
            found["saturates"] = bool(truth["saturates"])
        return xr.Dataset(found)

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """within, covered, verdict (the flag): 0 or 1, NaN for what was not stated or cannot be asked.

        relative_error, interval_width: of the answer and its interval; discriminability: the true d'^2 of the stimuli.
        """
        if finding.abstained:
            return undefined(self.metrics)
        given, true, scale = answer(finding, self, truth), float(truth["information"]), self._scale(truth)
        error = (float(given["information"]) - true) / scale
        asked = "saturates" in given and "saturates" in truth
        return {
            "within": float(abs(error) <= self.tolerance),
            "relative_error": error,
            "error_size": abs(error),
            "covered": covered(given, true),
            "interval_width": width(given) / scale,
            "verdict": float(bool(given["saturates"]) == bool(truth["saturates"])) if asked else NAN,
            "discriminability": true * float(truth["step"]) ** 2,
        }

    def _scale(self, truth: xr.Dataset) -> float:
        """What errors are divided by [1 / stimulus^2]."""
        return max(float(truth["information"]), self.least / float(truth["step"]) ** 2)

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether the answer lies within the tolerance, and the flag, where it was stated, is right."""
        return metrics["within"] == 1.0 and metrics["verdict"] != 0.0

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether it states more than there is, its interval included, or a limit where there is none."""
        if finding.abstained:
            return False
        given, scored = answer(finding, self, truth), self.score(finding, truth)
        low, _ = interval(given)
        overstated = scored["relative_error"] > self.tolerance and not low <= float(truth["information"])
        return bool(overstated or (scored["verdict"] == 0 and given["saturates"]))

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """What a guess spread evenly over the logarithm of d'^2 gets on average, exact; the flag is a coin's."""
        a, b, square = self.least, self.most, float(truth["step"]) ** 2
        true, scale = float(truth["information"]) * square, self._scale(truth) * square
        span, middle = np.log(b / a), float(np.clip(true, a, b))
        low, high = (np.clip(true + side * self.tolerance * scale, a, b) for side in (-1, 1))
        below = (true * np.log(middle / a) if true > 0 else 0.0) - (middle - a)
        above = (b - middle) - true * np.log(b / middle)
        return {
            "within": float(np.log(high / low) / span),
            "relative_error": float(((b - a) / span - true) / scale),
            "error_size": float((below + above) / (span * scale)),
            "covered": NAN,
            "interval_width": NAN,
            "verdict": 0.5 if "saturates" in truth else NAN,
            "discriminability": true,
        }

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the truth. random: a blind guess. marginals_only: what the units would tell were they independent."""
        return {"oracle": _oracle, "random": self._guess, "marginals_only": _independent}

    def _guess(self, truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        guess = float(np.exp(rng.uniform(*np.log([self.least, self.most]))))
        return Finding({"information": guess / float(truth["step"]) ** 2, "saturates": bool(rng.random() < 0.5)})


def _mixing(share: np.ndarray, level: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(unit, neuron) how much of each neuron's activity a unit reports, and (unit,) the variance of spurious events.

    share: of the unit's signal at the neurons' mean activity `level`. All of the neuron that it reports most completely
    is taken to be there, and what is nobody's to be Poisson events: both only matter where units are mixed.
    """
    part = np.divide(share, level, out=np.zeros_like(share, dtype=float), where=level > 0)
    largest = part.max(axis=1, initial=0.0)
    scale = np.divide(1.0, largest, out=np.zeros_like(largest), where=largest > 0)
    return part * scale[:, None], np.maximum(1 - share.sum(axis=1), 0.0) * scale


def _linear(slope: np.ndarray, covariance: np.ndarray) -> float:
    """slope^T covariance^-1 slope over units that vary; units that are one and the same neuron count once."""
    heard = np.diag(covariance) > 0
    if not heard.any():
        return 0.0
    spread = np.sqrt(np.diag(covariance)[heard])
    value, direction = np.linalg.eigh(covariance[np.ix_(heard, heard)] / np.outer(spread, spread))
    if value.min() < -1e-8:
        raise SimlabError(
            f"a covariance has no negative eigenvalue, got {value.min():.3g}: derive it from the equations"
        )
    kept = value > 1e-10
    return float((((slope[heard] / spread) @ direction[:, kept]) ** 2 / value[kept]).sum())


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    true = float(truth["information"])
    flag = {"saturates": bool(truth["saturates"])} if "saturates" in truth else {}
    return Finding({"information": true, "low": true, "high": true, **flag}, confidence=1.0)


def _independent(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    """The sum of d'^2 of all units, bias removed, over step^2: independent units never saturate."""
    if "stimulus" not in recording:
        return Finding.abstain("there is no stimulus to be told apart")
    feature = truth.attrs["brief"]["feature"]
    shown = recording["stimulus"].sel(feature=feature).mean("time").values
    sides = [shown > np.mean(shown), shown <= np.mean(shown)]
    n = np.array([side.sum() for side in sides])
    if n.min() < 2 or n.sum() < 6:
        return Finding.abstain(f"needs trials of both stimuli, got {n.tolist()}")
    seen = in_window(recording, 0.0, float(durations(recording).min()))
    means = [seen[side].mean(axis=0) for side in sides]
    squares = sum(((seen[side] - mean) ** 2).sum(axis=0) for side, mean in zip(sides, means, strict=True))
    freedom = n.sum() - 2
    heard = np.asarray(squares) > 0
    d = (means[0] - means[1])[heard] ** 2 / (squares[heard] / freedom)
    total = (d * (freedom - 2) / freedom - (1 / n).sum()).sum()
    return Finding({"information": float(total / float(truth["step"]) ** 2), "saturates": False})
