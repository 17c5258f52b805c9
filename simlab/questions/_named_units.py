"""A name for each unit, or none: what questions that ask what units code have in common."""

from __future__ import annotations

import numpy as np
import xarray as xr

from simlab.instruments.placement import dominant_neurons
from simlab.questions import ranking
from simlab.questions.form import check_key
from simlab.truths import NOTHING


def projected(truth: xr.Dataset, key: xr.DataArray, name: str) -> tuple[xr.Dataset, np.ndarray]:
    """The label `name` of the neuron that gives most of each unit's signal, and `unasked` where none does; (unit,)
    which neuron that is.

    Raises SimlabError where key and truth are not over the same neurons.
    """
    check_key(key, truth)
    neuron = dominant_neurons(key)
    label = np.where(neuron < 0, NOTHING, np.asarray(truth[name].values, dtype=object)[neuron])
    found = {name: ("unit", label.astype(object)), "unasked": ("unit", neuron < 0)}
    return xr.Dataset(found, {"unit": np.arange(len(neuron))}), neuron


def scores(said: np.ndarray, true: np.ndarray) -> tuple[dict[str, float], np.ndarray]:
    """Metrics of labels (unit,) against the true ones; and (unit,) bool, which units are rightly named.

    A unit is rightly named if it codes something and is called by its name. recall: their share of the units that code;
    precision: of those that were called anything; f1: of both. false_positive_rate: of the units that code nothing,
    those that were called anything; called: of all units. NaN where undefined.
    """
    called, coding = said != NOTHING, true != NOTHING
    right = coding & (said == true)
    return {
        "f1": float(2 * right.sum() / (called.sum() + coding.sum())) if coding.any() else float("nan"),
        "recall": ranking.ratio(right.sum(), coding.sum()),
        "precision": ranking.ratio(right.sum(), called.sum()),
        "false_positive_rate": ranking.ratio((called & ~coding).sum(), (~coding).sum()),
        "called": ranking.ratio(called.sum(), len(said)),
    }, right


def expected(true: np.ndarray, n_labels: int) -> dict[str, float]:
    """What labels drawn evenly from so many, none among them, get on average; f1 is that of the expected counts."""
    coding, called = float((true != NOTHING).sum()), 1 - 1 / n_labels
    return {
        "recall": 1 / n_labels,
        "false_positive_rate": called,
        "called": called,
        "f1": 2 * coding / n_labels / (called * len(true) + coding) if coding else float("nan"),
    }


def drawn(truth: xr.Dataset, labels: str, rng: np.random.Generator) -> np.ndarray:
    """(unit,) labels drawn evenly from those that the brief lists under this name."""
    return np.asarray(rng.choice(np.array(truth.attrs["brief"][labels], dtype=object), truth.sizes["unit"]))
