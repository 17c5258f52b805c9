"""Silence one area at a time and name it after the behaviour that is lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from methods.intervention._silencing import Length, Silencer, Strength, too_few
from simlab.contracts import Finding, Needs, Rig
from simlab.data import missing
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Level, Repeats
from simlab.session import Perturbation, Session


@dataclass(frozen=True)
class LesionLocalisation:
    """Every area is silenced by itself in all behaviours; it is named after what fails without it.

    A behaviour is lost where its outcome falls by more than `least_loss` of that of controls, significantly so (normal
    approximation, Bonferroni over areas and behaviours at `alpha`). An area whose loss ends one behaviour gets that
    behaviour as its function, one that ends several is generic, one that ends none does nothing. So lesions were read
    from Broca on; what it cannot see is a behaviour that nobody watched. Units of one area (`unit_region`) get one
    label; without areas every unit is its own. Cost: `trials_each` trials per area and behaviour, and as controls.

    With `more_behaviours` the animal is also asked for so many that are not among those that were watched (further
    conditions): an area that ends one of those is generic, whatever it looked like. What is shown goes with what is
    asked for: trials are chosen among those that the task proposes, by their condition. For a condition that it never
    proposes a stimulus is taken that was proposed under several others, as operands are that any program can work on;
    where each stimulus belongs to a condition nobody knows those of further ones, and it abstains.
    """

    name: ClassVar[str] = "lesion_localisation"
    question: ClassVar[str] = "localisation"
    family: ClassVar[str] = "lesion"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(units=1, outcome=True, conditions=True)

    alpha: Level = 0.05
    least_loss: Level = 0.25
    """Of the outcome of controls."""
    trials_each: Repeats = 20
    """Of each area and behaviour, if the budget allows."""
    more_behaviours: Annotated[int, Within(0, 1000)] = 0
    fewest_each: Repeats = 3
    """Without which it abstains."""
    duration: Length = 1.0
    strength: Strength = 1.0

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """One session: areas by turns, controls in between; the notes give the outcome (area, behaviour)."""
        behaviours = [f for f in rig.brief.get("functions", ()) if f.startswith("behaviour")]
        if not behaviours:
            return Finding.abstain("the brief names no behaviours that were watched: an area can be named after none")
        area = _areas(rig.units)
        n_sets, tried = int(area.max(initial=0)) + 2, len(behaviours) + self.more_behaviours
        trials = Silencer(rig, self.duration).affordable(n_sets - 1, controls=1)
        trials = min(trials, self.trials_each * tried)
        if trials < self.fewest_each * tried:
            return too_few(rig, f"{self.fewest_each} trials of each of {n_sets - 1} areas in {tried} behaviours")
        session = self._session(rig, trials * n_sets, tried, rng)
        if isinstance(session, Finding):
            return session
        mine = rng.permutation(np.arange(session.trials) % n_sets)
        recording = rig.record(session.perturbed(*self._lesions(session, mine, area, "unit_region" in rig.units)))
        if reason := missing(recording, self.needs):
            return Finding.abstain(reason)
        lost, outcome = self._lost(recording, mine, n_sets, tried)
        labels = np.array([_label(row, behaviours) for row in lost], dtype=object)
        return Finding({"function": labels[area]}, notes={"outcome": outcome, "trials_each": trials})

    def _session(self, rig: Rig, trials: int, behaviours: int, rng: np.random.Generator) -> Session | Finding:
        proposed = rig.session(trials=trials, duration=self.duration)
        return asked_for(proposed, behaviours, rng) if self.more_behaviours else proposed

    def _lesions(self, session: Session, mine: np.ndarray, area: np.ndarray, by_region: bool) -> list[Perturbation]:
        """One perturbation per area, in its trials; set 0 are the controls."""
        lesions = []
        for number in range(int(mine.max())):
            trials = tuple(np.flatnonzero(mine == number + 1).tolist())
            targets = () if by_region else tuple(np.flatnonzero(area == number).tolist())
            region = f"region {number}" if by_region else ""
            if trials and (targets or region):
                lesions.append(
                    Perturbation("silence", targets, self.strength, 0.0, session.duration, trials, region=region)
                )
        return lesions

    def _lost(
        self, recording: xr.Dataset, mine: np.ndarray, n_sets: int, n_behaviours: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Which behaviours each area's silence ends (area, behaviour), and outcomes (set, behaviour)."""
        from scipy.stats import norm

        outcome, condition = recording["outcome"].values, recording["condition"].values
        mean, error = np.full((2, n_sets, n_behaviours), np.nan)
        for number in range(n_sets):
            for behaviour in range(n_behaviours):
                values = outcome[(mine == number) & (condition == behaviour)]
                if len(values):
                    share = (values.sum() + 1) / (len(values) + 2)
                    mean[number, behaviour] = values.mean()
                    error[number, behaviour] = np.sqrt(share * (1 - share) / (len(values) + 2))
        loss, noise = mean[0] - mean[1:], np.hypot(error[0], error[1:])
        critical = norm.isf(self.alpha / max(loss.size, 1))
        with np.errstate(invalid="ignore"):
            return (loss > self.least_loss * mean[0]) & (loss > critical * noise), mean


def asked_for(session: Session, behaviours: int, rng: np.random.Generator) -> Session | Finding:
    """As many trials, of conditions 0.. that are so many, equally often and in a random order, and what goes with them.

    session: one that the task proposes. An abstention where a condition's stimulus cannot be known.
    """
    condition = rng.permutation(np.arange(session.trials) % behaviours)
    new = replace(session, conditions=tuple(condition.tolist()))
    if session.stimulus is None:
        return new
    shown, proposed = session.stimulus.values, np.asarray(session.conditions if session.conditions is not None else [])
    loose = _of_several_conditions(shown, proposed)
    source = np.empty(session.trials, dtype=int)
    for one in range(behaviours):
        with_it = np.flatnonzero(proposed == one)
        pool = with_it if len(with_it) else loose
        if not len(pool):
            return Finding.abstain(
                f"the task proposes no trial of condition {one} and shows something else in each of its conditions: "
                "what to show where another behaviour is asked for is not known"
            )
        mine = condition == one
        source[mine] = rng.permutation(pool)[np.arange(mine.sum()) % len(pool)]
    return replace(new, stimulus=replace(session.stimulus, values=shown[source]))


def _of_several_conditions(shown: np.ndarray, condition: np.ndarray) -> np.ndarray:
    """The trials whose stimulus, of all (trial, step, feature), was proposed under more than one condition (trial,)."""
    if not len(condition):
        return np.arange(len(shown))
    flat = np.nan_to_num(shown.reshape(len(shown), -1), nan=np.inf)
    _, which = np.unique(flat, axis=0, return_inverse=True)
    which = which.reshape(-1)
    pairs = np.unique(np.stack([which, condition]), axis=1)
    return np.flatnonzero(np.bincount(pairs[0])[which] > 1)


def _areas(units: xr.Dataset) -> np.ndarray:
    """(unit,) number of its area, or of itself where nobody knows areas."""
    return units["unit_region"].values if "unit_region" in units else np.arange(units.sizes["unit"])


def _label(lost: np.ndarray, behaviours: list[str]) -> str:
    """From which behaviours an area's loss ends; those that are not named were not watched."""
    if not lost.any():
        return "none"
    alone = lost.sum() == 1 and lost[: len(behaviours)].any()
    return behaviours[int(lost.argmax())] if alone else "generic"
