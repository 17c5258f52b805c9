"""A tiny real problem: eight Poisson units, one of which drives another, and a rig to stimulate them with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import Budget, BudgetExceeded, SimlabError
from simlab.data import activity, anatomy, plain, recording
from simlab.instruments.placement import UNIT_AXES
from simlab.session import Intervention, Perturbation, Session, Stimulus, pulsed_trials
from simlab.streams import stream

N_UNITS = 8
RATE = 10.0  # Hz
LAG = 0.003  # s from a spike of unit 0 to the spike of unit 1 that it causes
COUPLING = 0.5  # probability that it causes one
FRAME_RATE = 20.0  # Hz
BRIEF: Mapping[str, Any] = {"candidates": ("this", "that")}
REGION = "region 0"


def spike_columns(
    rng: np.random.Generator, n_cells: int, trials: int, duration: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Poisson spikes (trial, time [s], cell) in which cell 0 drives cell 1."""
    counts = rng.poisson(RATE * duration, (trials, n_cells))
    trial, cell = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
    when = rng.uniform(0, duration, len(trial))
    caused = (cell == 0) & (rng.random(len(trial)) < COUPLING) & (when + LAG < duration) & (n_cells > 1)
    return (
        np.append(trial, trial[caused]),
        np.append(when, when[caused] + LAG),
        np.append(cell, np.ones(int(caused.sum()), dtype=int)),
    )


def positions(n_cells: int) -> np.ndarray:
    """Cells (n, 3) [m] on a line, 50 um apart."""
    return np.outer(np.arange(n_cells), [50e-6, 0.0, 0.0])


def places(n_units: int) -> dict[str, Any]:
    """The same of units, by the names that a recording has for them (unit,) [m]."""
    return dict(zip(UNIT_AXES, positions(n_units).T, strict=True))


def spiking_recording(
    trials: int = 20, duration: float = 2.0, n_units: int = N_UNITS, brief: Mapping[str, Any] = BRIEF
) -> xr.Dataset:
    """The recording of the problem, with a stimulus whose angle [rad] moves once around in each trial."""
    spikes = spike_columns(stream(0, "check", "spikes"), n_units, trials, duration)
    return _finished(trials, duration, n_units, brief, spikes=spikes)


def silent_recording(brief: Mapping[str, Any] = BRIEF) -> xr.Dataset:
    """A recording in which nobody fired."""
    nothing = np.zeros(0)
    return _finished(4, 1.0, N_UNITS, brief, spikes=(nothing, nothing, nothing))


def unequal_recording() -> xr.Dataset:
    """The problem in trials of 1 to 2 s."""
    rng, length = stream(0, "check", "unequal"), np.linspace(1.0, 2.0, 8)
    trial, when, unit = spike_columns(rng, N_UNITS, 8, 2.0)
    kept = when <= length[trial]
    return _finished(8, length, N_UNITS, BRIEF, spikes=(trial[kept], when[kept], unit[kept]))


def fluorescence_recording(brief: Mapping[str, Any] = BRIEF) -> xr.Dataset:
    """Calcium traces [dF/F] of independent units, without spikes."""
    rng = stream(0, "check", "fluorescence")
    frames = int(4.0 * FRAME_RATE)
    traces = rng.exponential(0.1, (6, frames, N_UNITS)) + rng.normal(0, 0.02, (6, frames, N_UNITS))
    measured = {"signal": traces, "modality": "fluorescence", "signal_units": "dF/F"}
    return _finished(6, 4.0, N_UNITS, brief, sample_time=(np.arange(frames) + 0.5) / FRAME_RATE, **measured)


def connectome_recording() -> xr.Dataset:
    """The units' contacts alone: three synapses from unit 0 onto unit 1."""
    contacts = np.zeros((N_UNITS, N_UNITS), dtype=int)
    contacts[0, 1] = 3
    return recording(duration=1.0, n_units=N_UNITS, n_trials=1, contacts=contacts).assign_attrs(brief=plain(BRIEF))


def _finished(
    trials: int, duration: float | np.ndarray, n_units: int, brief: Mapping[str, Any], **seen: object
) -> xr.Dataset:
    time = np.linspace(0, np.max(duration), 20, endpoint=False)
    angle = np.broadcast_to((2 * np.pi * time / np.max(duration))[None, :, None], (trials, 20, 1))
    place = places(n_units)
    result = recording(
        duration=duration,
        n_units=n_units,
        n_trials=trials,
        time=time,
        stimulus=angle,
        condition=np.arange(trials) % 4,
        **seen,  # type: ignore[arg-type]
        **place,
    ).assign_coords(feature=["angle"])
    return result.assign_attrs(brief=plain(brief))


def spiking_activity(n_neurons: int = 60, trials: int = 4, duration: float = 1.0) -> xr.Dataset:
    """An Activity of the same neurons, for an instrument to record."""
    time = np.arange(0, duration, 0.05)
    stimulus = Stimulus(("angle",), np.zeros((trials, len(time), 1)), 0.05)
    session = Session(trials, duration, stimulus, tuple(range(trials)))
    spikes = spike_columns(stream(0, "check", "activity"), n_neurons, trials, duration)
    return activity(session, n_neurons, spikes=spikes, time=time)


def tissue(n_neurons: int = 60) -> xr.Dataset:
    """Their anatomy: a 300 um cube around the origin, one in five inhibitory, one pair in ten with three contacts."""
    place = stream(0, "check", "tissue").uniform(-150e-6, 150e-6, (n_neurons, 3))
    pairs = stream(0, "check", "contacts").random((n_neurons, n_neurons))
    contacts = 3 * ((pairs < 0.1) & ~np.eye(n_neurons, dtype=bool))
    return anatomy(place, ["I" if i % 5 == 4 else "E" for i in range(n_neurons)], contacts=contacts)


class PracticeRig:
    """A rig on the problem's units; stimulated units fire, silenced ones do not, and cut ones drive nobody.

    Its budget is spent as in the lab.
    """

    def __init__(self, brief: Mapping[str, Any], budget: Budget, n_units: int = N_UNITS) -> None:
        place = places(n_units)
        self.units = xr.Dataset({name: ("unit", value, {"units": "m"}) for name, value in place.items()})
        self.units = self.units.assign_coords(unit=np.arange(n_units))
        self.brief = brief
        self.remaining = budget
        self._recorded = 0
        self._done: set[Intervention] = set()

    def session(self, *, trials: int, duration: float) -> Session:
        """Trials in which an angle [rad] moves once around; no more of them than the budget buys."""
        self._left(Session(trials, duration))
        angle = np.broadcast_to(np.linspace(0, 2 * np.pi, 20, endpoint=False)[None, :, None], (trials, 20, 1))
        return Session(trials, duration, Stimulus(("angle",), angle, duration / 20), (0,) * trials)

    def record(self, session: Session) -> xr.Dataset:
        """The units' spikes in this session; raises as the lab's rig does."""
        self._spend(session)
        n_units = self.units.sizes["unit"]
        rng = stream(0, "check", "rig", self._recorded)
        self._recorded += 1
        columns = spike_columns(rng, n_units, session.trials, session.duration)
        for pulse in session.perturbations:
            columns = _perturbed(columns, pulse, n_units, session.trials, rng)
        return _finished(session.trials, session.duration, n_units, self.brief, spikes=columns)

    def _spend(self, session: Session) -> None:
        self.remaining = self._left(session)
        self._done |= session.interventions()

    def _left(self, session: Session) -> Budget:
        new = session.interventions() - self._done
        cost = Budget(session.trials, session.trials * session.duration, session.n_perturbed_trials(), len(new))
        left = {name: getattr(self.remaining, name) - amount for name, amount in vars(cost).items()}
        if min(left.values()) < -1e-9:
            raise BudgetExceeded(f"the session costs {cost}, but {self.remaining} remains")
        return Budget(**{name: max(amount, 0) for name, amount in left.items()})


def _perturbed(
    columns: tuple[np.ndarray, np.ndarray, np.ndarray],
    pulse: object,
    n_units: int,
    trials: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    aimed = (*pulse.targets, *pulse.onto) if isinstance(pulse, Perturbation) else (-1,)
    if not isinstance(pulse, Perturbation) or not all(0 <= unit < n_units for unit in aimed):
        raise SimlabError(f"a rig takes Perturbations aimed at units 0..{n_units - 1}, got {pulse}")
    if pulse.region not in ("", REGION):
        raise SimlabError(f"a perturbation's region must be one of the subject's, {REGION}, got {pulse.region!r}")
    targets = np.arange(n_units) if pulse.region else np.asarray(pulse.targets)
    trial, when, cell = columns
    on = pulsed_trials(pulse, trials)
    inside = np.isin(trial, on) & (when >= pulse.start) & (when < pulse.stop)
    driving = np.isin(0, targets) and (not pulse.onto or 1 in pulse.onto)
    if driving and (factor := _weight(pulse)) is not None:
        columns, inside = _reweighted(columns, inside, factor, pulse.stop, rng)
        trial, when, cell = columns
    if pulse.kind not in ("stimulate", "silence", "clamp", "lesion"):
        return columns
    hit = inside & np.isin(cell, targets)
    trial, when, cell = trial[~hit], when[~hit], cell[~hit]
    if pulse.kind in ("silence", "lesion"):
        return trial, when, cell
    rate = pulse.strength if pulse.kind == "clamp" else 50.0 * pulse.strength  # Hz
    more = rng.poisson(rate * (pulse.stop - pulse.start), (len(on), len(targets)))
    row, column = (np.repeat(index.ravel(), more.ravel()) for index in np.indices(more.shape))
    return (
        np.append(trial, on[row]),
        np.append(when, rng.uniform(pulse.start, pulse.stop, len(row))),
        np.append(cell, targets[column]),
    )


def _weight(pulse: Perturbation) -> float | None:
    """The factor on the synapses of who is meant; None where it leaves them alone."""
    if pulse.kind in ("cut", "drug", "lesion"):
        return 1 - pulse.strength
    return pulse.strength if pulse.kind == "edit" else 2.0 ** (-pulse.strength / 10) if pulse.kind == "cool" else None


def _reweighted(
    columns: tuple[np.ndarray, np.ndarray, np.ndarray],
    inside: np.ndarray,
    factor: float,
    stop: float,
    rng: np.random.Generator,
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    """Fewer or more of the spikes that cell 0 causes inside a window, as a factor on their probability says.

    Returns the columns, and which of their spikes (spike,) are inside.
    """
    trial, when, cell = columns
    kept = ~(inside & _caused(columns) & (rng.random(len(when)) >= factor))
    chance = min(COUPLING * max(factor - 1, 0.0), 1.0)
    more = inside & (cell == 0) & (when + LAG < stop) & (rng.random(len(when)) < chance)
    found = (
        np.append(trial[kept], trial[more]),
        np.append(when[kept], when[more] + LAG),
        np.append(cell[kept], np.ones(int(more.sum()), dtype=int)),
    )
    return found, np.append(inside[kept], inside[more])


def _caused(columns: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
    """(spike,): whether it is one of cell 1 that cell 0 caused."""
    trial, when, cell = columns
    driving = cell == 0
    instants = {(t, round(w + LAG, 9)) for t, w in zip(trial[driving].tolist(), when[driving].tolist(), strict=True)}
    found = [(t, round(w, 9)) in instants for t, w in zip(trial.tolist(), when.tolist(), strict=True)]
    return np.array(found, dtype=bool) & (cell == 1)
