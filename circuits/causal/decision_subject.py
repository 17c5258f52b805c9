"""One animal that decides between left and right on noisy evidence: its task, its activity, what each area is worth.

In a trial evidence is shown from `ONSET` on, in frames of coherence + noise; its sign is the side that is right. The
choice is read off the motor pools in the last part of the trial: the side that fires more, by `CRITERION` at least. The
outcome is 1 for the right choice, 0 for the wrong one and for none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from circuits.causal.decision_network import Pathway, Pool, borders, drawn, network
from simlab import truths
from simlab.coalitions import members, shapley
from simlab.data import activity, anatomy
from simlab.session import Effect, Session, Stimulus

if TYPE_CHECKING:
    from simlab.simulators.spiking import Spikes

ONSET = 0.2
"""Of the evidence, as a share of the trial."""

RESPONSE = 0.6
"""From when on the motor pools are read, as a share of the trial."""

CRITERION = 3.0
"""Hz, by which one motor pool must exceed the other for a choice: less is an omission."""

FRAME = 0.05
"""s, for how long one sample of the evidence is shown (moving dots: Shadlen & Newsome 2001, some 50 ms)."""

FRAMES = 50
"""Samples of the behaviour in a trial."""

TASK = 1.0
"""s, the trial that the truth is about."""

APART, ACROSS = 1e-3, 2e-4
"""m, between areas that neighbour each other, and across one."""


@dataclass(frozen=True, eq=False)
class DecisionSubject:
    """weights: (pre, post) [V s] by current. fed: names of the regions that see the evidence."""

    circuit: Any  # a DecisionPools, whose parameters these are
    name: str
    pools: tuple[Pool, ...]
    weights: dict[str, np.ndarray]
    fed: tuple[str, ...]
    anatomy: xr.Dataset

    @classmethod
    def wired(
        cls, circuit: Any, name: str, pools: Sequence[Pool], pathways: Sequence[Pathway], fed: tuple[str, ...],
        rng: np.random.Generator,
    ) -> DecisionSubject:  # fmt: skip
        """Draws who is connected to whom, and where everybody lies: areas in a row."""
        weights = drawn(pools, pathways, circuit.connection_probability, rng)
        region = [pool.region for pool in pools for _ in range(pool.n_neurons)]
        names = list(dict.fromkeys(region))
        place = rng.uniform(0, ACROSS, (len(region), 3))
        place[:, 0] += APART * np.array([names.index(r) for r in region])
        kinds = [pool.kind for pool in pools for _ in range(pool.n_neurons)]
        return cls(circuit, name, tuple(pools), weights, fed, anatomy(place, kinds, region))

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """Their names, in order."""
        return tuple(dict.fromkeys(pool.region for pool in self.pools))

    @cached_property
    def region(self) -> np.ndarray:
        """(neuron,) number of each neuron's region."""
        return np.repeat([self.regions.index(p.region) for p in self.pools], [p.n_neurons for p in self.pools])

    @property
    def coherences(self) -> np.ndarray:
        """(condition,) signed: to the left if negative."""
        strengths = np.asarray(self.circuit.coherences, dtype=float)
        return np.concatenate([-strengths, strengths])

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Every coherence to either side as often as any other, in a random order; frames of noisy evidence."""
        condition = rng.permutation(np.arange(trials) % len(self.coherences))
        n_frames = max(1, round(duration / FRAME))
        noise = self.circuit.evidence_noise * rng.standard_normal((trials, n_frames))
        evidence = self.coherences[condition][:, None] + noise
        evidence[:, : int(ONSET * n_frames)] = np.nan
        stimulus = Stimulus(("evidence",), evidence[:, :, None], duration / n_frames)
        return Session(trials, duration, stimulus, tuple(condition.tolist()))

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """Spikes, the motor pools' rates [Hz] as behaviour (left, right), and each trial's outcome."""
        spikes = self._simulate(session, rng)
        width = session.duration / FRAMES
        counts = np.stack([self._counted(spikes, f"motor {side}", session) for side in ("left", "right")], axis=-1)
        rates = counts / (width * self.circuit.n_motor)
        return activity(
            session, len(self.region), spikes=spikes.columns, time=width * np.arange(FRAMES), behaviour=rates,
            outcome=self._outcome(rates, session),
        ).assign_attrs(engine=spikes.engine)  # fmt: skip

    def _simulate(self, session: Session, rng: np.random.Generator) -> Spikes:
        from simlab.simulators.spiking import Drive, simulate

        circuit = self.circuit
        external = np.repeat([p.external for p in self.pools], [p.n_neurons for p in self.pools])
        signal, interval = self._evidence(session)
        drive = Drive("evidence", signal, interval, self._loading(len(external)), "volt")
        cells = network(self.name, self.weights, external, circuit.noise)
        return simulate(cells, session, rng, drives=(drive,), burn_in=circuit.burn_in, dt=circuit.dt)

    def _evidence(self, session: Session) -> tuple[np.ndarray, float]:
        """(trial, frame, side) [V]: what the pools for the left and for the right are driven by; length of a frame."""
        if session.stimulus is None:
            return np.zeros((session.trials, 1, 2)), session.duration
        shown, c = session.stimulus.values[:, :, 0], self.circuit
        both = np.stack(
            [c.stimulus_drive - c.evidence_gain * shown, c.stimulus_drive + c.evidence_gain * shown], axis=-1
        )
        return np.nan_to_num(both), session.stimulus.interval

    def _loading(self, n_neurons: int) -> np.ndarray:
        """(side, neuron): whom the evidence for each side reaches."""
        loading, place = np.zeros((2, n_neurons)), borders(self.pools)
        for pool in self.pools:
            if pool.region in self.fed:
                loading[int(pool.name.endswith("right")), place[pool.name]] = 1.0
        return loading

    def _counted(self, spikes: Spikes, pool: str, session: Session) -> np.ndarray:
        """(trial, sample): a pool's spikes."""
        place, time = borders(self.pools)[pool], spikes.columns[1]
        mine = (spikes.neuron >= place.start) & (spikes.neuron < place.stop)
        sample = np.minimum((time[mine] * FRAMES / session.duration).astype(int), FRAMES - 1)
        flat = spikes.trial[mine] * FRAMES + sample
        return np.bincount(flat, minlength=session.trials * FRAMES).reshape(session.trials, FRAMES)

    def _outcome(self, rates: np.ndarray, session: Session) -> np.ndarray:
        """(trial,) 1 where the choice is right, from the motor rates (trial, sample, side)."""
        left, right = rates[:, round(RESPONSE * FRAMES) :].mean(axis=1).T
        chosen = np.where(np.abs(right - left) >= CRITERION, np.sign(right - left), 0)
        return (chosen == self._side(session)).astype(float)

    def _side(self, session: Session) -> np.ndarray:
        """(trial,) which side is right, -1 or 1: as the condition says, else the evidence, else 1."""
        if session.conditions is not None:
            return np.sign(self.coherences[np.asarray(session.conditions) % len(self.coherences)])
        if session.stimulus is None:
            return np.ones(session.trials)
        return np.where(np.nansum(session.stimulus.values[:, :, 0], axis=1) < 0, -1.0, 1.0)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`necessity` by simulating every set of areas; `connectivity`: drive per rate [V/Hz]; `cell_type`."""
        answers = {
            "necessity": lambda: self.importance(self.outcomes(rng)),
            "connectivity": lambda: truths.wiring(self._signed(), "V/Hz"),
            "cell_type": lambda: truths.cell_types(self.anatomy),
        }
        return truths.among(self.name, question, answers)

    def _signed(self) -> np.ndarray:
        return self.weights["fast"] + self.weights["slow"] - self.weights["inhibition"]

    def outcomes(self, rng: np.random.Generator) -> np.ndarray:
        """(set, trial): of the natural task with every set of regions intact, the neurons of the others held silent.

        All sets meet the same evidence and the same noise, so that they differ by what is silenced alone. Without the
        motor area there is no choice, and nothing to simulate.
        """
        session = self.session(trials=self.circuit.truth_trials, duration=TASK, rng=rng)
        sets, seed = members(len(self.regions)), int(rng.integers(2**63))
        found = np.zeros((len(sets), session.trials))
        for number in np.flatnonzero(sets[:, self.regions.index("motor")]):
            intact = sets[number]
            hold = Effect("hold", np.where(intact[self.region], np.nan, 0.0), 0.0, TASK)
            run = session if intact.all() else session.perturbed(hold)
            found[number] = self.run(run, np.random.default_rng(seed))["outcome"].values
        return found

    def importance(self, outcomes: np.ndarray) -> xr.Dataset:
        """Truth from (set, trial): the Shapley value of each neuron's region in equal shares, and its standard error.

        The value is linear in the outcomes, so that each trial has one of its own, and trials give the standard error.
        """
        each = np.array([shapley(trial) for trial in outcomes.T])  # (trial, region)
        size = np.bincount(self.region)
        value, error = each.mean(axis=0), each.std(axis=0, ddof=1) / np.sqrt(len(each))
        return truths.per_neuron(importance=(value / size)[self.region], importance_se=(error / size)[self.region])
