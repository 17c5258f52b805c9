"""What the experimenter does: trials, stimuli, durations, perturbations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from simlab.errors import SimlabError

KINDS = ("stimulate", "silence", "clamp")

SILENCE_CURRENT = 10.0
"""A silenced neuron gets a hyperpolarising current of this many rheobases per unit of strength."""


def _require(rule: bool, message: str) -> None:
    if not rule:
        raise SimlabError(message)


def _check_window(kind: str, start: float, stop: float) -> None:
    _require(kind in KINDS, f"a perturbation's kind must be one of {', '.join(KINDS)}, got {kind!r}")
    _require(
        np.isfinite(start) and np.isfinite(stop) and 0 <= start < stop,
        f"a perturbation needs 0 <= start < stop in seconds from trial onset, got start={start}, stop={stop}",
    )


@dataclass(frozen=True)
class Perturbation:
    """A manipulation aimed at units, in a window, on some trials.

    kind: `stimulate` (strength 1 = a current of one rheobase: from rest just to threshold), `silence`
    (strength 1 = `SILENCE_CURRENT` rheobases of hyperpolarisation), `clamp` (strength = firing rate [Hz] that
    the neuron is held at). start, stop: [s] from trial onset. trials: which of them; None is all.
    """

    kind: str
    targets: tuple[int, ...]
    strength: float
    start: float
    stop: float
    trials: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        _check_window(self.kind, self.start, self.stop)
        _require(len(self.targets) > 0, "a perturbation needs at least one target unit, got none")
        _require(
            np.isfinite(self.strength) and self.strength >= 0,
            f"a perturbation's strength must be finite and >= 0, got {self.strength}: use kind='silence' to inhibit",
        )


@dataclass(frozen=True, eq=False)
class NeuronPerturbation:
    """The same after a stimulator: `strength` (neuron,) in the units of `kind`; zero leaves a neuron alone."""

    kind: str
    strength: np.ndarray
    start: float
    stop: float
    trials: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        _check_window(self.kind, self.start, self.stop)
        object.__setattr__(self, "strength", np.asarray(self.strength, dtype=float))
        _require(bool(np.isfinite(self.strength).all()), "a perturbation's strength per neuron must be finite")


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
    perturbations: tuple[Perturbation | NeuronPerturbation, ...] = field(default=())

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
            _require(
                perturbation.stop <= self.duration + 1e-9,
                f"a perturbation must end within the trial of {self.duration} s, got stop={perturbation.stop}",
            )
            chosen = perturbation.trials
            _require(
                chosen is None or all(0 <= trial < self.trials for trial in chosen),
                f"a perturbation's trials must lie in 0..{self.trials - 1}, got {chosen}",
            )

    def perturbed(self, *perturbations: Perturbation | NeuronPerturbation) -> Session:
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
            "perturbations": [_perturbation_to_dict(p) for p in self.perturbations],
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
            perturbations=tuple(_perturbation_from_dict(p) for p in plain.get("perturbations") or ()),
        )


def _with_nulls(values: np.ndarray) -> list:
    """Nested lists with None for NaN, which JSON has not."""
    plain = values.astype(object)
    plain[np.isnan(values)] = None
    return plain.tolist()


def _perturbation_to_dict(perturbation: Perturbation | NeuronPerturbation) -> dict[str, Any]:
    aimed = isinstance(perturbation, Perturbation)
    return {
        "kind": perturbation.kind,
        **({"targets": [int(t) for t in perturbation.targets]} if aimed else {}),  # type: ignore[union-attr]
        "strength": float(perturbation.strength) if aimed else perturbation.strength.tolist(),  # type: ignore
        "start": float(perturbation.start),
        "stop": float(perturbation.stop),
        "trials": None if perturbation.trials is None else [int(t) for t in perturbation.trials],
    }


def _perturbation_from_dict(plain: Mapping[str, Any]) -> Perturbation | NeuronPerturbation:
    trials = plain.get("trials")
    window = (plain["start"], plain["stop"], None if trials is None else tuple(trials))
    if "targets" in plain:
        return Perturbation(plain["kind"], tuple(plain["targets"]), plain["strength"], *window)
    return NeuronPerturbation(plain["kind"], np.array(plain["strength"]), *window)


def current_per_neuron(session: Session, n_neurons: int, times: np.ndarray) -> np.ndarray | None:
    """The commanded current (trial, time, neuron) [rheobases] at `times` (time,) [s]; None if there is none."""
    pulses = [p for p in neuron_perturbations(session, n_neurons) if p.kind != "clamp"]
    if not pulses:
        return None
    current = np.zeros((session.trials, len(times), n_neurons), dtype=np.float32)
    for pulse in pulses:
        gain = 1.0 if pulse.kind == "stimulate" else -SILENCE_CURRENT
        window = (times >= pulse.start) & (times < pulse.stop)
        current[np.ix_(pulsed_trials(pulse, session.trials), window)] += gain * pulse.strength
    return current


def pulsed_trials(pulse: NeuronPerturbation | Perturbation, trials: int) -> np.ndarray:
    """Indices of the trials that a perturbation acts on."""
    return np.arange(trials) if pulse.trials is None else np.asarray(pulse.trials, dtype=int)


def neuron_perturbations(session: Session, n_neurons: int) -> Sequence[NeuronPerturbation]:
    """The session's perturbations, checked to be per neuron and to fit this subject."""
    for pulse in session.perturbations:
        if not isinstance(pulse, NeuronPerturbation):
            raise SimlabError(
                "a subject takes perturbations per neuron, got one aimed at units: send it through a rig, "
                "whose stimulator turns units into neurons"
            )
        if pulse.strength.shape != (n_neurons,):
            raise SimlabError(
                f"a perturbation's strength must be one number per neuron ({n_neurons},), got {pulse.strength.shape}"
            )
    return session.perturbations  # type: ignore[return-value]
