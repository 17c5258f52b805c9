"""Trivial statistics of a sealed recording: what one can tell of a file without a thought of neurons.

None of them may say which of two circuits made it. They know of spikes what a file format knows (a table of three
columns), and of a circuit's mechanism nothing; correlations and the variability of intervals are not among them.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from simlab.data.clock import TICK

GRIDS = (1e-2, 1e-3, 5e-4, 1e-4, 5e-5, 1e-5, 1e-6)  # in the array's own unit
Facts = dict[str, float | str]


def trivial_statistics(path: Path) -> Facts:
    """Every statistic of a sealed file by its name: numbers, or texts that stand for what has no order."""
    line, _, data = path.read_bytes().partition(b"\n")
    header = json.loads(line)
    arrays = {
        v["name"]: np.frombuffer(data, v["dtype"], int(np.prod(v["shape"])), v["offset"]) for v in header["variables"]
    }
    facts: Facts = {"bytes of the file, modulo 64": (len(line) + 1 + len(data)) % 64}
    facts["variables"] = repr([(v["name"], v["dtype"], v["dims"], v["units"]) for v in header.pop("variables")])
    facts["fields"] = repr(list(header))
    facts |= {f"field {k}": v if isinstance(v, int | float) else json.dumps(v) for k, v in header.items()}
    for name, values in arrays.items():
        facts |= {f"{name}: {k}": v for k, v in _of_numbers(values).items()}
    if "spike_time" in arrays:
        columns = (arrays[f"spike_{column}"] for column in ("trial", "time", "unit"))
        facts |= {f"spikes: {k}": v for k, v in _of_spikes(*columns, header).items()}
    return facts


def _of_numbers(values: np.ndarray) -> Facts:
    facts: Facts = {f"size modulo {n}": len(values) % n for n in (2, 3, 4, 5, 8, 10)}
    facts |= {"size": len(values), "NaN": float(np.mean(np.isnan(values))) if len(values) else 0.0}
    x = values[np.isfinite(values)].astype(float)
    if not len(x):
        return facts
    scale = np.abs(x).max() + 1e-300
    facts |= {f"on a grid of {g}": float(np.mean(np.abs(x / g - np.round(x / g)) < 1e-6)) for g in GRIDS}
    facts |= {f"ticks modulo {n}": float(np.mean(np.round(x / TICK) % n == 0)) for n in (2, 5, 10)}
    facts |= {
        "fits single precision": float(np.mean(x.astype(np.float32) == x)),
        "is a multiple of a tick to the bit": float(np.mean(np.round(x / TICK) * TICK == x)),
        "is a decimal to the bit": float(np.mean(np.round(x, 4) == x)),
        "last byte is zero": float(np.mean(x.view(np.uint8)[::8] == 0)),
        "distinct": len(np.unique(x)) / len(x),
        "ascends": float(np.mean(np.diff(x) >= 0)) if len(x) > 1 else 1.0,
        "zero": float(np.mean(x == 0)),
        "negative": float(np.mean(x < 0)),
        "smallest": x.min(),
        "largest": x.max(),
        "smallest size": np.abs(x).min() / scale,
        "first": x[0],
        "last": x[-1],
        "mean": x.mean(),
    }
    return facts


def _of_spikes(trial: np.ndarray, time: np.ndarray, unit: np.ndarray, header: dict) -> Facts:
    order = np.lexsort((time, trial, unit))
    together = (np.diff(trial) == 0) & (np.diff(time) == 0)
    mine = (np.diff(trial[order]) == 0) & (np.diff(unit[order]) == 0)
    interval = np.diff(time[order])[mine]
    counts = np.bincount(unit, minlength=header["n_units"])
    per_trial = np.bincount(trial, minlength=header["n_trials"])
    duration = header["duration"]
    return {
        "in order of trial and time": float(np.array_equal(np.lexsort((unit, time, trial)), np.arange(len(time)))),
        "at one time": float(together.mean()),
        "of those in order of unit": float(np.all(np.diff(unit)[together] > 0)),
        "twice in a tick": float(np.sum(interval < 1.5 * TICK)),
        "twice in a spike's length": float(np.sum(interval < 1e-3)),
        "first time": time.min(),
        "last time before the end": duration - time.max(),
        "within a tick of the start": float(np.mean(time < TICK)),
        "within a tick of the end": float(np.mean(time >= duration - TICK)),
        "in the first 20 ms": float(np.mean(time < 0.02)),
        "in the last 20 ms": float(np.mean(time > duration - 0.02)),
        "mean time": time.mean(),
        "silent units": int(np.sum(counts == 0)),
        "fewest of a unit": int(counts.min()),
        "most of a unit": int(counts.max()),
        "fewest of a trial": int(per_trial.min()),
        "most of a trial": int(per_trial.max()),
    }


def giveaways(one: list[Facts], other: list[Facts]) -> dict[str, tuple[list, list]]:
    """The statistics by which a threshold (or, of texts, a list) would tell every file of `one` from all of `other`."""
    found = {}
    for name in sorted({name for facts in (*one, *other) for name in facts}):
        a, b = ([facts.get(name, "absent") for facts in side] for side in (one, other))
        if any(isinstance(value, str) for value in (*a, *b)):
            apart = not set(map(str, a)) & set(map(str, b))
        else:
            apart = max(a) < min(b) or max(b) < min(a)
        if apart:
            found[name] = (a, b)
    return found
