"""What the experimenter does: trials, stimuli, durations, and what is done to the subject (`simlab.perturbations`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from simlab import perturbations
from simlab.errors import SimlabError
from simlab.perturbations import EFFECTS, INSTANT, KINDS, SILENCE_CURRENT, Effect, Perturbation

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
]


def _require(rule: bool, message: str) -> None:
    if not rule:
        raise SimlabError(message)


@dataclass(frozen=True, eq=False)
class Stimulus:
    """What was shown: `values` (trial, time, feature), constant within each `interval` [s]; NaN where nothing was."""

    features: tuple[str, ...]
    values: np.ndarray
    interval: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", np.asarray(self.values, dtype=float))
        _require(
            self.values.ndim == 3 and self.values.shape[2] == len(self.features),
            f"stimulus values must be (trial, time, feature) with {len(self.features)} features, "
            f"got shape {self.values.shape}",
        )
        _require(self.interval > 0, f"a stimulus interval must be > 0 s, got {self.interval}")


@dataclass(frozen=True, eq=False)
class Session:
    """Trials of equal duration [s], what was shown in them, and what was done to the subject."""

    trials: int
    duration: float
    stimulus: Stimulus | None = None
    conditions: tuple[int, ...] | None = None
    perturbations: tuple[Perturbation | Effect, ...] = field(default=())

    def __post_init__(self) -> None:
        _require(
            isinstance(self.trials, int | np.integer) and self.trials >= 1,
            f"trials must be a whole number >= 1, got {self.trials!r}: ask the circuit for at least one trial",
        )
        _require(
            np.isfinite(self.duration) and self.duration > 0,
            f"duration must be finite and > 0 s, got {self.duration!r}: give each trial a positive length",
        )
        if self.stimulus is not None:
            _require(
                self.stimulus.values.shape[0] == self.trials,
                f"the stimulus must cover every trial: {self.trials} trials, "
                f"got values for {self.stimulus.values.shape[0]}",
            )
        for perturbation in self.perturbations:
            self._check_fits(perturbation)

    def _check_fits(self, perturbation: Perturbation | Effect) -> None:
        """An intent must end within the trial; an effect, such as a rebound, may begin there and outlast it."""
        aimed = isinstance(perturbation, Perturbation)
        verb, name, last = ("end", "stop", perturbation.stop) if aimed else ("start", "start", perturbation.start)
        _require(
            last <= self.duration + INSTANT,
            f"a perturbation must {verb} within the trial of {self.duration} s, got {name}={last}",
        )
        chosen = perturbation.trials
        _require(
            chosen is None or all(0 <= trial < self.trials for trial in chosen),
            f"a perturbation's trials must lie in 0..{self.trials - 1}, got {chosen}",
        )

    def perturbed(self, *perturbations: Perturbation | Effect) -> Session:
        """The same session with these perturbations added."""
        return replace(self, perturbations=self.perturbations + perturbations)

    def n_perturbed_trials(self) -> int:
        """How many (trial, pulse) pairs the perturbations make: what a budget counts."""
        return sum(self.trials if p.trials is None else len(p.trials) for p in self.perturbations)

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
        """The session that `to_dict` wrote, or that a method in another language asks for."""
        unknown = set(plain) - {"trials", "duration", "stimulus", "conditions", "perturbations"}
        _require(not unknown, f"a session has no field {sorted(unknown)}")
        stimulus = plain.get("stimulus")
        conditions = plain.get("conditions")
        return cls(
            trials=plain["trials"],
            duration=plain["duration"],
            stimulus=None
            if stimulus is None
            else Stimulus(tuple(stimulus["features"]), np.array(stimulus["values"], dtype=float), stimulus["interval"]),
            conditions=None if conditions is None else tuple(conditions),
            perturbations=tuple(perturbations.from_dict(p) for p in plain.get("perturbations") or ()),
        )


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
        _require(
            effect.steps.shape[1:] == wanted,
            f"a {effect.kind} must have one value per {effect.over} {wanted}, got {effect.steps.shape[1:]}",
        )
    return session.perturbations  # type: ignore[return-value]
