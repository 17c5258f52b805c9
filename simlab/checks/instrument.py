"""What is asked of an instrument that records, and of one that stimulates."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from simlab.checks.examiner import Examiner, require
from simlab.checks.problem import spiking_activity, tissue
from simlab.contracts import SimlabError
from simlab.data import RECORDING_ATTRS, check_recording
from simlab.pairing import shown_to
from simlab.session import KINDS, Effect, Perturbation, Session, effects_on
from simlab.streams import stream

N_NEURONS = 60
TRIAL = 0.5  # s


def check_instrument(examine: Examiner, instrument: Any) -> None:
    """Contract of an instrument and its implants, on a toy tissue of 60 neurons."""
    anatomy, activity = shown_to(instrument, tissue(N_NEURONS)), spiking_activity(N_NEURONS)
    implant = examine.holds("is implanted", lambda: instrument.implant(anatomy, _rng("implant")))
    if implant is None:
        return
    examine.holds("its key mixes neurons into units, at most one whole each", lambda: _key(implant.key))
    again = examine.holds("same stream, same implant", lambda: instrument.implant(anatomy, _rng("implant")))
    if again is not None:
        examine.holds(
            "the same implant has the same key",
            lambda: require(implant.key.identical(again.key), "the same stream gave another key: draw from the rng"),
        )
    untouched = activity.copy(deep=True)
    seen = examine.holds("records", lambda: implant.record(activity, _rng("record")))
    if seen is None:
        return
    examine.holds("the recording is valid", lambda: check_recording(seen))
    examine.holds("the recording names no neuron", lambda: _names_no_neuron(seen, implant.key.sizes["unit"]))
    examine.holds(
        "same stream, same recording",
        lambda: require(
            seen.identical(implant.record(activity, _rng("record"))), "two recordings differ: draw from the rng"
        ),
    )
    examine.holds(
        "leaves the activity as it was",
        lambda: require(activity.identical(untouched), "the activity was changed: other instruments record it too"),
    )


def check_stimulator(examine: Examiner, stimulator: Any) -> None:
    """Contract of a stimulator beside an implant that sees the first 20 of 60 neurons."""
    anatomy = shown_to(stimulator, tissue(N_NEURONS))
    key = xr.DataArray(np.eye(20, N_NEURONS), dims=("unit", "neuron"))
    actuator = examine.holds("is installed", lambda: stimulator.install(anatomy, key, _rng("install")))
    if actuator is None:
        return
    kinds = [
        examine.holds(f"aims, or says why not: {kind}", lambda kind=kind: _aims(actuator, kind))  # type: ignore[misc]
        for kind in KINDS
    ]
    done = [kind for kind, said in zip(KINDS, kinds, strict=True) if said == "aims"]
    examine.holds("does something", lambda: require(bool(done), "it refuses every kind of perturbation"))
    twin = stimulator.install(anatomy, key, _rng("install"))
    examine.holds("same stream, same aim", lambda: _same_aim(actuator, twin, done))
    examine.holds("refuses a unit that is not there", lambda: _refuses(actuator, done))


def probe(kind: str, targets: tuple[int, ...] = (3, 7)) -> Perturbation:
    """A perturbation of a kind as the checks aim it, on two of three trials of `TRIAL` [s] where the kind allows."""
    if kind == "lesion":
        return Perturbation(kind, targets, 1.0, 0.0, TRIAL)
    strength = {"clamp": 20.0, "cool": 20.0, "edit": 2.0}.get(kind, 1.0)
    return Perturbation(kind, targets, strength, 0.1, 0.2, (0, 2))


def _rng(role: str) -> np.random.Generator:
    return stream(0, "check", role)


def _key(key: Any) -> None:
    require(isinstance(key, xr.DataArray) and set(key.dims) == {"unit", "neuron"}, "key must be (unit, neuron)")
    require(key.sizes["neuron"] == N_NEURONS, f"key must cover all {N_NEURONS} neurons, got {key.sizes['neuron']}")
    values = key.values
    require(bool(np.isfinite(values).all() and (values >= 0).all()), "shares in the key must be finite and >= 0")
    most = float(key.sum("neuron").max())
    require(most <= 1 + 1e-9, f"a unit's shares must sum to at most 1, got {most}: normalise the rows")


def _names_no_neuron(recording: xr.Dataset, n_units: int) -> None:
    require("neuron" not in recording.dims, "the recording has a neuron dim: name it unit")
    strangers = set(recording.variables) - {"trial", "unit", "time", "feature", "factor", *recording.data_vars}
    strangers |= set(recording.attrs) - set(RECORDING_ATTRS)
    require(not strangers, f"the recording carries {sorted(map(str, strangers))}: build it with simlab.data.recording")
    units = recording.sizes["unit"]
    require(units == n_units, f"the recording must have the key's {n_units} units, got {units}")


def _aims(actuator: Any, kind: str) -> str:
    pulse = probe(kind)
    try:
        aimed = actuator.aim(pulse)
    except SimlabError as refusal:
        return str(refusal)
    require(
        isinstance(aimed, tuple) and bool(aimed) and all(isinstance(effect, Effect) for effect in aimed),
        f"aim() must return a tuple of Effects, got {aimed!r:.80}: wrap a single one, (effect,)",
    )
    effects_on(Session(3, TRIAL, perturbations=aimed), N_NEURONS)
    for effect in aimed:
        given = (effect.start, effect.trials)
        among = effect.trials == pulse.trials or set(effect.trials or (-1,)) <= set(pulse.trials or ())
        rule = "effects must not precede the perturbation and must keep to its trials"
        require(effect.start >= pulse.start and among, f"{rule}, got {given}")
    return "aims"


def _same_aim(one: Any, other: Any, kinds: list[str]) -> None:
    for kind in kinds:
        aims = [[effect.to_dict() for effect in actuator.aim(probe(kind))] for actuator in (one, other)]
        require(aims[0] == aims[1], "two installs differ: draw everything from the rng")


def _refuses(actuator: Any, kinds: list[str]) -> None:
    for kind in kinds:
        try:
            actuator.aim(probe(kind, (20,)))
        except SimlabError:
            continue
        raise SimlabError(f"aiming {kind} at unit 20 of units 0..19 must raise a SimlabError that names them")
