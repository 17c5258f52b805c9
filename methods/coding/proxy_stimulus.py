"""Feature visualisation on a proxy: a model is fitted to recordings, and its input optimised instead of the cells'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple

import numpy as np

from methods.coding._shown import NAMES, NEEDS, Length, Screen, borne_out, driven, unit
from simlab.contracts import Finding, Needs, Rig
from simlab.rules import Within, check_fields
from simlab.rules.quantities import Repeats, Share

Proxy = Literal["linear", "network"]
"""linear: ridge regression, whatever nonlinearity follows. network: one hidden layer, rectified, for all cells."""


class Net(NamedTuple):
    """Counts are exp(f), f(s) = out . max(in . s + bias, 0) + last; or, not rectified, f(s) = out . s + last."""

    into: np.ndarray  # (feature, hidden)
    bias: np.ndarray  # (hidden,)
    out: np.ndarray  # (hidden, unit)
    last: np.ndarray  # (unit,)
    rectified: bool

    def slopes(self, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of frames (unit, start, feature): the counts predicted of each unit (unit, start), and the gradient of f."""
        hidden = frames @ self.into + self.bias
        on = hidden > 0 if self.rectified else np.ones_like(hidden, dtype=bool)
        said = np.einsum("ush,hu->us", hidden * on, self.out) + self.last[:, None]
        return np.exp(np.minimum(said, 50.0)) if self.rectified else said, (on * self.out.T[:, None]) @ self.into.T


@dataclass(frozen=True)
class ProxyStimulus:
    """A frame for each unit, that a model of it promises to fire most for, as a filter.

    The model, fitted to the frames of the task and the counts in them, is climbed from `starts` random frames along
    its gradient, at the frames' length (Walker et al. 2019, Nat Neurosci 22:2060; Bashivan et al. 2019, Science
    364:eaav9436; Erhan et al. 2009 of artificial networks). All cells' answers to all frames count, as nothing is shown
    for one cell alone: that is its advantage. What it promises is of the model. With `checked`, a share of the budget
    shows each frame to its unit, and those are dropped that do not drive it more than noise does, by `least_z` standard
    errors; without, each unit gets one. filters=2: a second frame, at right angles to the first, stated if it drives
    the unit (or, unchecked, is promised to) at least `least_second` as much.
    """

    name: ClassVar[str] = "proxy_stimulus"
    question: ClassVar[str] = "receptive_field"
    family: ClassVar[str] = "feature visualisation"
    library: ClassVar[str] = "scikit-learn"
    needs: ClassVar[Needs] = NEEDS

    proxy: Proxy = "network"
    hidden: Annotated[int, Within(1, 5_000)] = 64
    filters: Annotated[int, Within(1, 2)] = 1
    checked: bool = True
    share: Share = 0.1  # of the budget, for the check
    starts: Repeats = 8
    climbs: Repeats = 60
    least_z: Annotated[float, Within(0, 100)] = 3.0
    least_second: Share = 0.25
    fewest: Annotated[int, Within(10, 1_000_000)] = 500  # frames to fit a model to
    most_frames: Annotated[int, Within(1, 10_000_000)] = 100_000
    duration: Length = 2.0  # of a trial

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """Each unit's filter, or zeros."""
        screen = Screen.at(rig, self.duration)
        if isinstance(screen, Finding):
            return screen
        budget = screen.affordable(self.most_frames)
        trial = screen.per_trial
        each = -(-int(budget * self.share / self.filters) // trial) * trial
        kept, repeats = (self.filters * each, each // (2 * screen.n_units)) if self.checked else (0, 0)
        if budget - kept < self.fewest or (self.checked and repeats < 2):
            return Finding.abstain(f"the budget buys {budget} frames, too few to fit a model and to check it")
        seen = screen.natural(budget - kept)
        if isinstance(seen, Finding):
            return seen
        frames, counts = seen
        if not counts.any():
            return Finding({"filter": np.zeros((screen.n_units, frames.shape[1]))})
        net = self._fitted(frames, counts, rng)
        return self._stated(screen, net, repeats, rng)

    def _stated(self, screen: Screen, net: Net, repeats: int, rng: np.random.Generator) -> Finding:
        """The optima of the model; those that the units bear out, where they are asked."""
        found, said = np.zeros((0, screen.n_units, len(screen.features))), []
        for _ in range(self.filters):
            frame, promised = self._climbed(net, screen.contrast, found, rng)
            said.append(promised)
            found = np.append(found, frame[None], axis=0)
        sure, notes = np.array(said) >= self.least_second * said[0], {"promised": np.array(said).tolist()}
        if self.checked:
            tests = [driven(screen, frame, repeats, rng) for frame in found]
            if any(isinstance(test, Finding) for test in tests):
                return Finding.abstain("what this rig records has no spikes any more")
            sure = borne_out(np.array(tests), self.least_z, self.least_second)
            notes["own, noise, z"] = np.array(tests).tolist()
        stated = np.where(sure[..., None], found, 0.0)
        return Finding(dict(zip(NAMES, stated, strict=False)), notes=notes)

    def _fitted(self, frames: np.ndarray, counts: np.ndarray, rng: np.random.Generator) -> Net:
        if self.proxy == "linear":
            from sklearn.linear_model import Ridge

            fit = Ridge(alpha=0.01 * len(frames)).fit(frames, counts)
            feature = np.eye(frames.shape[1])
            return Net(feature, np.zeros(len(feature)), fit.coef_.T, fit.intercept_, rectified=False)
        (into, out), (bias, last) = self._trained(frames, counts, int(rng.integers(2**31)))
        return Net(into, bias, out, last, rectified=True)

    def _trained(self, frames: np.ndarray, counts: np.ndarray, seed: int) -> tuple[list, list]:
        """Weights and biases of a network that makes held-out counts likeliest, or of the last of 100 rounds."""
        import warnings

        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPRegressor

        net = MLPRegressor(
            "poisson", (self.hidden,), alpha=1e-3, early_stopping=True, max_iter=100, random_state=seed
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            net.fit(frames, counts[:, 0] if counts.shape[1] == 1 else counts)
        return net.coefs_, net.intercepts_

    def _climbed(
        self, net: Net, contrast: float, taken: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """(unit, feature) the best of the model's optima, of length 1, apart from those taken; and what it promises."""
        shape = (len(net.last), self.starts, len(net.into))
        frame = _apart(rng.standard_normal(shape), taken)
        for step in np.geomspace(1.0, 0.05, self.climbs):
            slope = _apart(net.slopes(contrast * frame)[1], taken)
            frame = _apart(frame + step * slope, taken)
        said = net.slopes(contrast * frame)[0]
        best = said.argmax(axis=1)
        return frame[np.arange(len(best)), best], said.max(axis=1)


def _apart(frames: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """Frames (unit, start, feature) of length 1, less what they share with others (any, unit, feature) of theirs."""
    left = frames.copy()
    for other in taken:
        axis = unit(other)[:, None]
        left -= (left * axis).sum(axis=2, keepdims=True) * axis
    return unit(left)
