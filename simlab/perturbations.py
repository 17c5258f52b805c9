"""What is done to a subject: an intent aimed at units or a region, and the effects on neurons that a stimulator makes.

A method states a `Perturbation`. The stimulator beside the implant turns it into `Effect`s, of three kinds that every
engine honours: `drive` (a current), `hold` (a firing rate) and `gain` (a factor on synapses).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simlab.contracts import SimlabError

KINDS = ("stimulate", "silence", "clamp", "cut")

EFFECTS = {"drive": 0.0, "hold": np.nan, "gain": 1.0}
"""The kinds of effect, and the value of each that leaves a neuron or a synapse alone."""

SILENCE_CURRENT = 10.0
"""A silenced neuron gets a hyperpolarising current of this many rheobases per unit of strength."""

INSTANT = 1e-9
"""Times [s] nearer to one another than this are the same."""


def _require(rule: bool, message: str) -> None:
    if not rule:
        raise SimlabError(message)


def _check_window(start: float, stop: float) -> None:
    _require(
        bool(np.isfinite(start) and np.isfinite(stop) and 0 <= start < stop),
        f"a perturbation needs 0 <= start < stop in seconds from trial onset, got start={start}, stop={stop}",
    )


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
        _require(self.kind in KINDS, f"a perturbation's kind must be one of {', '.join(KINDS)}, got {self.kind!r}")
        _check_window(self.start, self.stop)
        aimed = f"got targets={self.targets} and region={self.region!r}"
        _require(
            bool(self.targets) or bool(self.region),
            f"a perturbation needs at least one target unit or a region, {aimed}",
        )
        _require(not (self.targets and self.region), f"a perturbation aims at units or at a region, not both, {aimed}")
        _require(
            bool(np.isfinite(self.strength) and self.strength >= 0),
            f"a perturbation's strength must be finite and >= 0, got {self.strength}: use kind='silence' to inhibit",
        )
        _require(
            self.kind != "cut" or self.strength <= 1,
            f"a cut's strength is a share of the synapses, 0 to 1, got {self.strength}: 1 removes them",
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
        _require(self.kind in EFFECTS, f"an effect's kind must be one of {', '.join(EFFECTS)}, got {self.kind!r}")
        _check_window(self.start, self.stop)
        _require(
            self.over == "neuron" or (self.over, self.kind) == ("pair", "gain"),
            f"an effect is over 'neuron', or a gain over 'pair', got {self.kind} over {self.over!r}",
        )
        object.__setattr__(self, "values", np.array(self.values, dtype=float))
        least, shapes = (1, "(neuron,) or (step, neuron)") if self.over == "neuron" else (2, "(pre, post) or with step")
        _require(
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
        _require(bool(good.all()), f"a {self.kind}'s values must be {rule}, got {self.values[~good][:3]}: {fix}")

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
    """What either `to_dict` wrote: an Effect where there are values."""
    trials = plain.get("trials")
    window = (plain["start"], plain["stop"], None if trials is None else tuple(trials))
    if "values" in plain:
        return Effect(plain["kind"], np.array(plain["values"], dtype=float), *window, plain.get("over", "neuron"))
    return Perturbation(
        plain["kind"], tuple(plain.get("targets", ())), plain["strength"], *window, plain.get("region") or ""
    )
