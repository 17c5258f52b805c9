"""A recurrent network that was trained to keep track of its place: what it was trained to say is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from circuits.space.foraging import foraging_session, places
from circuits.space.trajectory import STEP, Walk
from circuits.trained.path_training import Paths, Schedule, Weights, initial, stride, trained
from circuits.trained.spatial_maps import GRID, NO_GRID, floor_maps, grid_scores, modules, periods
from circuits.trained.targets import Code, Target, drawn
from simlab import truths
from simlab.contracts import SimlabError
from simlab.data import activity, anatomy
from simlab.rules import Within, check_fields, require
from simlab.rules.quantities import Count, Rate
from simlab.session import Effect, Session
from simlab.simulators.effects import drive_at, engine_effects, gain_at, hold_at
from simlab.simulators.given_rates import DRIVE_RATE, renewal
from simlab.simulators.kept_networks import kept

TISSUE = 400e-6
"""Edge [m] of the cube in which the units are put at random: training knows no place for them."""

N_BINS = 40
"""Along an edge of maps without noise."""


def wide() -> Walk:
    """An animal in the box of the published networks, 2.2 m."""
    return Walk(box=2.2)


@dataclass(frozen=True)
class PathIntegrator:
    """A vanilla network trained to tell where an animal is from its velocity (Schaeffer, Khona & Fiete 2022).

        h(t) = [W' h(t-1) + U' dx(t)]+,   o(t) = R' h(t),   h(0) = E' y(x(0))

    with dx the displacement in a step and y(x) the target code of a place, which the network is told where a leg
    begins. Encoder E, input U, recurrent W and readout R all learn, by Adam through the 20 steps of a leg, so that o
    tells y(x): as shares by cross-entropy with softmax(o) where y is a population of cells with fields, else by squared
    error; plus `weight_decay` times the squares of W. There are no biases.

    Task, sizes and targets as in the authors' repository (FieteLab/NeurIPS-2022-No-Free-Lunch, sweeps/*.yaml: box 2.2
    m, 20 steps, 512 outputs, 1,024 units, s = .12 m, ratio 2, 200,000 steps of 200 legs), after Sorscher et al. 2019
    (ganguli-lab/grid-pattern-formation). What is smaller here: `n_neurons`, `n_outputs` and the descent, which is some
    forty times shorter at twenty times their learning rate. What differs: the animal is the lab's rat
    (`trajectory.Walk`), whose steps of `step` [s] take it as far, 2 cm on average, as their steps of 20 ms at 1 m/s; it
    turns as rats do.

    A recorded session is one leg after another: every 20 steps the animal learns where it is, as from a landmark, and
    the state begins anew. A unit fires as a Poisson process with a dead time, at its state in units of its own maximum
    over the floor, times `peak`; units are linear above threshold, so that this is the same network, in Hz. A drive
    adds 20 Hz per rheobase to what is rectified.

    Truth: `spatial_pattern` by maps without noise over `tested` legs that were not trained on; a unit is a grid cell
    above a score of .8, none below .3, and not asked about between. It also holds `grid_score` (neuron,) and the
    `decoding_error` [m], the mean distance of the decoded place. Weights are what a seed makes of them: trained when a
    subject first needs them, once, on one core in some 60 s. A training that diverges raises SimlabError.
    """

    name: ClassVar[str] = "path_integrator"
    mechanism: ClassVar[str] = "trained path integrator"
    questions: ClassVar[tuple[str, ...]] = ("spatial_pattern", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)

    target: Code = "difference_of_softmaxes"
    n_neurons: Count = 128
    n_outputs: Annotated[int, Within(2, 10_000)] = 256  # of target codes that are populations
    width: Annotated[float, Within(0.01, 2, "m")] = 0.12  # s_E
    ratio: Annotated[float, Within(1, 10, excluding=(1,))] = 2.0  # of surround to centre
    scales: Annotated[float, Within(1, 10)] = 1.0
    """Widths lie evenly between width / scales and width * scales; 2: .06 to .24 m (pc_ce_dog_multiple_scales.yaml)."""
    ratios: Annotated[float, Within(0, 5)] = 0.0  # surrounds lie evenly within this of `ratio`; .5 there
    more_fields: Annotated[float, Within(0, 20)] = 0.0  # mean of the Poisson number of fields beyond the first; 2, 3
    schedule: Schedule = field(default_factory=Schedule)
    n_steps: Annotated[int, Within(2, 1000)] = 20  # of a leg
    step: Annotated[float, Within(0.01, 1, "s")] = 0.25
    peak: Rate = 10.0  # Hz
    tested: Annotated[int, Within(1, 100_000)] = 4000
    """Legs that it is tested on: 80,000 moments, 50 in each bin of its maps."""
    walk: Walk = field(default_factory=wide)

    def __post_init__(self) -> None:
        check_fields(self)
        require(self.ratio - self.ratios > 1, f"ratio less ratios must be > 1, got {self.ratio} and {self.ratios}")
        whole = abs(self.step / STEP - round(self.step / STEP)) < 1e-6
        require(whole, f"step must be a multiple of {STEP} s, the step of the animal, got {self.step}")

    def subject(self, rng: np.random.Generator) -> IntegratorSubject:
        """One individual: its target code and the seed of its training."""
        target, start, seed = self.beginning(rng)
        return IntegratorSubject(self, self, target, start, seed, placed(self.n_neurons, rng))

    def beginning(self, rng: np.random.Generator) -> tuple[Target, Weights, int]:
        """Target code, weights before the training and its seed."""
        target = drawn(
            self.target, self.walk.box, self.n_outputs, self.width, self.ratio, self.scales, self.ratios,
            self.more_fields, rng,
        )  # fmt: skip
        return target, initial(self.n_neurons, target.n_outputs, rng), int(rng.integers(2**62))


def placed(n_neurons: int, rng: np.random.Generator) -> xr.Dataset:
    """Units anywhere in the tissue."""
    return anatomy(rng.uniform(0, TISSUE, (n_neurons, 3)), ["E"] * n_neurons, "trained network")


@dataclass(frozen=True, eq=False)
class IntegratorSubject:
    """One individual. circuit: what it is of; like: the path integrator whose task and units it has."""

    circuit: Any
    like: PathIntegrator
    target: Target
    start: Weights
    seed: int
    anatomy: xr.Dataset
    learns: bool = True

    @cached_property
    def weights(self) -> Weights:
        """Those that the training ends with; of an individual that does not learn, those that it began with."""
        if not self.learns:
            return self.start
        like, rng = self.like, np.random.default_rng(self.seed)

        def solve() -> Weights:
            return trained(self.target, self.start, like.walk, like.step, like.n_steps, like.schedule, rng)[0]

        return kept(like, self.seed, Weights, solve)

    def tested(self) -> tuple[np.ndarray, np.ndarray]:
        """Places (leg, step, 2) [m] and states (leg, step, unit) in legs that were not trained on."""
        like, rng = self.like, np.random.default_rng([self.seed, 1])
        walked = Paths.over(like.schedule.walked, like.walk, like.step, like.n_steps, rng)
        paths = walked.place[walked.legs(like.tested, like.n_steps, rng)].astype(float)
        state, states = self.told(paths[:, 0]), []
        for moved in np.moveaxis(np.diff(paths, axis=1), 1, 0):
            state = np.maximum(state @ self.weights.recurrent + moved @ self.inward, 0.0)
            states.append(state.astype(np.float32))
        if not np.isfinite(state).all():
            raise SimlabError("the states of a path integrator run away: lower learning_rate, or train it for longer")
        return paths[:, 1:], np.stack(states, axis=1)

    @cached_property
    def examined(self) -> tuple[np.ndarray, float]:
        """Mean states over the floor (unit, x, y), without noise, and the mean distance [m] of the decoded place from
        where the animal is, in a quarter of the legs that it is tested on."""
        place, states = self.tested()
        maps = floor_maps(place.reshape(-1, 2), states.reshape(-1, states.shape[-1]), self.like.walk.box, N_BINS)
        off = self.target.decoded(states[::4] @ self.weights.readout) - place[::4]
        return maps, float(np.linalg.norm(off, axis=-1).mean())

    @property
    def inward(self) -> np.ndarray:
        """(2, unit) what a displacement adds to the states [1/m]."""
        return np.asarray(self.weights.inward / stride(self.like.walk, self.like.step))

    def told(self, place: np.ndarray) -> np.ndarray:
        """States (..., unit) in which legs begin at places (..., 2) [m]."""
        return np.asarray(self.target.cue(place) @ self.weights.encoder)

    @property
    def maps(self) -> np.ndarray:
        """(unit, x, y): mean states over the floor, without noise."""
        return self.examined[0]

    @cached_property
    def gain(self) -> np.ndarray:
        """(unit,) Hz per state; of a unit that is silent anything will do, and `peak` is taken."""
        highest = self.maps.max(axis=(1, 2))
        return self.like.peak / np.where(highest > 1e-9, highest, 1.0)

    @cached_property
    def recurrent(self) -> np.ndarray:
        """(pre, post) weights between rates in Hz."""
        return np.asarray(self.weights.recurrent * self.gain / self.gain[:, None])

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Foraging in a box."""
        return foraging_session(self.like.walk, 0.0, trials, duration, rng)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all units."""
        spikes = renewal(self.rates(session), STEP, session.duration, rng)
        return activity(session, len(self.gain), spikes=spikes).assign_attrs(engine="numpy, trained in jax")

    def rates(self, session: Session) -> np.ndarray:
        """Rates (trial, step, unit) [Hz] every `STEP`: each step of the network, repeated.

        What a unit tells the others is its mean rate in a step; effects act on it every `STEP`. Nothing is known of a
        place that is not seen, and nothing moves there.
        """
        like, place, n = self.like, places(session), len(self.gain)
        every, effects = round(like.step / STEP), engine_effects(session, n, STEP)
        path = place[:, np.minimum(np.arange(0, place.shape[1] + every, every), place.shape[1] - 1)]
        pushed = np.nan_to_num(np.diff(path, axis=1)) @ (self.inward * self.gain)
        rates, rate = np.empty((session.trials, pushed.shape[1] * every, n)), np.zeros((session.trials, n))
        for k in range(pushed.shape[1]):
            if k % like.n_steps == 0:
                rate = np.nan_to_num(self.told(path[:, k]) * self.gain)
            total = self._heard(rate, effects, (k + 0.5) * like.step) + pushed[:, k]
            window = slice(k * every, (k + 1) * every)
            rates[:, window] = _emitted(total, effects, window)
            rate = rates[:, window].mean(axis=1)
        return rates

    def _heard(self, rate: np.ndarray, effects: tuple[Effect, ...], time: float) -> np.ndarray:
        """(trial, unit) [Hz] what units hear of these rates (trial, unit) at a time [s]."""
        if not effects:
            return np.asarray(rate @ self.recurrent)
        pre, post = np.indices(self.recurrent.shape).reshape(2, -1)
        factor = gain_at(effects, time, np.arange(len(rate)), pre, post).reshape(-1, *self.recurrent.shape)
        return np.einsum("ti,tij->tj", rate, factor * self.recurrent)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """What its circuit's `questions` list."""
        answers = {"spatial_pattern": self._pattern, "connectivity": self._wiring}
        return truths.among(self.circuit.name, question, answers)

    def _pattern(self) -> xr.Dataset:
        score, box = grid_scores(self.maps), self.like.walk.box
        period = periods(self.maps, box)
        grid = (score > GRID) & (period > 0)
        module = np.full(len(score), -1)
        module[grid] = modules(period[grid])
        return truths.patterns(
            grid, np.where(grid, period, 0.0), module, doubtful=(score > NO_GRID) & ~grid, grid_score=score,
            decoding_error=self.examined[1],
        )  # fmt: skip

    def _wiring(self) -> xr.Dataset:
        weights = self.recurrent.copy()
        np.fill_diagonal(weights, 0.0)
        return truths.wiring(weights, "Hz/Hz")


def _emitted(total: np.ndarray, effects: tuple[Effect, ...], window: slice) -> np.ndarray:
    """Rates (trial, step, unit) [Hz] of units with this input (trial, unit), in these steps of `STEP`."""
    n_trials, n = total.shape
    if not effects:
        return np.repeat(np.maximum(total, 0.0)[:, None], window.stop - window.start, axis=1)
    rates, trials = np.empty((n_trials, window.stop - window.start, n)), np.arange(n_trials)
    for m in range(window.start, window.stop):
        time = (m + 0.5) * STEP
        driven = np.maximum(total + DRIVE_RATE * drive_at(effects, time, trials, n), 0.0)
        held = hold_at(effects, time, trials, n)
        rates[:, m - window.start] = np.where(np.isnan(held), driven, held)
    return rates
