"""Synthetic datasets: a recording for whoever analyses, and the truth in a file of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from simlab import registry
from simlab.contracts import CONNECTOME, Circuit, Instrument, SimlabError
from simlab.data import bare, check_activity, is_spiking, mean_rates, plain
from simlab.exchange.foreign import refuse_contacts
from simlab.exchange.truth_files import TRUTH_FORMATS, read_truth, write_truth
from simlab.exchange.zarr_store import refuse_existing, to_zarr
from simlab.fingerprint import describe
from simlab.instruments.placement import weighted_by_rates
from simlab.outputs import check_writable
from simlab.pairing import check_pair, shown_to, wanted_by
from simlab.scoring import told
from simlab.streams import stream
from simlab.truths import answer, answerable

__all__ = ["family_of", "generate", "read_truth"]

DATA_FORMATS = (".nwb", ".zarr")


def generate(
    circuit: Circuit | str,
    instrument: Instrument | str = "perfect",
    *,
    trials: int,
    duration: float,
    seed: int | str = 0,
    out: Path | str,
    truth: Path | str | None = None,
) -> xr.Dataset:
    """Records the natural task of one subject, writes it to `out`, and returns the Recording.

    circuit, instrument: names or objects. duration: of each trial [s]. out: a new .nwb file or .zarr folder; it holds
    no neuron, seed or circuit, and the briefs of all questions that the circuit answers, so that methods of any of
    them can be tried. truth: a new .json file or .zarr folder for what the circuit can answer, over neurons and over
    units (see `truths_of`). The same seed gives the same data; one that others might guess gives the truth away, so a
    blind contest needs a long secret one. Raises SimlabError before anything is simulated if a name is unknown or a
    file could not be written.
    """
    species = registry.create("circuits", circuit) if isinstance(circuit, str) else circuit
    device = registry.create("instruments", instrument) if isinstance(instrument, str) else instrument
    if not hasattr(device, "implant"):
        raise SimlabError(f"the instrument must record, got the stimulator {registry.name_of(device)!r}")
    check_pair(species, device)
    _check_target("out", out, DATA_FORMATS)
    if CONNECTOME in wanted_by(device):
        refuse_contacts(Path(out).suffix == ".nwb", "NWB")
    if truth is not None:
        _check_target("truth", truth, TRUTH_FORMATS)
    recording, answers, anatomy, key = _recorded(species, device, trials, duration, seed)
    _write(recording, Path(out), device)
    if truth is not None:
        origin = {"circuit": describe(species), "instrument": describe(device), "seed": str(seed)}
        write_truth(Path(truth), origin, truths_of(answers, anatomy, key))
    return recording


def _recorded(
    circuit: Circuit, instrument: Instrument, trials: int, duration: float, seed: int | str
) -> tuple[xr.Dataset, dict[str, xr.Dataset], xr.Dataset, xr.DataArray]:
    """The blind recording, the true answers over neurons, the anatomy, and the key at the neurons' true rates."""
    subject = circuit.subject(stream(seed, "subject"))
    session = subject.session(trials=trials, duration=duration, rng=stream(seed, "session"))
    shown = shown_to(instrument, subject.anatomy)
    implant: Any = instrument.implant(shown, stream(seed, "implant"))  # may refuse: before the simulation
    activity = subject.run(session, stream(seed, "activity"))
    check_activity(activity)
    implant = implant.settled(activity) if hasattr(implant, "settled") else implant
    order = stream(seed, "order").permutation(implant.key.sizes["unit"])
    seen = implant.record(activity, stream(seed, "record"))
    asked = answerable(circuit)
    answers = {name: answer(circuit, subject, name, activity, stream(seed, "truth", name)) for name in asked}
    key = implant.key.isel(unit=order).assign_coords(unit=np.arange(len(order)))
    key = weighted_by_rates(key, mean_rates(activity)) if is_spiking(activity) else key
    return bare(seen, order, brief=brief_of(circuit, answers, len(order))), answers, subject.anatomy, key


def truths_of(answers: Mapping[str, xr.Dataset], anatomy: xr.Dataset, key: xr.DataArray) -> dict[str, xr.Dataset]:
    """What a generated dataset is to be scored against, by name.

    `key` (unit, neuron), at the neurons' true rates, and `anatomy` (neuron); for each question that the circuit
    answers `<question>/neurons`, and `<question>/units`, projected through the key, where simlab knows the question.
    """
    found = {"key": key.to_dataset(name="share"), "anatomy": anatomy}
    for name, over_neurons in answers.items():
        found[f"{name}/neurons"] = over_neurons
        if name in registry.names("questions"):
            found[f"{name}/units"] = registry.question(name).project(over_neurons, key)
    return found


def brief_of(circuit: Circuit, answers: Mapping[str, xr.Dataset], n_units: int) -> dict[str, Any]:
    """What the questions that the circuit answers tell a method, together.

    Where two questions tell different things by one name, the later one's is `<question>/<name>`.
    """
    brief: dict[str, Any] = {}
    for name in sorted(set(answers) & set(registry.names("questions"))):
        its = told(registry.question(name), family_of(circuit), answers[name], n_units)
        for entry, value in plain(its).items():
            there = brief.setdefault(entry, value)
            if str(there) != str(value):
                brief[f"{name}/{entry}"] = value
    return brief


def family_of(circuit: Circuit) -> tuple[str, ...]:
    """The mechanisms of the circuit, of those that it imitates, and of all that imitate one of these; sorted."""
    known = registry.names("circuits")
    imitated = [registry.get("circuits", name) for name in getattr(circuit, "twin_of", ()) if name in known]
    originals = [circuit, *imitated]
    rivals = [rival for one in originals for rival in registry.rivals_of(registry.name_of(one))]
    return tuple(sorted({str(one.mechanism) for one in (*originals, *rivals)}))


def _write(recording: xr.Dataset, path: Path, device: Any) -> None:
    if path.suffix == ".zarr":
        to_zarr(recording, path)
        return
    from simlab.exchange.nwb import write_nwb

    indicator = getattr(device, "indicator", "unknown")
    write_nwb(recording, path, indicator=indicator if isinstance(indicator, str) else "custom")


def _check_target(what: str, path: Path | str, formats: tuple[str, ...]) -> None:
    path = Path(path)
    if path.suffix not in formats:
        raise SimlabError(f"{what} must end in {' or '.join(formats)}, got {path}: name it so")
    refuse_existing(path)
    if not path.parent.is_dir():
        raise SimlabError(f"{what} must lie in a folder that is there, got {path}: make {path.parent} first")
    check_writable(what, path)
