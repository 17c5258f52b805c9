"""What cells that look at pictures of concepts have in common: how pictures are shown, how cells fire, what is true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import numpy as np
import xarray as xr

from simlab import truths
from simlab.contracts import Regime
from simlab.data import activity, anatomy
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Pause
from simlab.session import Session, Stimulus, sampled

STEP = 0.1
"""s in which rates stay as they are."""

TISSUE = 300e-6
"""Edge [m] of the cube in which the cells lie at random."""

TEMPORAL_LOBE = Regime(
    "neurons of the human medial temporal lobe: 0.1 to 10 Hz, most below 5 (Ison et al. 2011, J Neurophysiol 106:1713)",
    rate=(0.2, 10), silent=(0, 0.3), interval_cv=(0.8, 2.5), fano=(0.8, 3.0), correlation=(-0.1, 0.2),
)  # fmt: skip

Cells = Annotated[int, Within(0, 2_000)]
Some = Annotated[int, Within(1, 1_000)]


@dataclass(frozen=True)
class Screening:
    """Pictures of concepts, one in each trial, all of them in random order before any is shown again.

    In each trial nothing is shown during `pause` (or half of the trial, where that is shorter), then a picture until
    the trial ends. Pictures of 1 s, six times each, 94 of them in one session and 89 of 14 concepts in the next, are
    those of Quian Quiroga et al. (2005, Nature 435:1102).
    """

    concepts: Some = 20
    pictures: Some = 4  # of each concept
    pause: Pause = 1.0  # s before a picture

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def names(self) -> np.ndarray:
        """(concept,) what the concepts are called."""
        return np.array([f"concept {k:03d}" for k in range(self.concepts)], dtype=object)

    @property
    def concept(self) -> np.ndarray:
        """(picture,) the number of each one's concept."""
        return np.repeat(np.arange(self.concepts), self.pictures)

    def session(self, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Trials with one feature, the number of the `picture`, NaN in the pause."""
        rounds = -(-trials // len(self.concept))
        order = np.concatenate([rng.permutation(len(self.concept)) for _ in range(rounds)])[:trials]
        onset = min(self.pause, duration / 2) if self.pause else duration
        steps = max(int(np.ceil(duration / onset - 1e-9)), 1)
        values = np.repeat(order[:, None, None].astype(float), steps, axis=1)
        if self.pause:
            values[:, 0] = np.nan
        return Session(trials, duration, Stimulus(("picture",), values, onset))


@dataclass(frozen=True)
class Firing:
    """baseline_i + gain_i a_i [Hz], where a_i, 0 to 1, is what a cell makes of the picture shown `latency` ago.

    Baselines and gains are log-normal over cells. Baselines are low, responses come late: neurons of the human medial
    temporal lobe respond some 300 ms after a picture's onset (Mormann et al. 2008, J Neurosci 28:8865), those that are
    shown as examples with 5 to 10 spikes in a second (Quian Quiroga et al. 2005).
    """

    baseline: Annotated[float, Within(0.01, 50, "Hz")] = 1.0  # median over cells
    baseline_spread: Annotated[float, Within(0, 2)] = 0.8  # standard deviation of log baselines
    gain: Annotated[float, Within(0, 200, "Hz")] = 12.0  # median over cells
    gain_spread: Annotated[float, Within(0, 2)] = 0.3  # standard deviation of log gains
    latency: Annotated[float, Within(0, 1, "s")] = 0.3

    def __post_init__(self) -> None:
        check_fields(self)


class Codes(NamedTuple):
    """What cells are selective for."""

    concept: np.ndarray  # (neuron,) the name of the one that a cell's response is a function of, or `truths.NOTHING`
    number: np.ndarray  # (neuron,) of all that is known, how many it responds to in any picture

    def with_more(self, more: Codes) -> Codes:
        """Of these cells, and of more."""
        return Codes(*(np.concatenate(pair) for pair in zip(self, more, strict=True)))

    def first(self, n: int) -> Codes:
        """Of the first n cells."""
        return Codes(self.concept[:n], self.number[:n])


@dataclass(frozen=True, eq=False)
class Beholder:
    """One person or animal that looks at pictures.

    response: (neuron, picture) what each cell makes of each picture that is shown, 0 to 1. codes: what each is
    selective for. baseline, gain: (neuron,) [Hz].
    """

    circuit: Any
    response: np.ndarray
    codes: Codes
    baseline: np.ndarray
    gain: np.ndarray
    anatomy: xr.Dataset

    @classmethod
    def placed(cls, circuit: Any, response: np.ndarray, codes: Codes, rng: np.random.Generator) -> Beholder:
        """Cells anywhere in the tissue, of the circuit's `firing`: neither place nor rate tells what they code."""
        firing, n = circuit.firing, len(response)
        baseline = firing.baseline * rng.lognormal(0.0, firing.baseline_spread, n)
        gain = firing.gain * rng.lognormal(0.0, firing.gain_spread, n)
        place = rng.uniform(0, TISSUE, (n, 3))
        return cls(circuit, response, codes, baseline, gain, anatomy(place, ["E"] * n))

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """One picture in each trial."""
        return self.circuit.shown.session(trials, duration, rng)  # type: ignore[no-any-return]

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with spikes and the pictures' numbers. Raises SimlabError for a picture that is none of them."""
        from simlab.simulators.given_rates import spikes

        rates = self.rates(session)
        fired = spikes(session, rates, STEP, rng)
        return activity(session, len(self.response), spikes=fired).assign_attrs(engine=f"numpy {np.__version__}")

    def rates(self, session: Session) -> np.ndarray:
        """(trial, bin, neuron) [Hz] in bins of `STEP`."""
        from simlab.contracts import SimlabError

        rule = f"{self.circuit.name} is shown one feature, 'picture', the number of a picture"
        seen = sampled(session, "picture", STEP, rule)
        late = round(self.circuit.firing.latency / STEP)
        seen = np.concatenate([np.full((len(seen), late), np.nan), seen], axis=1)[:, : seen.shape[1]]
        n_pictures = self.response.shape[1]
        if odd := set(seen[np.isfinite(seen)]) - set(range(n_pictures)):
            raise SimlabError(f"{rule} in 0..{n_pictures - 1}, got {min(odd):g}: show one of them")
        number = np.where(np.isfinite(seen), seen, n_pictures)
        moved = np.append(self.response.T, np.zeros((1, len(self.response))), axis=0)
        return np.asarray(self.baseline + self.gain * moved[number.astype(int)])

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`selectivity`: the concept of each cell that has one."""
        shown, codes = self.circuit.shown, self.codes
        told = (codes.concept, shown.names[shown.concept], codes.number)
        answers = {"selectivity": lambda: truths.selectivity(*told)}
        return truths.among(self.circuit.name, question, answers)


def codes(response: np.ndarray, names: np.ndarray) -> Codes:
    """What neurons are selective for.

    response: (neuron, concept, picture) to all pictures of all concepts that are known. A neuron's is a function of one
    concept if it is the same, and not 0, for all pictures of that one, and 0 for all others. names: of the concepts
    that are shown, the first ones; a function of another is `truths.NOTHING`.
    """
    lowest, highest = response.min(axis=2), response.max(axis=2)
    number = (highest > 0).sum(axis=1)
    alone = (number == 1) & (lowest == highest).all(axis=1)
    which = highest.argmax(axis=1)
    known = alone & (which < len(names))
    return Codes(np.where(known, names[np.where(known, which, 0)], truths.NOTHING), number)
