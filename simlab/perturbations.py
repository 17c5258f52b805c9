"""What is done to a subject: an intent aimed at units or a region, and the effects on neurons that a stimulator makes.

A method states a `Perturbation`. The stimulator beside the implant turns it into `Effect`s, of three kinds that every
engine honours: `drive` (a current), `hold` (a firing rate) and `gain` (a factor on synapses).
"""

from __future__ import annotations

import operator
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simlab.errors import SimlabError
from simlab.rules import require

KINDS = ("stimulate", "silence", "clamp", "cut")

EFFECTS = {"drive": 0.0, "hold": np.nan, "gain": 1.0}
"""The kinds of effect, and the value of each that leaves a neuron or a synapse alone."""

SILENCE_CURRENT = 10.0
"""A silenced neuron gets a hyperpolarising current of this many rheobases per unit of strength."""

INSTANT = 1e-9
"""Times [s] nearer to one another than this are the same."""

STRONGEST = {"stimulate": 1000.0, "silence": 1000.0, "clamp": 1000.0, "cut": 1.0}
"""The greatest strength of each kind: beyond any electrode [rheobases], neuron [Hz] or share [1]."""

LARGEST = 2**31 - 1
"""No whole number of a session is larger: a count of trials or an index."""


def shown(value: object) -> str:
    """A received value for an error message: short, on one line, whatever it is."""
    try:
        return " ".join(reprlib.repr(value).split())
    except Exception:  # a number of 5,000 digits, an object whose own repr fails
        return f"something of type {type(value).__name__}"


def whole(name: str, value: Any, least: int = -LARGEST) -> int:
    """A whole number of a session as a plain int; raises SimlabError for a bool, a fraction, or what is out of range.

    Plain, so that what is counted against a budget and what then runs are one number, whatever class it came in.
    """
    rule = f"{name} must be a whole number" + (f" >= {least}" if least >= 0 else "")
    try:
        require(not isinstance(value, bool | np.bool_), f"{rule}, got {shown(value)}")
        number = operator.index(value)
    except TypeError:
        raise SimlabError(f"{rule}, got {shown(value)}") from None
    require(least <= number <= LARGEST, f"{rule} and <= {LARGEST}, got {shown(number)}")
    return number


def finite(name: str, value: Any) -> float:
    """A quantity of a session as a plain float; raises SimlabError for what is no number or not finite."""
    value = value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value
    good = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    try:
        number = float(value) if good else np.nan
    except (OverflowError, TypeError, ValueError):  # an int of 400 digits, a subclass that lies
        number = np.nan
    require(bool(np.isfinite(number)), f"{name} must be a finite number, got {shown(value)}")
    return number


def several(name: str, values: Any) -> tuple[Any, ...]:
    """A list, tuple, array or other iterable as a tuple; raises SimlabError for text, a mapping or a single value."""
    listed = isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping)
    require(listed, f"{name} must be a list, got {shown(values)}")
    try:
        return tuple(values)
    except TypeError:  # an array without a dimension
        raise SimlabError(f"{name} must be a list, got {shown(values)}") from None


def fields(name: str, plain: Any, needed: set[str], optional: set[str]) -> None:
    """Raises SimlabError unless `plain` is a mapping that has all `needed` fields and no unknown one."""
    require(isinstance(plain, Mapping), f"{name} must be an object with fields, got {shown(plain)}")
    unknown, lacking = set(plain) - needed - optional, needed - set(plain)
    require(not unknown, f"{name} has no field {shown(sorted(map(str, unknown)))}")
    require(not lacking, f"{name} needs {', '.join(sorted(lacking))}, got {shown(dict(plain))}")


def numbers(name: str, values: Any) -> np.ndarray:
    """Nested lists of numbers as an array of its own, None as NaN; raises SimlabError for what is none."""
    try:
        return np.array(values, dtype=float)
    except (TypeError, ValueError, OverflowError) as error:
        raise SimlabError(f"{name} must be numbers in lists of equal lengths, got {shown(values)}") from error


def _settle(perturbation: Perturbation | Effect) -> None:
    """Makes the window and the trials plain numbers, and checks them."""
    start, stop = (finite(f"a perturbation's {name}", getattr(perturbation, name)) for name in ("start", "stop"))
    require(
        0 <= start < stop,
        f"a perturbation needs 0 <= start < stop in seconds from trial onset, got start={start}, stop={stop}",
    )
    trials = perturbation.trials
    if trials is not None:
        trials = tuple(whole("a perturbation's trials, each,", t) for t in several("a perturbation's trials", trials))
        require(
            0 < len(trials) == len(set(trials)),
            f"a perturbation's trials must name at least one trial, and each once, got {shown(trials)}: None is all",
        )
    for name, value in {"start": start, "stop": stop, "trials": trials}.items():
        object.__setattr__(perturbation, name, value)


@dataclass(frozen=True)
class Perturbation:
    """A manipulation aimed at units or at a region, in a window, on some trials.

    kind: `stimulate` (strength 1 = a current of one rheobase: from rest just to threshold), `silence`
    (strength 1 = `SILENCE_CURRENT` rheobases of hyperpolarisation), `clamp` (strength = firing rate [Hz] that
    the neuron is held at; 0 holds it silent) or `cut` (strength = the share, 0 to 1, that is taken from all synapses
    that the neuron makes). start, stop: [s] from trial onset. trials: which of them; None is all. region: a region of
    the subject's anatomy to aim at as a whole, in place of targets.
    """

    kind: str
    targets: tuple[int, ...]
    strength: float
    start: float
    stop: float
    trials: tuple[int, ...] | None = None
    region: str = ""

    def __post_init__(self) -> None:
        require(
            type(self.kind) is str and self.kind in KINDS,
            f"a perturbation's kind must be one of {', '.join(KINDS)}, got {shown(self.kind)}",
        )
        _settle(self)
        targets = tuple(whole("a perturbation's target", t) for t in several("a perturbation's targets", self.targets))
        object.__setattr__(self, "targets", targets)
        require(type(self.region) is str, f"a perturbation's region must be a name, got {shown(self.region)}")
        self._check_aim()
        self._check_strength()

    def _check_aim(self) -> None:
        aimed = f"got targets={shown(self.targets)} and region={shown(self.region)}"
        require(
            bool(self.targets) or bool(self.region),
            f"a perturbation needs at least one target unit or a region, {aimed}",
        )
        require(not (self.targets and self.region), f"a perturbation aims at units or at a region, not both, {aimed}")

    def _check_strength(self) -> None:
        strength = finite("a perturbation's strength", self.strength)
        object.__setattr__(self, "strength", strength)
        require(
            strength >= 0,
            f"a perturbation's strength must be >= 0, got {strength}: use kind='silence' to inhibit",
        )
        require(
            self.kind != "cut" or strength <= 1,
            f"a cut's strength is a share of the synapses, 0 to 1, got {strength}: 1 removes them",
        )
        most = STRONGEST[self.kind]
        require(
            strength <= most, f"a perturbation of kind {self.kind!r} has a strength of {most:g} at most, got {strength}"
        )

    def effect(self, reach: np.ndarray) -> Effect:
        """The effect of this intent, given the share of its strength that reaches each neuron (neuron,).

        A clamp holds whom it reaches at all; a cut leaves nothing of synapses where strength x reach is 1 or more.
        """
        reach = np.asarray(reach, dtype=float)
        strength = self.strength * reach
        kind, values = {
            "stimulate": ("drive", strength),
            "silence": ("drive", -SILENCE_CURRENT * strength),
            "clamp": ("hold", np.where(reach > 0, self.strength, np.nan)),
            "cut": ("gain", np.maximum(1 - strength, 0.0)),
        }[self.kind]
        return Effect(kind, values, self.start, self.stop, self.trials)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers, for JSON."""
        return {
            "kind": self.kind,
            "targets": [int(target) for target in self.targets],
            "region": self.region,
            "strength": float(self.strength),
            **_window_to_dict(self),
        }


@dataclass(frozen=True, eq=False)
class Effect:
    """What reaches neurons in a window, on some trials: one of three kinds.

    `drive`: a current [rheobases] into each neuron; several add up.
    `hold`: the firing rate [Hz] that each neuron is held at; NaN leaves it free, 0 holds it silent; of several, the
    last that is stated wins.
    `gain`: a factor on synapses, at the arrival of each spike; several multiply, 1 leaves alone, 0 cuts.

    values: (neuron,), or (step, neuron) of equal steps that tile start..stop [s]. A gain over `neuron` acts on all
    synapses that a neuron makes. With over="pair" its values are (pre, post), or (step, pre, post); where there is no
    synapse, nothing changes. An effect may last longer than its trial: what comes after the trial's end never happens.
    """

    kind: str
    values: np.ndarray
    start: float
    stop: float
    trials: tuple[int, ...] | None = None
    over: str = "neuron"

    def __post_init__(self) -> None:
        require(
            type(self.kind) is str and self.kind in EFFECTS,
            f"an effect's kind must be one of {', '.join(EFFECTS)}, got {shown(self.kind)}",
        )
        _settle(self)
        require(
            self.over == "neuron" or (self.over, self.kind) == ("pair", "gain"),
            f"an effect is over 'neuron', or a gain over 'pair', got {self.kind} over {shown(self.over)}",
        )
        object.__setattr__(self, "values", numbers("an effect's values", self.values))
        least, shapes = (1, "(neuron,) or (step, neuron)") if self.over == "neuron" else (2, "(pre, post) or with step")
        require(
            self.values.ndim in (least, least + 1) and self.values.size > 0,
            f"an effect's values over {self.over} must be {shapes}, got shape {self.values.shape}",
        )
        self._check_values()

    def _check_values(self) -> None:
        finite = np.isfinite(self.values)
        rule, fix, good = {
            "drive": ("finite [rheobases]", "0 leaves a neuron alone", finite),
            "hold": (
                ">= 0 Hz, or NaN",
                "NaN leaves a neuron free",
                np.isnan(self.values) | (finite & (self.values >= 0)),
            ),
            "gain": ("finite and >= 0", "1 leaves a synapse alone, 0 cuts it", finite & (self.values >= 0)),
        }[self.kind]
        require(bool(good.all()), f"a {self.kind}'s values must be {rule}, got {self.values[~good][:3]}: {fix}")

    @property
    def steps(self) -> np.ndarray:
        """(step, neuron) or (step, pre, post): one step where values are constant."""
        return self.values if self.values.ndim > (1 if self.over == "neuron" else 2) else self.values[None]

    @property
    def edges(self) -> np.ndarray:
        """(step + 1,) [s]: where its values change."""
        return np.linspace(self.start, self.stop, len(self.steps) + 1)

    def step_at(self, time: float) -> int | None:
        """Which step holds at a time [s] from trial onset; None outside the window."""
        if not self.start - INSTANT <= time < self.stop - INSTANT:
            return None
        width = (self.stop - self.start) / len(self.steps)
        return min(int((time - self.start + INSTANT) / width), len(self.steps) - 1)

    def at(self, time: float) -> np.ndarray | None:
        """The values in force at a time [s] from trial onset; None outside the window."""
        step = self.step_at(time)
        return None if step is None else self.steps[step]

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers, for JSON: null for NaN."""
        plain = self.values.astype(object)
        plain[np.isnan(self.values)] = None
        return {"kind": self.kind, "values": plain.tolist(), "over": self.over, **_window_to_dict(self)}


def _window_to_dict(perturbation: Perturbation | Effect) -> dict[str, Any]:
    trials = perturbation.trials
    return {
        "start": float(perturbation.start),
        "stop": float(perturbation.stop),
        "trials": None if trials is None else [int(trial) for trial in trials],
    }


def from_dict(plain: Mapping[str, Any]) -> Perturbation | Effect:
    """What either `to_dict` wrote: an Effect where there are values. Raises SimlabError for anything else."""
    effect = isinstance(plain, Mapping) and "values" in plain
    needed, optional = ({"kind", "values"}, {"over"}) if effect else ({"kind", "strength"}, {"targets", "region"})
    fields("a perturbation", plain, needed | {"start", "stop"}, optional | {"trials"})
    given = {name: value for name, value in plain.items() if value is not None or name in needed}
    return Effect(**given) if effect else Perturbation(**({"targets": ()} | given))
