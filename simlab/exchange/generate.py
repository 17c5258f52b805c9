"""Synthetic datasets: a recording for whoever analyses, and the truth in a file of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from simlab import registry
from simlab.contracts import Circuit, Instrument, SimlabError, Subject
from simlab.data import bare, check_activity
from simlab.exchange.zarr_store import open_group, read_dataset, refuse_existing, to_zarr, write_dataset
from simlab.fingerprint import describe
from simlab.streams import stream

DATA_FORMATS = (".nwb", ".zarr")
TRUTH_FORMATS = (".json", ".zarr")


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
    no neuron, seed or circuit. truth: a new .json file or .zarr folder for what the circuit can answer, over neurons
    and over units (see `read_truth`). The same seed gives the same data; one that others might guess gives
    the truth away, so a blind contest needs a long secret one. Raises SimlabError before anything is simulated if a
    name is unknown or a file could not be written.
    """
    species = registry.create("circuits", circuit) if isinstance(circuit, str) else circuit
    device = registry.create("instruments", instrument) if isinstance(instrument, str) else instrument
    if not hasattr(device, "implant"):
        raise SimlabError(f"the instrument must record, got the stimulator {registry.name_of(device)!r}")
    _check_target("out", out, DATA_FORMATS)
    if truth is not None:
        _check_target("truth", truth, TRUTH_FORMATS)
    subject = species.subject(stream(seed, "subject"))
    session = subject.session(trials=trials, duration=duration, rng=stream(seed, "session"))
    activity = subject.run(session, stream(seed, "activity"))
    check_activity(activity)
    implant = device.implant(subject.anatomy, stream(seed, "implant"))
    order = stream(seed, "order").permutation(implant.key.sizes["unit"])
    recording = bare(implant.record(activity, stream(seed, "record")), order)
    _write(recording, Path(out), device)
    if truth is not None:
        key = implant.key.isel(unit=order).assign_coords(unit=np.arange(len(order)))
        origin = {"circuit": describe(species), "instrument": describe(device), "seed": str(seed)}
        write_truth(Path(truth), origin, truths(species, subject, key))
    return recording


def truths(circuit: Circuit, subject: Subject, key: xr.DataArray) -> dict[str, xr.Dataset]:
    """What a generated dataset is to be scored against, by name.

    `key` (unit, neuron) and `anatomy` (neuron); for each question that the circuit answers `<question>/neurons`, and
    `<question>/units`, projected through the key, where simlab knows how to project it.
    """
    family = tuple(sorted({circuit.name, *circuit.rivals}))
    found = {"key": key.to_dataset(name="share"), "anatomy": subject.anatomy}
    for name in circuit.questions:
        answer = subject.truth(name)
        found[f"{name}/neurons"] = answer
        if name in registry.names("questions"):
            question = registry.get("questions", name)()
            found[f"{name}/units"] = question.project(answer.assign_attrs(candidates=family), key)
    return found


def write_truth(path: Path, origin: Mapping[str, Any], found: Mapping[str, xr.Dataset]) -> None:
    """Writes truths by name, and where they come from, as JSON or zarr."""
    if path.suffix == ".json":
        parts = {name: _to_json(dataset) for name, dataset in found.items()}
        path.write_text(json.dumps({"origin": origin, "truths": parts}, allow_nan=False))
        return
    import zarr

    group = zarr.open_group(path, mode="w-", zarr_format=3)
    group.attrs.update(origin=dict(origin), names=list(found))
    for name, dataset in found.items():
        write_dataset(group.create_group(name), dataset)


def read_truth(path: Path | str) -> tuple[dict[str, Any], dict[str, xr.Dataset]]:
    """The origin (circuit, instrument, seed) and the truths by name that `generate` wrote."""
    path = Path(path)
    if path.suffix != ".json":
        group = open_group(path)
        return dict(group.attrs["origin"]), {name: read_dataset(group[name]) for name in group.attrs["names"]}
    if not path.is_file():
        raise SimlabError(f"there is no file {path}: give the path of a truth file")
    whole = json.loads(path.read_text())
    return whole["origin"], {name: _from_json(part) for name, part in whole["truths"].items()}


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


def _to_json(dataset: xr.Dataset) -> dict[str, Any]:
    def entry(name: Any) -> dict[str, Any]:
        values = dataset[name].values
        plain = values.astype(object)
        if values.dtype.kind == "f":
            plain[~np.isfinite(values)] = None
        units = dataset[name].attrs.get("units", "")
        return {"dims": list(dataset[name].dims), "values": plain.tolist(), "units": units}

    return {
        "variables": {str(name): entry(name) for name in dataset.data_vars},
        "coordinates": {str(name): entry(name) for name in dataset.coords},
        "attrs": {str(k): describe(v) for k, v in dataset.attrs.items()},
    }


def _from_json(part: Mapping[str, Any]) -> xr.Dataset:
    def entry(plain: Mapping[str, Any]) -> tuple[list[str], np.ndarray, dict[str, str]]:
        values = np.array(plain["values"])
        if values.dtype == object:
            values = values.astype(float)
        return plain["dims"], values, {"units": plain["units"]} if plain["units"] else {}

    variables, coords = ({k: entry(v) for k, v in part[kind].items()} for kind in ("variables", "coordinates"))
    return xr.Dataset(variables, coords, part["attrs"])
