"""Latents as probabilities of hidden states, of as many states as one of four ways to choose a model says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import xarray as xr

from methods.latents._factors import refused, seen
from methods.latents._hidden_markov import fitted, levels_of, repeated
from simlab.contracts import Finding, Needs
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Repeats, Share, Width

NOT_SHARED = "no number of states predicts units that were left out: units share no state"


@dataclass(frozen=True)
class HiddenMarkovLatents:
    """Fits Poisson hidden Markov models of several sizes, chooses one, and answers with its states' probabilities.

    Co-smoothing: a model of some units in half of the trials gives states, whose levels in units that were held out are
    taken from all of these trials; score: bits per spike of these units in the other trials above their mean rates (Pei
    et al. 2021, Neural Latents Benchmark). A few states too many hardly change it. `choice` among the models
    whose score is `near` the best:

    - any: one of them by chance, as good a model as another by what it predicts;
    - best: the one of the highest score;
    - few_shot: the one that scores best with levels from `shots` trials alone: halves of a state have half of the data
      each (Dabholkar & Barak 2025, PLoS Comput Biol 21:e1013789). Levels are drawn to the mean by half a bin's worth of
      it, which helps states of few bins most: of 1 trial that outweighs the halving (never right in ten subjects of 50
      units and 60 trials of 2 s), of 2 it is right in 4, of 4 in 9, while the best score of all is in 5;
    - consistency: the largest whose states are all found again by a second model, fitted to the trials that the first
      has not seen, no further off than `most_off` times what sampling makes them; the most consistent if none is
      (Genkin & Engel 2020, Nat Mach Intell 2:674: there by potentials of a drift-diffusion model).

    Abstains on too few units or trials, without spikes, and where no size predicts held-out units by two standard
    errors. Costs some 5 s for 60 units and 80 trials of 2 s.
    """

    name: ClassVar[str] = "hidden_markov_latents"
    question: ClassVar[str] = "latents"
    family: ClassVar[str] = "hidden Markov model"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = Needs(("spikes",), units=8, trials=8)

    choice: Literal["any", "best", "few_shot", "consistency"] = "few_shot"
    sizes: tuple[Annotated[int, Within(2, 100)], ...] = (2, 3, 4, 5, 6, 8, 12)  # numbers of states that are tried
    near: Share = 0.95  # of the best score: what passes for as good
    shots: Annotated[int, Within(1, 1000)] = 4  # trials
    draws: Repeats = 50  # of the few trials
    most_off: Annotated[float, Within(1, 1000)] = 2.0  # 1 on average of states that are there
    bin_width: Width = 0.02  # s
    held_out: Share = 0.25  # of the units
    restarts: Annotated[int, Within(1, 100)] = 2
    rounds: Annotated[int, Within(2, 1000)] = 30

    def __post_init__(self) -> None:
        check_fields(self)
        require(len(self.sizes) > 0, f"sizes must name one number of states at least, got {self.sizes}: try (2, 3, 4)")

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """Probabilities of all states but the last; the notes give scores by number of states."""
        if (refusal := refused(recording, self.needs)) is not None:
            return refusal
        found = seen(recording, self.bin_width, 0.0, root=False)
        trial, unit = (rng.permutation(size) for size in (len(found.values), found.values.shape[2]))
        scores, gain = self._scores(found.values, np.array_split(trial, 2), unit, rng)
        best = max(gain, key=lambda size: float(gain[size].mean()))
        if gain[best].mean() < 2 * gain[best].std(ddof=1) / np.sqrt(len(gain[best])):
            return Finding.abstain(NOT_SHARED)
        as_good = [size for size in self.sizes if scores["full"][size] >= self.near * scores["full"][best]]
        chosen = self._chosen(as_good, best, scores, found.values, trial, rng)
        chance = fitted(found.values, chosen, self.restarts, self.rounds, rng).states(found.values)
        return found.finding(chance[:, :, :-1], recording, states=chosen, as_good=as_good, **scores)

    def _scores(
        self, counts: np.ndarray, halves: list[np.ndarray], unit: np.ndarray, rng: np.random.Generator
    ) -> tuple[dict[str, dict[int, float]], dict[int, np.ndarray]]:
        """Scores with all and with few trials, by number of states; and the gain of each trial that was left out."""
        train, test = halves
        n_out = max(1, round(self.held_out * len(unit)))
        inside, outside = counts[:, :, unit[n_out:]], counts[:, :, unit[:n_out]]
        mean = np.maximum(outside[train].mean(axis=(0, 1)), 1e-3)
        few = [rng.permutation(train)[: self.shots] for _ in range(self.draws)]
        scores: dict[str, dict[int, float]] = {"full": {}, "few": {}}
        gains: dict[int, np.ndarray] = {}
        bits = max(float(outside[test].sum()), 1.0) * np.log(2)
        for size in self.sizes:
            chance = fitted(inside[train], size, self.restarts, self.rounds, rng).states(inside)

            def gain(some: np.ndarray, chance: np.ndarray = chance) -> np.ndarray:
                """(trial,) log likelihood of units and trials held out, with levels from `some`, above their mean's."""
                expected = chance[test] @ levels_of(outside[some], chance[some], mean, 0.5)
                return (outside[test] * np.log(expected / mean) - expected + mean).sum(axis=(1, 2))

            gains[size] = gain(train)
            scores["full"][size] = float(gains[size].sum() / bits)
            scores["few"][size] = float(np.mean([gain(some).sum() for some in few]) / bits)
        return scores, gains

    def _chosen(
        self, as_good: list[int], best: int, scores: dict[str, dict[int, float]], counts: np.ndarray,
        trial: np.ndarray, rng: np.random.Generator,
    ) -> int:  # fmt: skip
        """The number of states by `choice`."""
        if self.choice == "any":
            return int(rng.choice(as_good))
        if self.choice == "best":
            return best
        if self.choice == "few_shot":
            return max(as_good, key=lambda size: scores["few"][size])
        first, second = (counts[half] for half in np.array_split(trial, 2))
        off = {}
        for size in as_good:
            one, other = (fitted(half, size, self.restarts, self.rounds, rng) for half in (first, second))
            off[size] = repeated(one, other, first)
        again = [size for size in as_good if off[size] <= self.most_off]
        return max(again) if again else min(off, key=lambda size: off[size])
