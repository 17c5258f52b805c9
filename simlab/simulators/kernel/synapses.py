"""Synapses as compiled code meets them: by delay and presynaptic neuron, or by postsynaptic neuron."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from simlab.simulators.spiking_network import Link


@dataclass(frozen=True, eq=False)
class Wires:
    """The synapses of a link in order of delay, longest first, and then of the presynaptic neuron.

    delay: (delay,) [steps]. runs: (delay, neuron + 1) from which synapse on those of a delay and neuron lie.
    post: (synapse,). order: (synapse,) which of the link's synapses each is.
    """

    delay: np.ndarray
    runs: np.ndarray
    post: np.ndarray
    order: np.ndarray

    @classmethod
    def of(cls, link: Link, n_pre: int, dt: float) -> Wires:
        """dt: [s]."""
        steps = np.floor(link.values("delay") / dt + 0.5).astype(np.int64)
        order = np.lexsort((link.pre, -steps))
        delay = np.unique(steps)[::-1].copy()
        group = (len(delay) - 1 - np.searchsorted(delay[::-1], steps[order])) * n_pre + link.pre[order]
        ends = np.searchsorted(group, np.arange(len(delay) * n_pre + 1))
        runs = np.stack([ends[i * n_pre : (i + 1) * n_pre + 1] for i in range(len(delay))])
        return cls(delay, runs.astype(np.int64), link.post[order].astype(np.int32), order)


@dataclass(frozen=True, eq=False)
class Ears:
    """The connections of a graded coupling by who hears them. Neurons that hear the same share an ear.

    bounds: (ear + 1,) from which connection on an ear's lie. pre: (connection,). ear: (neuron,) of each neuron.
    order: (connection,) which of the link's connections each is.
    """

    bounds: np.ndarray
    pre: np.ndarray
    ear: np.ndarray
    order: np.ndarray

    @classmethod
    def of(cls, link: Link, n_post: int, shared: bool) -> Ears:
        """shared: whether neurons may share an ear at all."""
        order = np.lexsort((link.pre, link.post))
        pre, weight = link.pre[order], link.values("weight")[order]
        bounds = np.searchsorted(link.post[order], np.arange(n_post + 1))
        if not shared:
            return cls(bounds, pre.astype(np.int32), np.arange(n_post), order)
        known: dict[bytes, int] = {}
        ear = np.empty(n_post, np.int64)
        for neuron, (start, stop) in enumerate(pairwise(bounds)):
            heard = pre[start:stop].tobytes() + weight[start:stop].tobytes()
            ear[neuron] = known.setdefault(heard, len(known))
        _, first = np.unique(ear, return_index=True)
        rows = np.concatenate([np.arange(bounds[n], bounds[n + 1]) for n in first])
        counts = bounds[first + 1] - bounds[first]
        return cls(np.concatenate([[0], np.cumsum(counts)]), pre[rows].astype(np.int32), ear, order[rows])
