"""Regions that do not touch one another and share their inputs: the correlations of `bold_nodes` without its wiring."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
import xarray as xr

from circuits.networks.bold_nodes import BoldNodes, run, telegraph
from simlab import truths
from simlab.rules import check_fields
from simlab.session import Session


@dataclass(frozen=True)
class SharedInputNodes:
    """The nodes of `like` with every connection cut, and inputs that reach several of them in their place.

        lag dz_j/dt = -z_j + sum_k L_jk u_k(t) + noise xi_j(t)

    with as many telegraph signals u_k as nodes. Each subject is matched to a twin drawn from `like`: L is the symmetric
    root of the twin's stationary covariance S, as far as its inputs make it, over the variance c that one such input
    alone gives a node, so that L L' c = S. S solves the Lyapunov equation of nodes and inputs (the second moments of a
    telegraph signal are those of an Ornstein-Uhlenbeck process of rate 1/up + 1/down and variance p (1 - p)). Every
    correlation between nodes is the twin's; all that differs is within the lag of a connection, which BOLD does not
    show. So whoever tells the two apart by BOLD knows more than correlations.
    """

    name: ClassVar[str] = "shared_input_nodes"
    mechanism: ClassVar[str] = "common drive"
    twin_of: ClassVar[tuple[str, ...]] = ("bold_nodes",)
    questions: ClassVar[tuple[str, ...]] = ("connectivity",)
    modalities: ClassVar[tuple[str, ...]] = ("rate",)

    like: BoldNodes = field(default_factory=BoldNodes)  # the network whose correlations it copies

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: BoldNodes) -> SharedInputNodes:
        """A copy that is matched to this network."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> SharedInputNodesSubject:
        """The loadings that one twin calls for."""
        twin = self.like.subject(rng)
        return SharedInputNodesSubject(self, loading(self.like, twin.weights), twin.anatomy)


def covariance(circuit: BoldNodes, weights: np.ndarray) -> np.ndarray:
    """(node, node) stationary covariance that telegraph inputs give nodes of these weights (pre, post)."""
    from scipy.linalg import solve_continuous_lyapunov

    n, switching = len(weights), 1 / circuit.up + 1 / circuit.down
    on = circuit.up / (circuit.up + circuit.down)
    drift = np.zeros((2 * n, 2 * n))
    drift[:n, :n] = (weights.T - np.eye(n)) / circuit.lag
    drift[:n, n:] = np.eye(n) / circuit.lag
    drift[n:, n:] = -switching * np.eye(n)
    diffusion = np.zeros_like(drift)
    diffusion[n:, n:] = 2 * switching * on * (1 - on) * np.eye(n)
    return solve_continuous_lyapunov(drift, -diffusion)[:n, :n]


def loading(circuit: BoldNodes, weights: np.ndarray) -> np.ndarray:
    """L (node, input) that gives uncoupled nodes the covariance of nodes with these weights (pre, post)."""
    alone = covariance(circuit, np.zeros((1, 1)))[0, 0]
    values, vectors = np.linalg.eigh(covariance(circuit, weights) / alone)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


@dataclass(frozen=True, eq=False)
class SharedInputNodesSubject:
    """One individual: `loading` (node, input) and anatomy."""

    circuit: SharedInputNodes
    loading: np.ndarray
    anatomy: xr.Dataset

    def session(self, *, trials: int, duration: float, rng: np.random.Generator) -> Session:
        """At rest: nothing is shown."""
        return Session(trials, duration)

    def run(self, session: Session, rng: np.random.Generator) -> xr.Dataset:
        """An Activity with z as `rate` (trial, time, neuron)."""
        like, n = self.circuit.like, len(self.loading)
        inputs, own = rng.spawn(2)
        shared = telegraph(like, session, n, inputs) @ self.loading.T
        return run(like, np.zeros((n, n)), shared, session, own)

    def truth(self, question: str, activity: xr.Dataset | None, rng: np.random.Generator) -> xr.Dataset:
        """`connectivity`: no connection at all."""
        return truths.among(self.circuit.name, question, {"connectivity": lambda: truths.no_wiring(len(self.loading))})
