"""Builders of the truths that many circuits tell, and the one that the lab tells itself: the mechanism's name.

A subject's `truth(question, activity, rng)` returns what its question's `truth_form` declares, over neurons:

    def truth(self, question, activity, rng):
        return truths.among(self.circuit.name, question, {"connectivity": lambda: truths.wiring(self.weights)})
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from simlab.contracts import Circuit, Subject
from simlab.data import in_window, is_spiking
from simlab.session import Effect

GENERIC, NOTHING = "generic", "none"
"""What `localisation` calls an area that several behaviours need, or one that nobody watched; one that none needs.
`tuning` and `selectivity` call `NOTHING` what a neuron codes that codes none of the variables or concepts asked about.
"""

OF_THE_LAB = ("mechanism", "model_choice")
"""Questions that every circuit can be asked, and no subject needs to answer."""


def answerable(circuit: Circuit) -> tuple[str, ...]:
    """The questions that have a true answer on this circuit."""
    return tuple(dict.fromkeys((*circuit.questions, *OF_THE_LAB)))


def answer(
    circuit: Circuit, subject: Subject, question: str, activity: xr.Dataset | None, rng: np.random.Generator
) -> xr.Dataset:
    """The true answer on a subject of this circuit, over neurons; LookupError where there is none."""
    if question in OF_THE_LAB:
        return xr.Dataset({"label": circuit.mechanism})
    return _with_distances(subject.truth(question, activity, rng), subject.anatomy)


MOST_PLACED = 2000
"""Neurons whose mutual distances are kept beside a wiring: their matrix grows with the square."""


def _with_distances(truth: xr.Dataset, anatomy: xr.Dataset) -> xr.Dataset:
    """A truth about pairs with `distance` (pre, post) [m] of the two neurons, so that answers can be split by it."""
    n = anatomy.sizes.get("neuron", 0)
    if dict(truth.sizes).get("pre") != n or truth.sizes.get("post") != n or "distance" in truth or n > MOST_PLACED:
        return truth
    place = np.stack([anatomy[axis].values for axis in ("x", "y", "z")], axis=-1)
    apart = np.linalg.norm(place[:, None] - place[None], axis=-1).astype(np.float32)
    return truth.assign(distance=(("pre", "post"), apart, {"units": "m"}))


def among(who: str, question: str, answers: Mapping[str, Callable[[], xr.Dataset]]) -> xr.Dataset:
    """The chosen one of a subject's answers; a LookupError lists those that there are."""
    if question not in answers:
        raise LookupError(f"{who} can answer {', '.join(answers) or 'no question'}, got {question!r}")
    return answers[question]()


def wiring(weights: np.ndarray, units: str = "") -> xr.Dataset:
    """`weight` (pre, post), in `units`: those of the circuit's synapses, "1" where they have none."""
    index = np.arange(len(weights))
    attrs = {"units": units} if units else {}
    return xr.Dataset({"weight": (("pre", "post"), weights, attrs)}, {"pre": index, "post": index})


def no_wiring(n_neurons: int) -> xr.Dataset:
    """The wiring of neurons without a synapse among them."""
    return wiring(np.zeros((n_neurons, n_neurons)))


def shape(betti: tuple[int, int, int]) -> xr.Dataset:
    """`b0`, `b1`, `b2`: pieces, loops and voids of the manifold of states."""
    return xr.Dataset(dict(zip(("b0", "b1", "b2"), betti, strict=True)))


def one(**values: Any) -> xr.Dataset:
    """Numbers or labels without dims, by name: a dimension, a dynamical regime, a time scale [s]."""
    return xr.Dataset(values)


def game(values: np.ndarray, players: np.ndarray | None = None) -> xr.Dataset:
    """`value` (coalition,), the expected outcome with each set of players intact and the others silenced; `player`.

    values: of all sets (`simlab.coalitions`). players: (player,) the neuron that each player is; all by default.
    """
    n_players = len(values).bit_length() - 1
    player = np.arange(n_players) if players is None else np.asarray(players, dtype=int)
    return xr.Dataset({"value": ("coalition", values), "player": ("player", player)})


def behaviour(number: int) -> str:
    """What `localisation` calls an area that serves the behaviour of this condition alone."""
    return f"behaviour {number}"


def per_neuron(**values: Any) -> xr.Dataset:
    """One value for each neuron (neuron,), by name: a cell type, a preferred value, an importance."""
    arrays = {name: np.asarray(value) for name, value in values.items()}
    n_neurons = len(next(iter(arrays.values())))
    return xr.Dataset({k: ("neuron", v) for k, v in arrays.items()}, {"neuron": np.arange(n_neurons)})


def tuning(codes: np.ndarray, candidates: tuple[str, ...], preferred: np.ndarray | None = None) -> xr.Dataset:
    """`variable` (neuron,): which of the `candidate` variables each neuron's rate is a function of, or `NOTHING`.

    preferred: (neuron,) the value at which its rate is highest, in the variable's own unit; NaN where there is none.
    """
    told = per_neuron(
        variable=np.asarray(codes, dtype=object), **({} if preferred is None else {"preferred": preferred})
    )
    return told.assign(candidate=("candidate", np.array(candidates, dtype=object)))


def patterns(
    grid: np.ndarray, period: np.ndarray, module: np.ndarray, doubtful: np.ndarray | None = None, **more: Any
) -> xr.Dataset:
    """`grid` (neuron,): whose map is a triangular lattice of fields; `period` (neuron,) [m] of it, and `module`
    (neuron,), a number shared by those of one period: 0 and -1 where there is no grid.

    doubtful: (neuron,) who is neither a clear grid cell nor clearly none, and is not asked about. more: whatever else
    is known, by name: over neurons, or one number.
    """
    told = per_neuron(
        grid=np.asarray(grid, dtype=bool), period=period, module=module,
        doubtful=np.zeros(len(grid), dtype=bool) if doubtful is None else doubtful,
    )  # fmt: skip
    return told.assign({name: ("neuron" if np.ndim(value) else (), value) for name, value in more.items()})


def no_pattern(n_neurons: int) -> xr.Dataset:
    """The truth of `spatial_pattern` of neurons of which none is a grid cell."""
    return patterns(np.full(n_neurons, False), np.zeros(n_neurons), np.full(n_neurons, -1))


def selectivity(codes: np.ndarray, shown: np.ndarray, number: np.ndarray) -> xr.Dataset:
    """`concept` (neuron,): the one that each neuron is selective for, or `NOTHING`; `shown` (picture,): of each;
    `number` (neuron,): of all concepts that the subject knows, to how many each responds in any picture."""
    told = per_neuron(concept=np.asarray(codes, dtype=object), number=number)
    return told.assign(shown=("picture", np.asarray(shown, dtype=object)))


def filters(first: np.ndarray, second: np.ndarray | None = None, grid: tuple[int, int] | None = None) -> xr.Dataset:
    """`filter`, `second_filter` (neuron, feature): the stimuli that a neuron's rate depends on, zero where on none.

    grid: rows and columns of the pixels that the features are, so that a report can draw them as pictures.
    """
    attrs = {} if grid is None else {"grid": grid}
    index = {"neuron": np.arange(len(first))}
    told = {"filter": first, "second_filter": np.zeros_like(first) if second is None else second}
    return xr.Dataset({name: (("neuron", "feature"), values, attrs) for name, values in told.items()}, index)


def dictionary(features: np.ndarray) -> xr.Dataset:
    """`dictionary` (feature, neuron): the direction in which each feature moves the population, of unit length."""
    return xr.Dataset({"dictionary": (("feature", "neuron"), features)}, {"neuron": np.arange(features.shape[1])})


def readouts(readout: np.ndarray, population: np.ndarray) -> xr.Dataset:
    """`readout` (neuron, feature): what each neuron's response gains by each feature, `population` (neuron,) 0 or 1.

    Features are uncorrelated over stimuli and of variance 1.
    """
    return per_neuron(population=population).assign(readout=(("neuron", "feature"), readout))


def flows(poles: np.ndarray) -> xr.Dataset:
    """`eigenvalue` (population, mode, part) [1/s]: those of each population's linear flow, real and imaginary part.

    poles: (population, mode), complex.
    """
    return one(
        eigenvalue=(("population", "mode", "part"), np.stack([poles.real, poles.imag], axis=2), {"units": "1/s"})
    )


def cell_types(anatomy: xr.Dataset) -> xr.Dataset:
    """`label` (neuron,): which neurons excite (E) and which inhibit (I), as the anatomy says."""
    return per_neuron(label=anatomy["cell_type"].values)


def latents(values: np.ndarray, time: np.ndarray) -> xr.Dataset:
    """`latent` (trial, time, factor) at `time` [s]: what the population's activity is a function of."""
    return xr.Dataset({"latent": (("trial", "time", "factor"), values)}, {"time": ("time", time, {"units": "s"})})


def happened(trial: np.ndarray, time: np.ndarray, minutes: float, content: np.ndarray | None = None) -> xr.Dataset:
    """`event_trial`, `event_time` [s] and `content` (event,), their `rate` [1/min] in so many `minutes`."""
    columns = {"event_trial": np.asarray(trial), "event_time": np.asarray(time)}
    columns |= {} if content is None else {"content": np.asarray(content)}
    found = xr.Dataset({name: ("event", values) for name, values in columns.items()})
    return found.assign(rate=len(columns["event_time"]) / minutes, minutes=minutes)


@dataclass(frozen=True)
class Pulse:
    """The pulse that `effect` asks about: a current into one neuron, and how long its consequences are counted."""

    strength: float = 4.0  # rheobases: makes a cortical neuron fire about twice, as a light pulse of this length does
    duration: float = 10e-3  # s (common in optogenetics: 1 to 10 ms)
    window: float = 50e-3  # s from the pulse's onset: delays and postsynaptic potentials, two synapses far


def pulse_responses(
    subject: Subject, rng: np.random.Generator, pulse: Pulse = Pulse(), *, trials: int = 7, pulses: int = 30
) -> xr.Dataset:
    """What a pulse into each neuron does to all others, by simulation: `response` (pre, post) with `response_se`.

    A response is the change of a neuron's spikes in the pulse's window, or of its mean rate there; `evoked` (neuron)
    is that of the pulsed neuron itself. Sessions of the same random stream are run with and without pulses, so that
    only what the pulses change differs (common random numbers). Each trial holds `pulses` of them, one after another,
    into neurons that change from run to run until each had each place: `trials` x `pulses` responses of every pair.
    A window begins one duration of a pulse after the last one's end. What is left of the last pulse adds noise (the
    standard error has it), and hardly a bias: it comes from a neuron that is another in each place. A neuron is not
    read in the window after its own pulse, of which most is left.
    """
    n_neurons, seed = subject.anatomy.sizes["neuron"], int(rng.integers(2**63))
    onsets = pulse.duration + (pulse.window + pulse.duration) * np.arange(pulses)
    session = subject.session(trials=trials, duration=float(onsets[-1] + pulse.window), rng=rng)
    places = np.concatenate([rng.permutation(n_neurons) for _ in range(-(-pulses // n_neurons))])[:pulses]

    def run(pulsed: Iterable[int]) -> tuple[np.ndarray, str]:
        """(trial, pulse, neuron) in the windows of pulses into these neurons, one after another; and its units."""
        effects = [_into(neuron, n_neurons, pulse, float(start)) for neuron, start in zip(pulsed, onsets, strict=False)]
        activity = subject.run(session.perturbed(*effects), np.random.default_rng(seed))
        seen = np.stack([in_window(activity, start, pulse.window) for start in onsets], axis=1)
        return seen, "spikes" if is_spiking(activity) else "1"

    quiet, units = run(())
    n, total, squares = np.zeros((3, n_neurons, n_neurons))
    for first in range(n_neurons):
        pulsed = (first + places) % n_neurons
        change, fit = run(pulsed)[0] - quiet, np.ones((pulses, n_neurons))
        fit[np.arange(1, pulses), pulsed[:-1]] = pulsed[1:] == pulsed[:-1]
        np.add.at(n, pulsed, trials * fit)
        np.add.at(total, pulsed, change.sum(axis=0) * fit)
        np.add.at(squares, pulsed, (change**2).sum(axis=0) * fit)
    mean = total / n
    return _responses(mean, np.sqrt(np.maximum(squares / n - mean**2, 0) / np.maximum(n - 1, 1)), pulse, units)


def no_responses(n_neurons: int, pulse: Pulse = Pulse()) -> xr.Dataset:
    """What a pulse into each neuron does to the others where there is no synapse: nothing, exactly."""
    nothing = np.zeros((n_neurons, n_neurons))
    return _responses(nothing, nothing, pulse, "spikes").drop_vars("evoked")


def _into(neuron: int, n_neurons: int, pulse: Pulse, onset: float) -> Effect:
    strength = np.where(np.arange(n_neurons) == neuron, pulse.strength, 0.0)
    return Effect("drive", strength, onset, onset + pulse.duration)


def _responses(mean: np.ndarray, error: np.ndarray, pulse: Pulse, units: str) -> xr.Dataset:
    """The truth about `effect`: means and standard errors (pre, post) of the neurons' responses, their own too."""
    others, index = ~np.eye(len(mean), dtype=bool), np.arange(len(mean))
    return xr.Dataset(
        {
            "response": (("pre", "post"), np.where(others, mean, 0.0), {"units": units}),
            "response_se": (("pre", "post"), np.where(others, error, 0.0), {"units": units}),
            "evoked": ("neuron", np.diag(mean), {"units": units}),
            "pulse_strength": pulse.strength,
            "pulse_duration": pulse.duration,
            "response_window": pulse.window,
        },
        {"pre": index, "post": index, "neuron": index},
    )
