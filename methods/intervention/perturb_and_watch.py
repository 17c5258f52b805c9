"""The verdict by experiment: push the bump aside and watch whether it stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from methods.population._population import two_label_finding, unusable, wrap
from methods.population._ring_readout import RingTuning, activity, angle_feature, cue_at, last_shown, learn_tuning
from simlab.contracts import Finding, Needs, Rig
from simlab.data import is_spiking
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Angle, Count, Pause, Repeats
from simlab.session import Perturbation, Session

Window = tuple[float, float]
Part = Annotated[float, Within(0, 1, excluding=(0, 1))]
Length = Annotated[float, Within(1e-3, 1000, "s")]


@dataclass(frozen=True)
class Schedule:
    """How the budget is spent, and when [s from trial onset] a trial is read, pulsed and read again."""

    n_baseline: int
    n_test: int
    duration: float
    before: Window
    pulse: Window
    after: Window


@dataclass(frozen=True)
class PerturbAndWatch:
    """Stimulates units with neighbouring preferred angles in the dark and asks whether the decoded angle stays moved.

    A neutrally stable bump remains where a transient push left it; activity driven from elsewhere returns when
    the push ends (Seung 1996; Kim et al. 2017; Inagaki et al. 2019). A first, natural session gives each unit's
    preferred angle. In a second one most trials carry a pulse to the units around a goal, `offset` to a random side of
    the cue; its other trials and the first session are controls with sham goals. Let D and d be the displacements
    towards the goal during and well after the pulse, less those of the controls. The rival predicts d = 0, the
    attractor any d between 0 and D alike; their likelihoods (Student's t, standard error of d) give the
    probability. The persistence index is d / D, with a bootstrap interval.

    Abstains on too small a budget, too few active units and a pulse that shifts nothing while it lasts. It needs
    spikes, since the decay of a slow signal would pass for persistence.
    """

    name: ClassVar[str] = "perturb_and_watch"
    question: ClassVar[str] = "mechanism"
    family: ClassVar[str] = "perturbation"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), units=6)

    attractor: str = "ring attractor"
    rival: str = "feedforward"
    strength: Annotated[float, Within(0, 1000, "rheobases", excluding=(0,))] = 2.0
    offset: Angle = np.pi / 3  # rad from the cue to the goal: on the flank of a bump, where a push moves it
    reach: Angle = np.pi / 6  # rad; units with preferred angles this near the goal are stimulated
    min_targets: Count = 3  # the nearest ones, if fewer are within reach
    baseline_share: Part = 0.35  # of the trials, spent on learning preferred angles
    control_share: Part = 0.2  # of the trials of the second session
    shortest: Length = 1.0  # s; no trial is shorter
    longest: Length = 3.0  # s; no trial is longer, however large the budget
    pulse_length: Length = 0.3  # s
    settling: Pause = 0.3  # s from the pulse's end to the second reading: several synaptic time constants
    reading: Length = 0.4  # s, length of the second reading; a longer one gathers more drift than spikes
    most_trials: Repeats = 60  # asked for, however large the budget
    least_pulsed: Repeats = 3  # pulsed trials without which there is no verdict
    n_resamples: Repeats = 2000

    def __post_init__(self) -> None:
        check_fields(self)
        require(
            self.shortest <= self.longest,
            f"shortest must be <= longest, got {self.shortest} and {self.longest} s: no trial is both",
        )

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """Records two sessions within the rig's budget; the notes give D, d [rad], the index and the targets."""
        labels = two_label_finding(rig.brief, self.attractor, self.rival, 0.5, {})
        schedule = self._schedule(rig)
        if labels.abstained or isinstance(schedule, Finding):
            return labels if labels.abstained else schedule  # type: ignore[return-value]
        baseline = rig.record(rig.session(trials=schedule.n_baseline, duration=schedule.duration))
        refusal = unusable(baseline, self.needs)
        if refusal is not None:
            return refusal
        tuning = self._tuning(schedule, baseline)
        natural = rig.session(trials=schedule.n_test, duration=schedule.duration)
        session, targets = self._with_pulses(natural, tuning, schedule, rig.remaining.perturbations, rng)
        recordings = (baseline, rig.record(session))
        refined = self._tuning(schedule, *recordings)
        shifts, pulsed = self._shifts(recordings, targets, refined, schedule, rng)
        return self._verdict(rig.brief, shifts, pulsed, rng)

    def _schedule(self, rig: Rig) -> Schedule | Finding:
        """Splits the budget into two sessions and a trial into windows; or says why it is too small."""
        left = rig.remaining
        trials = int(min(left.trials, self.most_trials, left.seconds / self.shortest))
        n_baseline = max(3, round(self.baseline_share * trials))
        n_test = trials - n_baseline
        if n_test < self.least_pulsed + 1 or left.perturbations < self.least_pulsed:
            return Finding.abstain(
                f"the budget of {left.trials:g} trials, {left.seconds:g} s and {left.perturbations:g} perturbations "
                f"buys {max(0, n_test)} test trials; it takes {self.least_pulsed + 1}, all but one with a pulse"
            )
        # Whole bins, rounded down, so that the seconds asked for never exceed the budget.
        duration = np.floor(min(self.longest, left.seconds / trials) * 20) / 20
        dark = _cue_end(rig.session(trials=1, duration=duration))
        start = dark + (duration - dark) / 4
        stop = start + min(self.pulse_length, (duration - dark) / 5)
        after = min(stop + self.settling, (stop + duration) / 2)
        if start - dark < 0.1:
            return Finding.abstain(
                f"trials of {duration:g} s leave {duration - dark:g} s of dark: too short to push and watch"
            )
        end = min(after + self.reading, float(duration))
        return Schedule(n_baseline, n_test, float(duration), (dark, start), (start, stop), (after, end))

    def _tuning(self, schedule: Schedule, *recordings: xr.Dataset) -> RingTuning:
        """Tuning from the baseline and, of later sessions, from what lies outside the pulse and its wake."""
        parts = []
        for n_earlier, recording in enumerate(recordings):
            values, times = activity(recording)
            wake = (times > schedule.pulse[0] - 0.1) & (times < schedule.after[0])
            kept = np.ones(len(times), bool) if n_earlier == 0 else ~wake
            parts.append((values[:, kept], cue_at(recording, times)[:, kept]))
        values, cue = (
            np.concatenate([part.reshape(-1, *part.shape[2:]) for part in column])
            for column in zip(*parts, strict=True)
        )
        return learn_tuning(values, cue, is_spiking(recordings[0]))

    def _with_pulses(
        self, natural: Session, tuning: RingTuning, schedule: Schedule, affordable: float, rng: np.random.Generator
    ) -> tuple[Session, list[tuple[int, ...]]]:
        """The session with one pulse in each of its pulsed trials, and each trial's targets; none for controls."""
        n_pulsed = int(min(affordable, max(self.least_pulsed, round((1 - self.control_share) * natural.trials))))
        goals = self._goals(_cues(natural), rng)
        targets: list[tuple[int, ...]] = [()] * natural.trials
        for trial in rng.permutation(natural.trials)[:n_pulsed]:
            targets[trial] = self._targets(goals[trial], tuning)
        pulses = [
            Perturbation(
                "stimulate", group, self.strength, *schedule.pulse,
                trials=tuple(trial for trial, aimed in enumerate(targets) if aimed == group),
            )
            for group in sorted(set(targets) - {()})
        ]  # fmt: skip
        return natural.perturbed(*pulses), targets

    def _goals(self, cues: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """An angle at `offset` to either side of each cue; any angle where none was shown."""
        beside = cues + self.offset * rng.choice([-1.0, 1.0], len(cues))
        return wrap(np.where(np.isfinite(cues), beside, rng.uniform(-np.pi, np.pi, len(cues))))

    def _targets(self, goal: float, tuning: RingTuning) -> tuple[int, ...]:
        """The units near the goal, of those whose tuning at least doubles their rate."""
        tuned = np.flatnonzero(tuning.depth > tuning.base)
        if len(tuned) < self.min_targets:
            tuned = np.argsort(-tuning.depth / tuning.base)[: self.min_targets]
        apart = np.abs(wrap(tuning.preferred[tuned] - goal))
        n_targets = max(self.min_targets, int((apart <= self.reach).sum()))
        return tuple(sorted(int(unit) for unit in tuned[np.argsort(apart, kind="stable")[:n_targets]]))

    def _shifts(
        self,
        recordings: tuple[xr.Dataset, xr.Dataset],
        targets: list[tuple[int, ...]],
        tuning: RingTuning,
        schedule: Schedule,
        rng: np.random.Generator,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Displacements towards the goal (trial, 2) during and after the pulse, and which trials were pulsed.

        The goal is where the targets' preferred angles lie by this tuning; controls get sham goals.
        """
        angles = np.concatenate([self._angles(recording, tuning, schedule) for recording in recordings])
        cues = np.concatenate([_cues_seen(recording) for recording in recordings])
        goals = self._goals(cues, rng)
        pulsed = np.array([False] * schedule.n_baseline + [bool(group) for group in targets])
        for trial, group in enumerate(targets, start=schedule.n_baseline):
            if group:
                goals[trial] = np.angle(np.exp(1j * tuning.preferred[list(group)]).mean())
        side = np.sign(wrap(goals - angles[:, 0]))
        return side[:, None] * wrap(angles[:, 1:] - angles[:, :1]), pulsed

    def _angles(self, recording: xr.Dataset, tuning: RingTuning, schedule: Schedule) -> np.ndarray:
        """Decoded angle (trial, 3) before, during and after the pulse."""
        values, times = activity(recording, smoothing=0.0)
        windows = (schedule.before, schedule.pulse, schedule.after)
        means = [values[:, (times >= start) & (times < stop)].mean(1) for start, stop in windows]
        return np.stack([tuning.decode(mean) for mean in means], axis=1)

    def _verdict(
        self, brief: Mapping[str, Any], shifts: np.ndarray, pulsed: np.ndarray, rng: np.random.Generator
    ) -> Finding:
        test, control = shifts[pulsed], shifts[~pulsed]
        during, after = test.mean(0) - control.mean(0)
        draws = _resampled(test, rng, self.n_resamples) - _resampled(control, rng, self.n_resamples)
        error = np.maximum(draws.std(0), 0.01)
        if during < 2.0 * error[0]:
            return Finding.abstain(
                f"the pulse moved the decoded angle by {np.degrees(during):.0f} +- {np.degrees(error[0]):.0f} degrees "
                "while it lasted: it did nothing that could persist"
            )
        probability = persistence_probability(during, after, error[1], len(test) - 1)
        index = np.quantile(draws[:, 1] / np.maximum(draws[:, 0], 0.01), [0.025, 0.975])
        notes: dict[str, object] = {
            "during": float(during), "after": float(after), "standard_error": float(error[1]),
            "persistence_index": float(after / during), "index_interval": (float(index[0]), float(index[1])),
            "pulsed_trials": len(test), "control_trials": len(control),
        }  # fmt: skip
        return two_label_finding(brief, self.attractor, self.rival, probability, notes)


def persistence_probability(during: float, after: float, error: float, freedom: int) -> float:
    """Probability that a displacement stays, if staying leaves any part of it alike and returning leaves none.

    during, after: displacements [rad]; error: standard error of the latter, with these degrees of freedom.
    """
    from scipy.stats import t

    returns = t.pdf(after / error, freedom) / error
    stays = (t.cdf(after / error, freedom) - t.cdf((after - during) / error, freedom)) / during
    return float(np.clip(stays / (stays + returns), 0.01, 0.99))


def _resampled(shifts: np.ndarray, rng: np.random.Generator, n_resamples: int) -> np.ndarray:
    """Means (resample, 2) of bootstrap samples of the trials."""
    return shifts[rng.integers(len(shifts), size=(n_resamples, len(shifts)))].mean(1)


def _cue_end(session: Session) -> float:
    """When the last cue ends [s]; 0 where there is none."""
    if session.stimulus is None:
        return 0.0
    shown = np.isfinite(session.stimulus.values).any((0, 2))
    return float((np.flatnonzero(shown)[-1] + 1) * session.stimulus.interval) if shown.any() else 0.0


def _cues(session: Session) -> np.ndarray:
    """The last angle shown in each trial (trial,); NaN where none was."""
    if session.stimulus is None:
        return np.full(session.trials, np.nan)
    names = [str(name) for name in session.stimulus.features]
    return last_shown(session.stimulus.values[:, :, angle_feature(names)])[:, -1]


def _cues_seen(recording: xr.Dataset) -> np.ndarray:
    times = recording["time"].values if "time" in recording.coords else np.zeros(1)
    return last_shown(cue_at(recording, times))[:, -1]
