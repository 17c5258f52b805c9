"""The regime by experiment: push groups of units and see what comes back, stays, spreads or grows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.dynamics._delay import in_the_dark
from methods.dynamics._pushes import Push, choose_groups, shift, stirred, swayed
from methods.dynamics._shapes import Shapes
from methods.dynamics._slow_space import SlowSpace, slow_space
from methods.population._population import unusable
from simlab.contracts import Finding, Needs, Rig
from simlab.data import is_spiking, signals
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Repeats, Width
from simlab.session import Perturbation, Session

Part = Annotated[float, Within(0, 1, excluding=(0, 1))]
Length = Annotated[float, Within(1e-3, 100, "s")]
Span = tuple[float, float]

ATTRACTOR = "attractor"
"""Of whatever shape."""


@dataclass(frozen=True)
class Schedule:
    """Trials of the two sessions, and the windows of a trial [s from its onset]."""

    n_baseline: int
    n_test: int
    duration: float
    before: Span
    pulse: Span
    late: Span


@dataclass(frozen=True)
class PerturbAndClassify:
    """Pushes groups of units along the directions in which the delay lasts, and classifies what becomes of the push.

    A first, natural session gives these directions and their shape (as `fitted_dynamics`). In a second, most trials
    carry a pulse into one of several groups of units that load alike on them. Changes since before the pulse are read,
    in the pushed units and in all others, as displacements of the state along the push:

    - others move along and stay there: an attractor, of the shape that was seen;
    - others are stirred, and later displaced this way or that, by which group and not along the push: the
      transient growth of a non-normal integrator (Goldman 2009, Neuron 61:621);
    - the pushed units stay moved and nobody else was: a memory of single cells, each a fixed point of its own;
    - nobody else was stirred, and the pushed ones return: driven from elsewhere;
    - nothing lasted to begin with, and others are stirred: a fixed point; else driven.

    (Seung 1996; Inagaki et al. 2019, Nature 566:212; Galgali et al. 2023.) Abstains where none of these fits, on too
    small a budget and where a pulse moves not even those that it hits. Costs seconds besides the recordings.
    """

    name: ClassVar[str] = "perturb_and_classify"
    question: ClassVar[str] = "dynamics"
    family: ClassVar[str] = "perturbation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes", "rate"), units=10)

    strength: Annotated[float, Within(0, 1000, "rheobases", excluding=(0,))] = 2.0
    n_groups: Annotated[int, Within(4, 100)] = 8
    baseline_share: Part = 0.35  # of the trials
    control_share: Part = 0.25  # of the second session's
    longest: Length = 3.0  # s; no trial is longer
    pulse_length: Length = 0.3  # s
    settling: Length = 0.3  # s from the pulse's end to the late reading
    reading: Length = 0.5  # s
    bin_width: Width = 0.05  # s
    most_trials: Repeats = 100
    level: Level = 0.01
    n_resamples: Repeats = 300
    shapes: Shapes = field(default_factory=Shapes)

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """Records two sessions within the rig's budget; the notes give displacements and their p-values."""
        schedule = self._schedule(rig)
        if isinstance(schedule, Finding):
            return schedule
        baseline = rig.record(rig.session(trials=schedule.n_baseline, duration=schedule.duration))
        refusal = unusable(baseline, self.needs)
        if refusal is not None:
            return refusal
        delay = in_the_dark(baseline, self.bin_width, 0.5, 0.1)
        if isinstance(delay, Finding):
            return delay
        lasting = self._space(delay.values, rng)
        aims = lasting if lasting.n_slow else self._space(self._light(baseline, schedule), rng)
        pushes = choose_groups(aims, baseline.sizes["unit"], self.n_groups, rng)
        natural = rig.session(trials=schedule.n_test, duration=schedule.duration)
        session, group = self._pulsed(natural, pushes, schedule, rig.remaining.perturbations, rng)
        activity = self._activity(rig.record(session))
        changes = self._changes(activity, schedule)
        label, why, notes = self._judge(changes, group, pushes, aims, lasting.n_slow > 0, rng)
        if label == ATTRACTOR or (label == "driven" and lasting.n_slow):
            dark = self._activity(baseline).shape[1] - delay.values.shape[1]
            free = np.concatenate([delay.values, activity[group < 0][:, dark:]])  # all trials that nobody pushed
            shape, unknown = self.shapes.name(self._space(free, rng), float(delay.times[-1] - delay.times[0]))
            if label == ATTRACTOR:
                label, why = shape, unknown
            elif shape == "bistable":
                label, why = (
                    "",
                    "there are two states, and the pushes took it from none to the other: too weak, or driven",
                )
        return Finding({"label": label}, notes=notes) if label else Finding.abstain(why)

    def _space(self, values: np.ndarray, rng: np.random.Generator) -> SlowSpace:
        return slow_space(values, self.bin_width, 0.3, self.level, self.n_resamples, rng)

    def _light(self, baseline: xr.Dataset, schedule: Schedule) -> np.ndarray:
        """Activity (trial, bin, unit) while something is shown; two bins at least."""
        return self._activity(baseline)[:, : max(2, round(schedule.before[0] / self.bin_width))]

    def _schedule(self, rig: Rig) -> Schedule | Finding:
        """Splits the budget into two sessions and a trial into windows; or says why it is too small."""
        left = rig.remaining
        trials = int(min(left.trials, self.most_trials))
        n_baseline = max(8, round(self.baseline_share * trials))
        n_test = trials - n_baseline
        if n_test < 2 * self.n_groups or left.perturbations < self.n_groups:
            return Finding.abstain(
                f"the budget of {left.trials:g} trials and {left.perturbations:g} perturbations is too small for "
                f"{n_baseline} trials of baseline and {2 * self.n_groups} with and without pulses into {self.n_groups} "
                "groups"
            )
        duration = float(np.floor(min(self.longest, left.seconds / trials) / self.bin_width + 1e-9) * self.bin_width)
        dark = _dark_from(rig.session(trials=1, duration=duration)) + 0.1
        start = dark + (duration - dark) / 4
        stop = start + self.pulse_length
        late = stop + self.settling
        if duration - late < 0.2:
            return Finding.abstain(f"trials of {duration:g} s leave no time in the dark to push and watch")
        return Schedule(
            n_baseline, n_test, duration, (dark, start), (start, stop), (late, min(late + self.reading, duration))
        )

    def _pulsed(
        self, natural: Session, pushes: list[Push], schedule: Schedule, affordable: float, rng: np.random.Generator
    ) -> tuple[Session, np.ndarray]:
        """The session with a pulse in most trials, and which push each trial has (trial,); -1 in controls."""
        n_pulsed = int(min(affordable, round((1 - self.control_share) * natural.trials)))
        group = np.full(natural.trials, -1)
        group[rng.permutation(natural.trials)[:n_pulsed]] = np.arange(n_pulsed) % len(pushes)
        pulses = [
            Perturbation(
                "stimulate",
                push.units,
                self.strength,
                *schedule.pulse,
                trials=tuple(np.flatnonzero(group == k).tolist()),
            )
            for k, push in enumerate(pushes)
        ]
        return natural.perturbed(*pulses), group

    def _activity(self, recording: xr.Dataset) -> np.ndarray:
        """(trial, bin, unit), as `in_the_dark` has it."""
        values = np.asarray(signals(recording, self.bin_width).values, dtype=float)
        return np.sqrt(values / self.bin_width) if is_spiking(recording) else values

    def _changes(self, activity: np.ndarray, schedule: Schedule) -> tuple[np.ndarray, np.ndarray]:
        """Of activity (trial, unit), since before the pulse: during it, and late."""
        at = (np.arange(activity.shape[1]) + 0.5) * schedule.duration / activity.shape[1]
        windows = (schedule.before, schedule.pulse, schedule.late)
        before, during, late = (activity[:, (at > a) & (at < b)].mean(axis=1) for a, b in windows)
        return during - before, late - before

    def _judge(
        self, changes: tuple[np.ndarray, np.ndarray], group: np.ndarray, pushes: list[Push], aims: SlowSpace,
        lasting: bool, rng: np.random.Generator,
    ) -> tuple[str, str, dict[str, object]]:  # fmt: skip
        """The regime (`ATTRACTOR` for any) or an empty name and why there is none; and what it stands on."""
        during, late = changes
        axes = aims.axes[:, : len(pushes[0].aim)]
        hit, kept = (shift(change, group, pushes, axes, own=True) for change in changes)
        moved = shift(late, group, pushes, axes, own=False)
        stir = stirred(during, group, pushes, self.n_resamples, rng)
        sway = swayed(late, group, pushes, axes, moved.mean, self.n_resamples, rng) if axes.size else 1.0
        notes: dict[str, object] = {
            "pushed": hit.mean, "kept": kept.mean, "p_kept": kept.p, "others": moved.mean, "p_others": moved.p,
            "p_stir": stir, "p_sway": sway, "lasts": lasting,
        }  # fmt: skip
        if hit.p > self.level:
            return "", f"the pulses did not move the units that they hit (p = {hit.p:.2g})", notes
        if not lasting:
            return ("fixed point" if stir < self.level else "driven"), "", notes
        if moved.p < self.level:
            return ATTRACTOR, "", notes
        if sway < self.level:
            return "non-normal integrator", "", notes
        if stir < self.level:
            return "", "others are pushed along and come back, where states last: no regime of the list", notes
        return ("fixed point" if kept.p < self.level else "driven"), "", notes


def _dark_from(session: Session) -> float:
    """When the last stimulus ends [s]; 0 where there is none."""
    if session.stimulus is None:
        return 0.0
    shown = np.isfinite(session.stimulus.values).any((0, 2))
    return float((np.flatnonzero(shown)[-1] + 1) * session.stimulus.interval) if shown.any() else 0.0
