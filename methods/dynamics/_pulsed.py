"""Pulses in the middle of decisions: which units to push, when, and what is left of it at the end of the trial."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from methods.dynamics._decisions import active, choice_axis
from simlab.contracts import Finding, Rig
from simlab.data import durations, in_window
from simlab.session import Perturbation, Session

MOST_TRIALS = 400
"""Of a session, however large the budget."""

LEAST_GROUP = 8
"""Trials of each kind: pulsed, or not."""

READING = 0.2
"""s, at the end of a trial, in which what is left is read."""

LONGEST = 2.0
"""s, of a trial: time to push, to settle and to read."""


@dataclass(frozen=True)
class Fate:
    """What a pulse did along the choice axis, in standard deviations of unpulsed trials at the end: while it lasted, at
    the end, and the standard error of the latter. pulsed: trials."""

    during: float
    during_error: float
    after: float
    after_error: float
    pulsed: int

    @property
    def seen(self) -> bool:
        """Whether the pulse did anything while it lasted."""
        return self.during > 2 * self.during_error


def watched(
    rig: Rig,
    rng: np.random.Generator,
    *,
    strength: float,
    length: float,
    baseline_share: float,
    shortest: float,
    units: int,
) -> tuple[xr.Dataset, Fate, tuple[int, ...]] | Finding:
    """The unpulsed session, the fate of pulses at the stimulus's onset, and the units pushed; or why there is none.

    strength [rheobases]; length, shortest [s]: of a pulse, and of a trial at least; units: that must be active.
    """
    plan = planned(rig, baseline_share, shortest)
    if isinstance(plan, Finding):
        return plan
    n_baseline, n_test, duration = plan
    natural = rig.session(trials=n_baseline, duration=duration)
    start = session_onset(natural)
    if duration - start < 2 * length + READING:
        return Finding.abstain(f"trials of {duration:g} s leave no time between a pulse and the reading at the end")
    baseline = rig.record(natural)
    few = active(baseline, units)
    if few is not None:
        return few
    axis, targets = pushed_units(baseline)
    test = rig.session(trials=n_test, duration=duration)
    session, pulsed = with_pulses(test, targets, (start, start + length), strength, rig.remaining.perturbations, rng)
    found = fate((baseline, rig.record(session)), axis, pulsed, start, length)
    if not found.seen:
        return Finding.abstain(
            f"the pulse moved activity by {found.during:.2g} +- {found.during_error:.2g} while it lasted: it did "
            "nothing that could persist"
        )
    return baseline, found, targets


def planned(rig: Rig, baseline_share: float, shortest: float) -> tuple[int, int, float] | Finding:
    """Trials of the first and of the second session, and their duration [s]; or why the budget is too small.

    shortest [s]: no trial is shorter, so that long ones are fewer where seconds are scarce.
    """
    left = rig.remaining
    trials = int(min(left.trials, MOST_TRIALS, left.seconds / shortest))
    n_baseline = round(baseline_share * trials)
    n_test = trials - n_baseline
    if min(n_baseline, n_test // 2, left.perturbations) < LEAST_GROUP:
        return Finding.abstain(
            f"the budget of {left.trials:g} trials, {left.seconds:g} s and {left.perturbations:g} perturbations buys "
            f"{trials} trials, {min(n_test // 2, left.perturbations):g} with a pulse; it takes {LEAST_GROUP} of each"
        )
    duration = np.floor(min(LONGEST, left.seconds / trials) * 20 + 1e-9) / 20
    return n_baseline, n_test, float(duration)


def session_onset(session: Session) -> float:
    """When its stimulus begins [s]; 0 without one."""
    if session.stimulus is None:
        return 0.0
    shown = np.isfinite(session.stimulus.values).any(axis=(0, 2))
    return float(np.argmax(shown) * session.stimulus.interval) if shown.any() else 0.0


def pushed_units(baseline: xr.Dataset) -> tuple[np.ndarray, tuple[int, ...]]:
    """The choice axis (unit,) of late unpulsed activity, and the units that weigh on one side of it by the average or
    more.

    The side is that of more weight, so that the pulse pushes along the axis and forwards.
    """
    duration = float(baseline.attrs["duration"])
    late = in_window(baseline, duration - READING, READING)
    axis = choice_axis(late)
    axis = axis if axis.clip(0).sum() >= -axis.clip(max=0).sum() else -axis
    targets = np.flatnonzero(axis > max(float(np.abs(axis).mean()) / 2, 1e-9))
    return axis, tuple(int(unit) for unit in targets)


def with_pulses(
    session: Session, targets: tuple[int, ...], window: tuple[float, float], strength: float, affordable: float,
    rng: np.random.Generator,
) -> tuple[Session, np.ndarray]:  # fmt: skip
    """The session with a pulse in half of its trials, and which (trial,); each condition is spread over both halves."""
    order = np.argsort(rng.random(session.trials))
    if session.conditions is not None:
        order = order[np.argsort(np.asarray(session.conditions)[order], kind="stable")]
    chosen = rng.permutation(order[1::2])[: int(min(affordable, session.trials))]
    pulse = Perturbation("stimulate", targets, strength, *window, tuple(sorted(chosen.tolist())))
    return session.perturbed(pulse), np.isin(np.arange(session.trials), chosen)


def fate(
    recordings: tuple[xr.Dataset, xr.Dataset], axis: np.ndarray, chosen: np.ndarray, start: float, length: float
) -> Fate:
    """What pulses in the chosen trials (trial,) of the second did, against unpulsed trials of the same conditions."""
    duration = float(durations(recordings[0]).max())
    windows = ((start, length), (duration - READING, READING))
    along = np.concatenate(
        [np.stack([np.sqrt(in_window(r, *window)) @ axis for window in windows], axis=1) for r in recordings]
    )
    pulsed = np.concatenate([np.zeros(recordings[0].sizes["trial"], dtype=bool), chosen])
    condition = np.concatenate([_condition(r) for r in recordings])
    still, second = ~pulsed, np.arange(len(pulsed)) >= recordings[0].sizes["trial"]
    left = along.copy()
    for level in np.unique(condition):
        mine = condition == level
        usual = mine & still
        left[mine] -= along[usual if usual.any() else still].mean(axis=0)
    unit = max(float(along[still, 1].std()), 1e-9)
    usual = still & second  # of the same session, as baselines drift from one to the next
    change = (left[pulsed].mean(axis=0) - left[usual].mean(axis=0)) / unit
    error = np.sqrt(sum(left[some].var(axis=0, ddof=1) / some.sum() for some in (pulsed, usual))) / unit
    return Fate(float(change[0]), float(error[0]), float(change[1]), float(max(error[1], 1e-6)), int(pulsed.sum()))


def _condition(recording: xr.Dataset) -> np.ndarray:
    return recording["condition"].values if "condition" in recording else np.zeros(recording.sizes["trial"], dtype=int)
