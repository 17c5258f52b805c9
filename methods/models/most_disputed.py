"""Shows what the candidates disagree on most, and sees who is right."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.models._candidates import NEEDS, Beside, beside, correlations, ranking
from methods.models.model_predictivity import ridge
from simlab.contracts import BudgetExceeded, Finding, Needs, Rig, SimlabError
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Share
from simlab.session import Session

Seconds = Annotated[float, Within(0.05, 1000.0, "s")]

LEAST_TRIALS = 4


@dataclass(frozen=True)
class MostDisputed:
    """Controversial stimuli (Golan, Raju & Kriegeskorte 2020, PNAS 117:29330), for models that foretell neurons.

    A share `ordinary` of the budget records the natural task, on which every candidate is fitted to the units by ridge
    regression, as in `model_predictivity`. Then frames are bred: of those of the task, of their opposites, of blends of
    two and of noise, all of the length of the task's, the half on which the fitted candidates disagree most is kept and
    blended anew, `generations` times (what candidates do is asked of the rig, and costs nothing). The rest of the
    budget shows the most disputed frames, in random order. `score`: the median over units of the correlation between
    what a candidate foretold there and what was recorded. disputed=False: as many frames of the task, the control.

    It assumes that a response belongs to the frame that is shown in its bin; models with memory are held to account all
    the same, as what they do in the session that is recorded is asked anew. Cost: seconds of computing, the budget.
    """

    name: ClassVar[str] = "most_disputed"
    question: ClassVar[str] = "model_choice"
    family: ClassVar[str] = "active prediction"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    ordinary: Share = 0.5
    duration: Seconds = 10.0  # s, of a trial
    pool: Annotated[int, Within(20, 100_000)] = 600  # frames that are bred
    generations: Annotated[int, Within(0, 100)] = 6
    disputed: bool = True

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """The score of each candidate."""
        left = rig.remaining
        duration = min(self.duration, left.seconds / LEAST_TRIALS)
        number = int(min(left.trials, left.seconds // max(duration, 1e-9), 1000))
        if number < LEAST_TRIALS or duration * number < NEEDS.seconds:
            return Finding.abstain(f"it takes {LEAST_TRIALS} trials and {NEEDS.seconds:g} s, which are not left")
        first = int(np.clip(round(self.ordinary * number), 2, number - 2))
        try:
            seen = rig.record(task := rig.session(trials=first, duration=duration))
            if task.stimulus is None:
                return Finding.abstain("the task shows nothing that could be changed")
            found = beside(_told(seen, rig))
            if isinstance(found, Finding):
                return found
            fitted = Fitted.to(found)
            session = rig.session(trials=number - first, duration=duration)
            if self.disputed:
                session = _showing(session, self._bred(rig, fitted, session, rng), rng)
            return fitted.judged(_told(rig.record(session), rig))
        except BudgetExceeded:
            raise
        except SimlabError as refusal:
            return Finding.abstain(f"the rig does not show what is asked for: {refusal}")

    def _bred(self, rig: Rig, fitted: Fitted, task: Session, rng: np.random.Generator) -> np.ndarray:
        """(frame, feature): half of a pool, the most disputed one."""
        assert task.stimulus is not None
        usual = np.nan_to_num(task.stimulus.values).reshape(-1, len(task.stimulus.features))
        length = float(np.median(np.linalg.norm(usual, axis=1)))
        pool = usual[rng.integers(len(usual), size=self.pool)]
        for _ in range(self.generations):
            pool = np.concatenate([pool, _varied(pool, usual, length, rng)])
            dispute = fitted.dispute(rig.foretell(in_a_row(task, pool)), len(pool))
            pool = pool[np.argsort(-dispute, kind="stable")[: self.pool]]
        return pool[: max(self.pool // 2, 1)]


def _varied(pool: np.ndarray, usual: np.ndarray, length: float, rng: np.random.Generator) -> np.ndarray:
    """As many new frames: a third opposites, a third blends of two, a third blends with a frame of the task."""
    kind = rng.integers(3, size=len(pool))[:, None]
    mate, fresh = pool[rng.integers(len(pool), size=len(pool))], usual[rng.integers(len(usual), size=len(pool))]
    made = np.where(kind == 0, -pool, pool + np.where(kind == 1, mate, rng.uniform(0.2, 0.6) * fresh))
    size = np.linalg.norm(made, axis=1, keepdims=True)
    return np.asarray(made * (length / np.maximum(size, 1e-12)))


def in_a_row(task: Session, frames: np.ndarray) -> Session:
    """One trial that shows these frames, one after another."""
    stimulus = task.stimulus
    assert stimulus is not None
    shown = replace(stimulus, values=frames[None])
    return replace(task, trials=1, duration=len(frames) * stimulus.interval, stimulus=shown, conditions=None)


def bins_of(n_frames: int, n_bins: int) -> np.ndarray:
    """(frame,): the bin in the middle of each of the frames of a trial, whose bins need not be frames."""
    return np.minimum(((np.arange(n_frames) + 0.5) * n_bins / n_frames).astype(int), n_bins - 1)


def _showing(task: Session, frames: np.ndarray, rng: np.random.Generator) -> Session:
    """The task's trials with these frames instead, as often each as there is room."""
    stimulus = task.stimulus
    assert stimulus is not None
    n_trials, n_frames, _ = stimulus.values.shape
    order = np.concatenate([rng.permutation(len(frames)) for _ in range(-(-n_trials * n_frames // len(frames)))])
    values = frames[order[: n_trials * n_frames]].reshape(n_trials, n_frames, -1)
    return replace(task, stimulus=replace(stimulus, values=values))


def _told(recording: xr.Dataset, rig: Rig) -> xr.Dataset:
    return recording.assign_attrs(brief=dict(rig.brief))


Readout = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Fitted:
    """What makes units of each candidate's features: centre, scale and weights (feature, unit); None of a blind one."""

    readouts: tuple[Readout | None, ...]
    mean: np.ndarray  # (unit,)
    size: np.ndarray  # (unit,), the standard deviation
    varied: np.ndarray  # (unit of the recording,) whether it is one of these

    @classmethod
    def to(cls, found: Beside) -> Fitted:
        """By ridge regression on what was recorded."""
        mean = found.units.mean(axis=0)
        readouts: list[Readout | None] = []
        for model in found.models:
            if model is None or not np.ptp(model, axis=0).any():
                readouts.append(None)
                continue
            centre, spread = model.mean(axis=0), model.std(axis=0)
            scale = np.where(spread > 1e-9 * np.abs(centre) + 1e-300, spread, np.inf)
            readouts.append((centre, scale, ridge((model - centre) / scale, found.units - mean)))
        return cls(tuple(readouts), mean, found.units.std(axis=0), found.varied)

    def said(self, features: np.ndarray, place: int) -> np.ndarray | None:
        """(sample, unit): what a candidate foretells of its features (sample, feature)."""
        readout = self.readouts[place]
        if readout is None or features.shape[1] != len(readout[0]):
            return None
        centre, scale, weights = readout
        return np.asarray(self.mean + (features - centre) / scale @ weights)

    def dispute(self, told: xr.Dataset, n_frames: int) -> np.ndarray:
        """(frame,): the variance over candidates of what they foretell, in each unit's own, averaged over units."""
        owner, response = told["model"].values, told["model_response"].values[0].astype(float)
        said = [self.said(response[:, owner == k], k) for k in range(len(self.readouts))]
        there = [part / self.size for part in said if part is not None]
        found = np.stack(there).var(axis=0).mean(axis=1) if there else np.zeros(len(response))
        return np.asarray(found[bins_of(n_frames, len(found))])

    def judged(self, recording: xr.Dataset) -> Finding:
        """Candidates by how well what they foretell of a new recording correlates with it."""
        found = beside(recording, replace(NEEDS, units=1, seconds=0.0), every_unit=True)
        if isinstance(found, Finding):
            return found
        units = found.units[:, self.varied]
        said = [None if m is None else self.said(m, k) for k, m in enumerate(found.models)]
        return ranking([None if part is None else float(np.median(correlations(part, units))) for part in said])
