"""When did it happen, and how often? Times of brief events of a population: ripples, bursts, replays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, Variable
from simlab.questions.form import BaselineAnswer, answer, undefined
from simlab.questions.ranking import ratio
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level

MINUTE = 60.0


@dataclass(frozen=True)
class Events:
    """The times of a population's events, all trials together, and their rate per minute.

    The answer lists one entry per event: `event_trial` and `event_time` [s] from the trial's onset, anywhere in the
    event, and the `rate` [1/min] that a paper would print. `content` is what each was about, where the circuit knows
    (-1 or 1: replayed backwards or forwards), 0 for 'cannot tell'. An event counts as found by one entry within
    `tolerance` of its time, and no entry finds two.
    """

    name: ClassVar[str] = "events"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {
            "rate": Variable((), low=0),
            "event_trial": Variable(("event",), "whole", low=0),
            "event_time": Variable(("event",), low=0),
            "content": Variable(("event",), "whole", optional=True, low=-1, high=1),
        }
    )
    truth_form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {
            "rate": Variable((), low=0),
            "minutes": Variable((), low=0),
            "event_trial": Variable(("event",), "whole", low=0),
            "event_time": Variable(("event",), low=0),
            "content": Variable(("event",), "whole", optional=True),
        }
    )
    metrics: ClassVar[tuple[str, ...]] = (
        "f1", "precision", "recall", "rate_ratio", "rate", "false_per_minute", "time_error", "content_accuracy",
    )  # fmt: skip
    headline: ClassVar[str] = "f1"
    picture: ClassVar[Picture] = Picture("scatter", answer="rate", truth="rate")

    tolerance: Annotated[float, Within(1e-4, 10, "s")] = 0.05
    """s between a true event and the entry that finds it: half of a ripple's length (Buzsaki 2015: 30 to 100 ms)."""
    least_f1: Level = 0.8
    """Where two experts agree on ripples their F1 is about .7 (from memory): a method should do a little better."""
    tolerated: Annotated[float, Within(0, 1000)] = 1.0
    """Events per minute that may be claimed where there is none."""

    def __post_init__(self) -> None:
        check_fields(self)

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, object]:
        """Nothing: how many there are is the question."""
        return {}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """The same events: they are the population's, whoever sees how much of it."""
        return truth[[name for name in self.truth_form if name in truth]]

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """f1, precision, recall of the matched events; without a true one only f1, which is 1 if none was claimed.

        rate: as stated [1/min]; rate_ratio: over the true one; false_per_minute: entries that found nothing;
        time_error: median distance of matched times [s]; content_accuracy: of matched ones whose content was stated.
        """
        if finding.abstained:
            return undefined(self.metrics)
        given = answer(finding, self, truth)
        found, true = _table(given), _table({name: truth[name].values for name in ("event_trial", "event_time")})
        pairs = matched(found, true, self.tolerance)
        n_found, n_true = len(found), len(true)
        scores = undefined(self.metrics) | {
            "f1": 2 * len(pairs) / (n_found + n_true) if n_found + n_true else 1.0,
            "precision": ratio(len(pairs), n_found),
            "recall": ratio(len(pairs), n_true),
            "rate": float(given["rate"]),
            "rate_ratio": ratio(float(given["rate"]), float(truth["rate"])),
            "false_per_minute": (n_found - len(pairs)) / float(truth["minutes"]),
        }
        if len(pairs):
            scores["time_error"] = float(np.median(np.abs(found[pairs[:, 0], 1] - true[pairs[:, 1], 1])))
        return scores | self._content(given, truth, pairs)

    def _content(self, given: Mapping[str, np.ndarray], truth: xr.Dataset, pairs: np.ndarray) -> dict[str, float]:
        if "content" not in given or "content" not in truth or not len(pairs):
            return {}
        said, true = given["content"][pairs[:, 0]], truth["content"].values[pairs[:, 1]]
        return {"content_accuracy": ratio(float(((said == true) & (said != 0)).sum()), float((said != 0).sum()))}

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether f1 is at least `least_f1`: where there is no event, whether none was claimed."""
        return metrics["f1"] >= self.least_f1

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether more than `tolerated` events per minute were claimed that are none."""
        return not finding.abstained and self.score(finding, truth)["false_per_minute"] > self.tolerated

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """Of as many events as there are, put anywhere: each finds one with the share of time that lies near one."""
        covered = min(1.0, 2 * self.tolerance * len(truth["event_time"]) / (MINUTE * float(truth["minutes"])))
        if len(truth["event_time"]) == 0:
            return undefined(self.metrics) | {"f1": 1.0}
        return undefined(self.metrics) | {"f1": covered, "precision": covered, "recall": covered, "rate_ratio": 1.0}

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the truth. random: as many events as there are, anywhere. marginals_only: none: units tell none."""
        return {"oracle": _oracle, "random": _scattered, "marginals_only": _none}


def matched(found: np.ndarray, true: np.ndarray, tolerance: float) -> np.ndarray:
    """(pair, 2): which found event (trial, time) goes with which true one: as many pairs as can be, the nearest."""
    from scipy.optimize import linear_sum_assignment

    pairs: list[tuple[int, int]] = []
    for trial in np.intersect1d(found[:, 0], true[:, 0]):
        mine, own = np.flatnonzero(found[:, 0] == trial), np.flatnonzero(true[:, 0] == trial)
        apart = np.abs(found[mine, 1][:, None] - true[own, 1])
        far = 1 + apart.size  # a pair out of reach costs more than all that are within it
        rows, columns = linear_sum_assignment(np.where(apart <= tolerance, apart / max(tolerance, 1e-12), far))
        pairs += [(mine[r], own[c]) for r, c in zip(rows, columns, strict=True) if apart[r, c] <= tolerance]
    return np.array(pairs, dtype=int).reshape(-1, 2)


def _table(values: Mapping[str, np.ndarray]) -> np.ndarray:
    """(event, 2) of trial and time [s]."""
    columns = (np.asarray(values[name], dtype=float) for name in ("event_trial", "event_time"))
    return np.stack(list(columns), axis=-1)


def _stated(trial: np.ndarray, time: np.ndarray, truth: xr.Dataset) -> Finding:
    return Finding({"rate": len(trial) / float(truth["minutes"]), "event_trial": trial, "event_time": time})


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return _stated(truth["event_trial"].values, truth["event_time"].values, truth)


def _scattered(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    n, trials = len(truth["event_time"]), recording.sizes["trial"]
    return _stated(rng.integers(trials, size=n), rng.uniform(0, recording.attrs["duration"], n), truth)


def _none(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return _stated(np.empty(0, dtype=int), np.empty(0), truth)
