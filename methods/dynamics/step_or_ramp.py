"""Steps or ramps? Two models of single trials, compared by the likelihood of trials that they were not fitted to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr
from scipy.stats import norm

from methods.dynamics import _ramp_model, _step_model
from methods.dynamics._decisions import (
    LEAST,
    MOST,
    RAMPING,
    STEPPING,
    active,
    among,
    choice_axis,
    conditions,
    counts_from,
    folds,
    mean_and_z,
    onset,
    without_latent,
)  # fmt: skip
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Count, Width

NEIGHBOURS = 10
"""Trials to either side from which a drifting baseline is read."""

ONE = 1e-9


@dataclass(frozen=True)
class StepOrRamp:
    """Fits a stepping and a ramping model to single-trial counts and names the one that predicts held-out trials
    better.

    The comparison of Latimer et al. (2015, Science 349:184), by cross-validated likelihood in the place of their
    Bayesian criterion, as the likelihoods can be computed (a sum over steps; a hidden Markov chain on a grid of places)
    and need not be sampled. The units of a recording share one latent; `alone` fits each by itself, as they did. ramp:
    `baseline` has a bound on either side and a free rate at each; `no baseline` is the ramp of 2015, which knows one
    bound and no rate to rest at below, and which was shown to lose to steps for that reason (Zylberberg & Shadlen
    2016, bioRxiv 085886; Zoltowski et al. 2019, Neuron 102:1249). follow_drift: rates are scaled by what each unit
    fired in the trials around, so that a wandering baseline is not taken for a latent.

    The probability is that of the mean difference over trials being positive, were it normal. It knows two
    mechanisms, and on a third names one of the two. Abstains where few trials or units are there and where neither
    model beats a time course without any latent by two standard errors. Cost: 65 forward passes of a chain of 41 places
    for each of a few rounds and folds: some 10 s for 100 trials of 1 s.
    """

    name: ClassVar[str] = "step_or_ramp"
    question: ClassVar[str] = "mechanism"
    family: ClassVar[str] = "latent variable model"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), units=1, trials=20)

    ramp: Literal["baseline", "no baseline"] = "baseline"
    alone: bool = False
    follow_drift: bool = False
    width: Width = 0.025  # s, of the bins (Latimer et al.: 0.01)
    n_folds: Annotated[int, Within(2, 20)] = 3
    most_units: Count = 40  # the most active ones; with `alone` or `no baseline` a quarter of them, as each costs a fit

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The verdict on a Recording; notes: nats per trial by which ramps beat steps, and either beats no latent."""
        refusal = active(recording, 1) or among(recording.attrs.get("brief", {}), {}, {}, (RAMPING, STEPPING))
        if refusal.abstained:
            return refusal
        start = onset(recording)
        if float(recording.attrs["duration"]) - start < 8 * self.width:
            return Finding.abstain(f"trials last less than 8 bins of {self.width} s beyond the stimulus's onset")
        counts, condition = counts_from(recording, self.width, start), conditions(recording)
        separate = self.alone or self.ramp == "no baseline"
        most = max(1, self.most_units // 4) if separate else self.most_units
        chosen = np.argsort(-counts.sum((0, 1)), kind="stable")[:most]
        counts = counts[:, :, chosen[counts.sum((0, 1))[chosen] > 0]]
        if counts.shape[2] == 0:
            return Finding.abstain("no unit fires while the stimulus is shown")
        parts = [counts[:, :, [unit]] for unit in range(counts.shape[2])] if separate else [counts]
        held_out = sum(self._held_out(part, condition, rng) for part in parts)
        return self._verdict(recording, np.asarray(held_out))

    def _held_out(self, counts: np.ndarray, condition: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(model, trial): log likelihoods of steps, ramps and no latent, of trials left out of the fit."""
        exposure = drifting(counts, condition) if self.follow_drift else np.ones(counts.shape[::2])
        fold = folds(condition, self.n_folds, rng)
        found = np.empty((3, len(counts)))
        for k in range(self.n_folds):
            train, test = fold != k, fold == k
            seen = counts[train], condition[train], exposure[train]
            told = counts[test], condition[test], exposure[test]
            guess = _first_levels(counts[train])
            step = _step_model.fitted(*seen, guess)
            ramp = _ramp_model.fitted(*seen, step.levels, self.width, baseline=self.ramp == "baseline")
            found[:, test] = (
                step.likelihood(*told),
                ramp.likelihood(*told),
                without_latent(seen[0], told[0], (seen[2], told[2])),
            )
        return found

    def _verdict(self, recording: xr.Dataset, held_out: np.ndarray) -> Finding:
        step, ramp, without = held_out
        gain, gain_z = mean_and_z(np.maximum(step, ramp) - without)
        difference, z = mean_and_z(ramp - step)
        notes = {
            "ramp_minus_step": difference, "z": z, "gain": gain, "gain_z": gain_z, "mean_step": float(step.mean()),
            "mean_ramp": float(ramp.mean()),
        }  # fmt: skip
        if max(mean_and_z(step - without)[1], mean_and_z(ramp - without)[1]) < 2:
            return Finding.abstain(
                f"neither model beats a time course without a latent by two standard errors (gain {gain:.2g} nats a "
                "trial): there are no single-trial dynamics to tell apart"
            )
        ramping = float(np.clip(norm.cdf(z), LEAST, MOST))
        weights = {RAMPING: ramping, STEPPING: 1 - ramping}
        return among(recording.attrs.get("brief", {}), weights, notes, (RAMPING, STEPPING))


def drifting(counts: np.ndarray, condition: np.ndarray) -> np.ndarray:
    """(trial, unit): how much more than its condition's mean each unit fired in the trials around, not this one."""
    total = counts.sum(axis=1)
    member = np.eye(int(condition.max()) + 1)[condition]
    expected = member @ ((member.T @ total) / member.sum(axis=0)[:, None])
    index = np.arange(len(total))
    near = np.abs(index[:, None] - index) <= NEIGHBOURS
    np.fill_diagonal(near, False)
    prior = expected.mean(axis=0)  # as much as one trial of no drift
    return (near @ total + prior) / np.maximum(near @ expected + prior, ONE)


def _first_levels(counts: np.ndarray) -> np.ndarray:
    """(before, lower, upper; unit) mean counts per bin, by the side of late activity's main axis that trials end on."""
    n_bins = counts.shape[1]
    late = counts[:, -max(1, n_bins // 3) :].mean(axis=1)
    along = (np.sqrt(late) - np.sqrt(late).mean(axis=0)) @ choice_axis(late)
    upper = along > np.median(along)
    before = counts[:, : max(1, n_bins // 10)].mean(axis=(0, 1))
    split = upper if 0 < upper.sum() < len(upper) else np.arange(len(upper)) % 2 == 0
    return np.stack([before, late[~split].mean(axis=0), late[split].mean(axis=0)]) + 1e-3
