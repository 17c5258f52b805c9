"""Assemblies without wiring: neurons that share the slow drive of their group, and have no synapses."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

from circuits.networks.clustered_ei import CLUSTERED, ClusteredEI, ClusteredSubject
from simlab import truths
from simlab.contracts import Regime
from simlab.data import activity, bin_spikes, mean_rates
from simlab.rules import Within, check_fields
from simlab.session import Session, pulsed_trials

BIN = 2e-3
"""s: of the group's rates."""

MEASURED = Session(4, 5.0)
"""What a twin's own rates are taken from."""


@dataclass(frozen=True)
class GroupedDrive:
    """Neurons that fire at the rates of the clusters of a network of `like`, which they know from outside.

        rate_i(t) = m_i / M_g * R_g(t),   g: i's group; R_g: mean rate of a twin's cluster g, smoothed with `smoothing`,
        in a session of its own; M_g: its mean; m_i: the mean rate of neuron i in the twin

    So the groups of a cortical column that gets its input from another area whose assemblies take turns: rates, their
    fluctuations, fast and slow, and correlations within and between groups are as in `like`, and no synapse makes them.
    Inhibitory neurons are a group that follows all. Within it, neurons are renewal processes with `irregularity`.

    Truth of `assemblies`: a single group, as nobody is wired to anybody; whoever divides it, has found the input's.
    """

    name: ClassVar[str] = "grouped_drive"
    mechanism: ClassVar[str] = "common drive"
    twin_of: ClassVar[tuple[str, ...]] = ("clustered_ei",)
    questions: ClassVar[tuple[str, ...]] = ("assemblies", "connectivity")
    modalities: ClassVar[tuple[str, ...]] = ("spikes",)
    regime: ClassVar[Regime] = CLUSTERED

    like: ClusteredEI = field(default_factory=ClusteredEI)  # whose activity it copies
    smoothing: Annotated[float, Within(1e-3, 1, "s")] = (
        2e-3  # s, sd of a Gaussian: what neurons do in the same few milliseconds, too
    )
    irregularity: Annotated[float, Within(0.1, 2)] = 0.5  # CV of intervals at a steady rate

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: ClusteredEI) -> GroupedDrive:
        """A copy that is matched to this network."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> GroupedDriveSubject:
        """One population: the twin whose clusters drive it."""
        twin = self.like.subject(rng)
        rate = mean_rates(twin.run(MEASURED, rng.spawn(1)[0]))
        return GroupedDriveSubject(self, twin, rate, twin.anatomy.drop_dims(["pre", "post"], errors="ignore"))


@dataclass(frozen=True, eq=False)
class GroupedDriveSubject:
    """One population: its twin and that one's mean rates (neuron,) [Hz]."""

    circuit: GroupedDrive
    twin: ClusteredSubject
    rate: np.ndarray
    anatomy: xr.Dataset

    @property
    def follows(self) -> np.ndarray:
        """(neuron,) which group's drive each gets; inhibitory neurons are the last group."""
        cluster = self.twin.cluster
        return np.concatenate([cluster, np.full(self.twin.network_of.n_inhibitory, cluster.max() + 1)])

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """Spontaneous activity: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with the spikes of all neurons; trials one after another, as rates are many."""
        from simlab.simulators.given_rates import spikes

        course, engine = self._courses(session, rng.spawn(1)[0])
        regular = {"interval_cv": self.circuit.irregularity, "dead_time": self.circuit.like.refractory}
        columns = []
        for trial in range(session.trials):
            rates = course[trial, :, self.follows].T * self.rate
            _, time, neuron = spikes(_alone(session, trial), rates[None], BIN, rng, **regular)
            columns.append((np.full(len(time), trial), time, neuron))
        trials, times, neurons = (np.concatenate(column) for column in zip(*columns, strict=True))
        seen = activity(session, len(self.rate), spikes=(trials, times, neurons))
        return seen.assign_attrs(engine=f"{engine}, then renewal processes at the rates of clusters")

    def _courses(self, session: Session, rng: np.random.Generator) -> tuple[np.ndarray, str]:
        """R_g / M_g (trial, bin, group), every `BIN`, and the engine that ran the twin."""
        from scipy.ndimage import gaussian_filter1d

        bins = int(np.ceil(session.duration / BIN - 1e-9))
        seen = self.twin.run(Session(session.trials, bins * BIN), rng)
        counts = bin_spikes(seen, BIN).values
        member = np.eye(self.follows.max() + 1)[self.follows]
        course = gaussian_filter1d(counts @ member, self.circuit.smoothing / BIN, axis=1, mode="nearest") / BIN
        return course / np.maximum(self.rate @ member, 1e-12), str(seen.attrs["engine"])

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`assemblies`: a single group; `connectivity`: no synapse."""
        n = len(self.rate)
        answers: dict[str, Any] = {
            "assemblies": lambda: truths.per_neuron(group=np.zeros(n, dtype=int)),
            "connectivity": lambda: truths.no_wiring(n),
        }
        return truths.among(self.circuit.name, question, answers)


def _alone(session: Session, trial: int) -> Session:
    """A session of one trial, with what is done in it."""
    done = [e for e in session.perturbations if trial in pulsed_trials(e, session.trials)]
    return Session(1, session.duration, perturbations=tuple(replace(e, trials=None) for e in done))
