"""What is done to a subject: an intent aimed at units or a region, and the effects on neurons that a stimulator makes.

A method states a `Perturbation`. The stimulator beside the implant turns it into `Effect`s, of three kinds that every
engine honours: `drive` (a current), `hold` (a firing rate) and `gain` (a factor on synapses).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simlab.errors import SimlabError
from simlab.rules import require
from simlab.rules.received import fields, finite, numbers, several, shown, whole

KINDS = ("stimulate", "silence", "clamp", "cut", "cool", "drug", "lesion", "edit")

ONTO = ("cut", "edit")
"""The kinds that may be of the synapses onto certain units alone."""

EFFECTS = {"drive": 0.0, "hold": np.nan, "gain": 1.0}
"""The kinds of effect, and the value of each that leaves a neuron or a synapse alone."""

SILENCE_CURRENT = 10.0
"""A silenced neuron gets a hyperpolarising current of this many rheobases per unit of strength."""

INSTANT = 1e-9
"""Times [s] nearer to one another than this are the same."""

STRONGEST = {
    "stimulate": 1000.0, "silence": 1000.0, "clamp": 1000.0, "cut": 1.0, "cool": 35.0, "drug": 1.0, "lesion": 1.0,
    "edit": 10.0,
}  # fmt: skip
"""The greatest strength of each kind: beyond any electrode [rheobases], neuron [Hz], share, coolant [K] or change of a
weight [1]."""


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

    kind and strength:
    - `stimulate`: 1 is a current of one rheobase, from rest just to threshold
    - `silence`: 1 is `SILENCE_CURRENT` rheobases of hyperpolarisation
    - `clamp`: the firing rate [Hz] that the neuron is held at; 0 holds it silent
    - `cut`: the share, 0 to 1, that is taken from the synapses that the neuron makes
    - `cool`: degrees below the normal temperature of the tissue [K], 0 to 35
    - `drug`: the share, 0 to 1, of the receptors that is blocked, or of the drug's full effect
    - `lesion`: the share, 0 to 1, of the cells that is destroyed. It is permanent: it lasts from the beginning to the
      end of each trial, on all of them
    - `edit`: the factor, 0 to 10, on the weights of the synapses that the neuron makes; 0 removes them

    start, stop: [s] from trial onset. trials: which of them; None is all. region: a region of the subject's anatomy to
    aim at as a whole, in place of targets. onto: of an edit or a cut, the units whose synapses from the targets are
    meant; none: all synapses that the targets make.
    """

    kind: str
    targets: tuple[int, ...]
    strength: float
    start: float
    stop: float
    trials: tuple[int, ...] | None = None
    region: str = ""
    onto: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        require(
            type(self.kind) is str and self.kind in KINDS,
            f"a perturbation's kind must be one of {', '.join(KINDS)}, got {shown(self.kind)}",
        )
        _settle(self)
        for name, each in (("targets", "target"), ("onto", "onto, each,")):
            units = several(f"a perturbation's {name}", getattr(self, name))
            object.__setattr__(self, name, tuple(whole(f"a perturbation's {each}", unit) for unit in units))
        require(type(self.region) is str, f"a perturbation's region must be a name, got {shown(self.region)}")
        self._check_aim()
        self._check_strength()
        require(
            self.kind != "lesion" or (self.start == 0 and self.trials is None),
            "a lesion is permanent: it starts at 0 and takes no trials, as it is on all of them, got "
            f"start={self.start} and trials={shown(self.trials)}; use kind='clamp' with strength 0 to silence a while",
        )

    def _check_aim(self) -> None:
        aimed = f"got targets={shown(self.targets)} and region={shown(self.region)}"
        require(
            bool(self.targets) or bool(self.region),
            f"a perturbation needs at least one target unit or a region, {aimed}",
        )
        require(not (self.targets and self.region), f"a perturbation aims at units or at a region, not both, {aimed}")
        require(
            not self.onto or self.kind in ONTO,
            f"only {' and '.join(ONTO)} may be onto units, got kind={self.kind!r} onto={shown(self.onto)}: drop it",
        )

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

    def effect(self, reach: np.ndarray, onto: np.ndarray | None = None) -> Effect:
        """The effect of this intent, given the share of its strength that reaches each neuron (neuron,).

        A clamp holds whom it reaches at all, and a lesion kills them: which cells make up a share is the stimulator's
        to say. A cut or a drug leaves nothing of synapses where strength x reach is 1 or more. onto: (neuron,) the
        share of each neuron that is meant, 0 to 1, where synapses onto units are. Raises SimlabError where that is
        missing, and for `cool`, of which only a stimulator knows what it does.
        """
        if bool(self.onto) != (onto is not None):
            raise SimlabError(
                f"a {self.kind} onto units {shown(self.onto)} needs the neurons of these units, got {onto}"
            )
        reach = np.asarray(reach, dtype=float)
        reach = reach if onto is None else np.outer(reach, onto)
        return Effect(*self._on(reach), self.start, self.stop, self.trials, "neuron" if onto is None else "pair")

    def _on(self, reach: np.ndarray) -> tuple[str, np.ndarray]:
        """Kind and values of the effect where this share of the strength arrives."""
        strength = self.strength * reach
        if self.kind in ("cut", "drug"):
            return "gain", np.maximum(1 - strength, 0.0)
        if self.kind == "edit":
            return "gain", np.maximum(1 + (self.strength - 1) * reach, 0.0)
        if self.kind in ("clamp", "lesion"):
            return "hold", np.where(reach > 0, 0.0 if self.kind == "lesion" else self.strength, np.nan)
        if self.kind == "cool":
            raise SimlabError(
                "what cold does to a neuron is for its stimulator to say, got kind='cool': make effects of its own"
            )
        return "drive", strength if self.kind == "stimulate" else -SILENCE_CURRENT * strength

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and numbers, for JSON."""
        return {
            "kind": self.kind,
            "targets": [int(target) for target in self.targets],
            "region": self.region,
            "strength": float(self.strength),
            "onto": [int(unit) for unit in self.onto],
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
    needed, optional = (
        ({"kind", "values"}, {"over"}) if effect else ({"kind", "strength"}, {"targets", "region", "onto"})
    )
    fields("a perturbation", plain, needed | {"start", "stop"}, optional | {"trials"})
    given = {name: value for name, value in plain.items() if value is not None or name in needed}
    return Effect(**given) if effect else Perturbation(**({"targets": ()} | given))
