"""Portraits: what a circuit does, what an instrument makes of it, where a stimulator hits. `simlab show --figure`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from simlab import data, registry
from simlab.contracts import SimlabError
from simlab.outputs import check_writable
from simlab.pairing import shown_to
from simlab.report import circuit_figures, figures
from simlab.report import instrument_figures as tools
from simlab.session import Perturbation, Session
from simlab.streams import stream

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEED = 2026
TRIALS, DURATION = 8, 3.0
"""A portrait's session: trials, and seconds of each."""


def portrait(plugin: Any, path: Path | str, *, trials: int = TRIALS, duration: float = DURATION) -> Path:
    """Draws a circuit, instrument or stimulator (object, class or name) and saves it as .svg, .png or .pdf.

    trials and duration [s] are those of the session that a circuit is shown in. The same plug-in gives the same
    picture. Raises SimlabError, before anything is simulated, for kinds that have no portrait, for a suffix that names
    no format, and for a file that cannot be written.
    """
    path = Path(path)
    plugin = registry.find(plugin)[1] if isinstance(plugin, str) else plugin
    check_portrait(plugin, path)
    plugin = registry.made(plugin, {})
    if hasattr(plugin, "subject"):
        figure = circuit_portrait(plugin, trials=trials, duration=duration)
    elif hasattr(plugin, "implant"):
        figure = instrument_portrait(plugin)
    else:
        figure = stimulator_portrait(plugin)
    return figures.save(figure, path)


def check_portrait(plugin: Any, path: Path) -> None:
    """Raises SimlabError where an object or class has no portrait, or the file could not be written."""
    if not any(hasattr(plugin, sign) for sign in ("subject", "implant", "install")):
        raise SimlabError(
            f"circuits, instruments and stimulators have portraits, {registry.name_of(plugin)} is none of them: "
            "a method shows itself in the report of an experiment"
        )
    if path.suffix.lower().lstrip(".") not in figures.WRITERS:
        raise SimlabError(f"a figure is saved as .svg, .png or .pdf, got {path.name!r}: change its suffix")
    check_writable("the figure", path, making=True)


def circuit_portrait(circuit: Any, *, trials: int = TRIALS, duration: float = DURATION) -> Figure:
    """One subject of the circuit in its natural task: trials of duration [s]."""
    subject, activity = observe(circuit, trials=trials, duration=duration)
    return circuit_figures.circuit_figure(
        registry.name_of(circuit), subject.anatomy, activity, true_wiring(subject, activity), place(subject)
    )


def observe(circuit: Any, *, trials: int, duration: float) -> tuple[Any, xr.Dataset]:
    """A subject of the circuit, always the same one, and its activity in a natural session."""
    name = registry.name_of(circuit)
    subject = circuit.subject(stream(SEED, "portrait", name, "subject"))
    session = subject.session(trials=trials, duration=duration, rng=stream(SEED, "portrait", name, "session"))
    return subject, subject.run(session, stream(SEED, "portrait", name, "activity"))


def place(subject: Any) -> np.ndarray | None:
    """The neurons' preferred angles (neuron,) [rad], where the subject states them: the order of a ring."""
    angle = getattr(subject, "preferred_angle", None)
    return None if angle is None else np.asarray(angle, dtype=float)


def true_wiring(subject: Any, activity: xr.Dataset) -> xr.DataArray | None:
    """The subject's (pre, post) weights, where it can state them."""
    try:
        return subject.truth("connectivity", activity, stream(SEED, "portrait", "truth"))["weight"].transpose(
            "pre", "post"
        )
    except LookupError:
        return None


def instrument_portrait(instrument: Any) -> Figure:
    """The reference activity, and what this instrument sees of it."""
    anatomy, activity = reference_activity()
    implant = instrument.implant(shown_to(instrument, anatomy), stream(SEED, "portrait", "implant"))
    recording = implant.record(activity, stream(SEED, "portrait", "recording"))
    return tools.instrument_figure(registry.name_of(instrument), anatomy, activity, recording, implant.key)


def stimulator_portrait(stimulator: Any) -> Figure:
    """Strength 1 aimed at the neuron in the middle, every neuron being a unit."""
    anatomy, _ = reference_activity()
    n_neurons = anatomy.sizes["neuron"]
    key = xr.DataArray(np.eye(n_neurons), {"unit": np.arange(n_neurons)}, ("unit", "neuron"))
    position = np.stack([anatomy[axis].values for axis in "xyz"], axis=1)
    target = int(np.linalg.norm(position - position.mean(axis=0), axis=1).argmin())
    actuator = stimulator.install(anatomy, key, stream(SEED, "portrait", "actuator"))
    (aimed, *_) = actuator.aim(Perturbation("stimulate", (target,), 1.0, 0.0, 0.1))
    return tools.aim_figure(registry.name_of(stimulator), anatomy, aimed.steps[0], target)


def reference_activity(n_neurons: int = 60, trials: int = 4, duration: float = 5.0) -> tuple[xr.Dataset, xr.Dataset]:
    """Anatomy and Activity of Poisson neurons with lognormal rates in a cube of 200 um, four in five excitatory.

    Rates have the geometric mean 2.5 Hz (E) and 6 Hz (I) and a log-spread of 0.7; each neuron keeps 2 ms of
    refractoriness, so that what an instrument does to intervals can be seen.
    """
    rng = stream(SEED, "portrait", "reference")
    inhibitory = np.arange(n_neurons) >= int(0.8 * n_neurons)
    place = rng.uniform(0, 200e-6, (n_neurons, 3))
    contacts = 4 * (stream(SEED, "portrait", "contacts").random((n_neurons, n_neurons)) < 0.1)
    np.fill_diagonal(contacts, 0)
    anatomy = data.anatomy(place, np.where(inhibitory, "I", "E").tolist(), contacts=contacts)
    rate = np.where(inhibitory, 6.0, 2.5) * np.exp(0.7 * rng.standard_normal(n_neurons))
    count = rng.poisson(rate * duration, (trials, n_neurons))
    trial, neuron = (np.repeat(index.ravel(), count.ravel()) for index in np.indices(count.shape))
    when = rng.uniform(0, duration, len(neuron))
    order = np.lexsort((when, neuron, trial))
    trial, neuron, when = trial[order], neuron[order], when[order]
    close = (np.diff(when) < 2e-3) & (np.diff(neuron) == 0) & (np.diff(trial) == 0)
    kept = np.concatenate([[True], ~close])
    spikes = (trial[kept], when[kept], neuron[kept])
    return anatomy, data.activity(Session(trials, duration), n_neurons, spikes=spikes)
