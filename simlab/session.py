"""What the experimenter does: trials, stimuli, durations, and what is done to the subject (`simlab.perturbations`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from simlab import perturbations
from simlab.errors import SimlabError
from simlab.perturbations import (
    EFFECTS,
    INSTANT,
    KINDS,
    SILENCE_CURRENT,
    Effect,
    Perturbation,
)
from simlab.rules import require
from simlab.rules.received import fields, finite, numbers, several, shown, whole

__all__ = [
    "EFFECTS",
    "KINDS",
    "SILENCE_CURRENT",
    "Effect",
    "Perturbation",
    "Session",
    "Stimulus",
    "effects_on",
    "pulsed_trials",
    "sampled",
]


Intervention = frozenset[tuple]
"""All that is done on one trial: (kind, targets, onto, region, strength) of each perturbation."""


@dataclass(frozen=True, eq=False)
class Stimulus:
    """What was shown: `values` (trial, time, feature), constant within each `interval` [s]; NaN where nothing was.

    The values are an array of its own: what is done later to the one that was given changes nothing here.
    """

    features: tuple[str, ...]
    values: np.ndarray
    interval: float

    def __post_init__(self) -> None:
        features = several("a stimulus's features", self.features)
        require(
            all(type(f) is str for f in features) and len(features) == len(set(features)) > 0,
            f"a stimulus's features must be different names, one at least, got {shown(features)}",
        )
        values = numbers("stimulus values", self.values)
        require(
            values.ndim == 3 and values.shape[1] > 0 and values.shape[2] == len(features),
            f"stimulus values must be (trial, time, feature) with {len(features)} features, got shape {values.shape}",
        )
        require(not np.isinf(values).any(), "stimulus values must be finite, or NaN where nothing is shown; got inf")
        interval = finite("a stimulus interval", self.interval)
        require(interval > 0, f"a stimulus interval must be > 0 s, got {interval}")
        for name, value in {"features": features, "values": values, "interval": interval}.items():
            object.__setattr__(self, name, value)


@dataclass(frozen=True, eq=False)
class Session:
    """Trials of equal duration [s], what was shown in them, and what was done to the subject."""

    trials: int
    duration: float
    stimulus: Stimulus | None = None
    conditions: tuple[int, ...] | None = None
    perturbations: tuple[Perturbation | Effect, ...] = field(default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "trials", whole("trials", self.trials, least=1))
        duration = finite("a session's duration", self.duration)
        require(duration > 0, f"duration must be > 0 s, got {duration}: give each trial a positive length")
        object.__setattr__(self, "duration", duration)
        self._check_stimulus()
        if self.conditions is not None:
            conditions = tuple(whole("a condition", c) for c in several("a session's conditions", self.conditions))
            object.__setattr__(self, "conditions", conditions)
            require(
                len(conditions) == self.trials,
                f"a session has one condition per trial: {self.trials} trials, got {len(conditions)} conditions",
            )
        object.__setattr__(self, "perturbations", several("a session's perturbations", self.perturbations))
        for perturbation in self.perturbations:
            self._check_fits(perturbation)

    def _check_stimulus(self) -> None:
        if self.stimulus is None:
            return
        if not isinstance(self.stimulus, Stimulus):  # the text of an error is made where there is one
            raise SimlabError(f"a stimulus must be a Stimulus, got {shown(self.stimulus)}")
        require(
            self.stimulus.values.shape[0] == self.trials,
            f"the stimulus must cover every trial: {self.trials} trials, "
            f"got values for {self.stimulus.values.shape[0]}",
        )

    def _check_fits(self, perturbation: Perturbation | Effect) -> None:
        """An intent must end within the trial; an effect, such as a rebound, may begin there and outlast it."""
        if not isinstance(perturbation, Perturbation | Effect):
            raise SimlabError(f"a session's perturbations must be Perturbations or Effects, got {shown(perturbation)}")
        aimed = isinstance(perturbation, Perturbation)
        verb, name, last = ("end", "stop", perturbation.stop) if aimed else ("start", "start", perturbation.start)
        require(
            last <= self.duration + INSTANT,
            f"a perturbation must {verb} within the trial of {self.duration} s, got {name}={last}",
        )
        require(
            perturbation.kind != "lesion" or last >= self.duration - INSTANT,
            f"a lesion is permanent: it must stop at the trial's end, {self.duration} s, got stop={last}",
        )
        chosen = perturbation.trials
        if chosen is not None and (min(chosen) < 0 or max(chosen) >= self.trials):
            raise SimlabError(f"a perturbation's trials must lie in 0..{self.trials - 1}, got {shown(chosen)}")

    def perturbed(self, *perturbations: Perturbation | Effect) -> Session:
        """The same session with these perturbations added."""
        return replace(self, perturbations=self.perturbations + perturbations)

    def n_perturbed_trials(self) -> int:
        """How many (trial, pulse) pairs the perturbations make: what a budget counts."""
        return sum(self.trials if p.trials is None else len(p.trials) for p in self.perturbations)

    def interventions(self) -> set[Intervention]:
        """What is done on its trials, whatever the window: a set of perturbations for each trial that has any.

        Two trials on which the same is done have one intervention between them.
        """
        told = [_told(p) for p in self.perturbations if isinstance(p, Perturbation)]
        always = {done for p, done in told if p.trials is None}
        chosen: dict[int, set] = {}
        for perturbation, done in told:
            for trial in perturbation.trials or ():
                chosen.setdefault(trial, set()).add(done)
        found = {frozenset(always | done) for done in chosen.values()}
        return found | ({frozenset(always)} if always and len(chosen) < self.trials else set())

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers, for JSON lines and `run.json`; `from_dict` reads it back."""
        stimulus = self.stimulus
        return {
            "trials": int(self.trials),
            "duration": float(self.duration),
            "stimulus": None
            if stimulus is None
            else {
                "features": list(stimulus.features),
                "values": _with_nulls(stimulus.values),
                "interval": stimulus.interval,
            },
            "conditions": None if self.conditions is None else [int(c) for c in self.conditions],
            "perturbations": [p.to_dict() for p in self.perturbations],
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Session:
        """The session that `to_dict` wrote, or that a method in another language asks for.

        Raises SimlabError for anything else, before an array is built of it.
        """
        fields("a session", plain, {"trials", "duration"}, {"stimulus", "conditions", "perturbations"})
        given = {name: value for name, value in plain.items() if value is not None or name in ("trials", "duration")}
        if (stimulus := given.get("stimulus")) is not None:
            fields("a stimulus", stimulus, {"features", "values", "interval"}, set())
            given["stimulus"] = Stimulus(**stimulus)
        intents = several("a session's perturbations", given.get("perturbations", ()))
        return cls(**given | {"perturbations": tuple(perturbations.from_dict(p) for p in intents)})


def sampled(session: Session, feature: str, interval: float, rule: str) -> np.ndarray:
    """A session's one feature (trial, sample), every `interval` [s] of its trials; NaN where nothing is shown.

    rule: what the error says of a stimulus of other features, "a ring is shown one feature, 'angle' [rad]".
    """
    samples = int(np.ceil(session.duration / interval - 1e-9))
    if session.stimulus is None:
        return np.full((session.trials, samples), np.nan)
    if session.stimulus.features != (feature,):
        raise SimlabError(f"{rule}, got {session.stimulus.features}")
    at = (np.arange(samples) * interval / session.stimulus.interval + 1e-9).astype(int)
    values = np.concatenate([session.stimulus.values[:, :, 0], np.full((session.trials, 1), np.nan)], axis=1)
    return values[:, np.minimum(at, values.shape[1] - 1)]


def _told(perturbation: Perturbation) -> tuple[Perturbation, tuple]:
    """A perturbation, and what of it makes up an intervention: neither the order of its units nor its window."""
    targets, onto = (tuple(sorted(set(units))) for units in (perturbation.targets, perturbation.onto))
    return perturbation, (perturbation.kind, targets, onto, perturbation.region, perturbation.strength)


def plain_copy(session: Session) -> Session:
    """The same session in plain numbers and arrays of its own, all checked again: what a rig costs and runs.

    Raises SimlabError unless it and its parts are of the very classes of this house: a subclass may say one thing when
    it is costed and another when it is run.
    """
    if type(session) is not Session:
        raise SimlabError(f"a rig takes a simlab.Session, got {shown(session)}: change one that it gave out")
    if type(session.stimulus) not in (Stimulus, type(None)):
        raise SimlabError(f"a session's stimulus must be a simlab.Stimulus, got {shown(session.stimulus)}")
    intents = several("a session's perturbations", session.perturbations)
    odd = [p for p in intents if type(p) not in (Perturbation, Effect)]
    require(not odd, f"a session's perturbations must be Perturbations or Effects, got {shown(odd)}")
    stimulus = None if session.stimulus is None else replace(session.stimulus)
    return replace(session, stimulus=stimulus, perturbations=tuple(replace(p) for p in intents))


def _with_nulls(values: np.ndarray) -> list:
    """Nested lists with None for NaN, which JSON has not."""
    plain = values.astype(object)
    plain[np.isnan(values)] = None
    return plain.tolist()


def pulsed_trials(pulse: Effect | Perturbation, trials: int) -> np.ndarray:
    """Indices of the trials that a perturbation acts on."""
    return np.arange(trials) if pulse.trials is None else np.asarray(pulse.trials, dtype=int)


def effects_on(session: Session, n_neurons: int) -> tuple[Effect, ...]:
    """The session's perturbations, checked to be effects on neurons and to fit this subject."""
    for effect in session.perturbations:
        if not isinstance(effect, Effect):
            raise SimlabError(
                "a subject takes effects on neurons, got a perturbation aimed at units: send it through a rig, "
                "whose stimulator turns units into neurons"
            )
        wanted = (n_neurons,) if effect.over == "neuron" else (n_neurons, n_neurons)
        require(
            effect.steps.shape[1:] == wanted,
            f"a {effect.kind} must have one value per {effect.over} {wanted}, got {effect.steps.shape[1:]}",
        )
    return session.perturbations  # type: ignore[return-value]
