"""A population with the covariance of one that holds sparse features, and no feature: any axes are as good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from circuits.coding.superposition import Superposition
from circuits.latent.population import Course, LikeItsTwin, Population, n_bins
from simlab.rules import check_fields
from simlab.session import Session


@dataclass(frozen=True)
class DenseCode(LikeItsTwin):
    """Gaussian activity with the mean and the covariance that the features of `like` would give it.

        r_i(t) = rate [ 1 + gain x_i(t) ]+
        x(t) ~ N(sum_k p_k f_k / 2,  sum_km C_km f_k f_m') + noise z(t),   C: covariance of a_k and a_m, which is
        p_k / 3 - p_k^2 / 4 of each, and (P(k and m) - p_k p_m) / 4 of two

    Every mixture of its directions is Gaussian too, so that no recording says which axes it was made along: there are
    no features to be found, and whoever states a dictionary states one of many.
    """

    name: ClassVar[str] = "dense_code"
    mechanism: ClassVar[str] = "dense code"
    twin_of: ClassVar[tuple[str, ...]] = ("superposition",)
    questions: ClassVar[tuple[str, ...]] = ("features", "connectivity")

    like: Superposition = field(default_factory=Superposition)  # whose mean and covariance it has

    def __post_init__(self) -> None:
        check_fields(self)

    def imitating(self, circuit: Superposition) -> DenseCode:
        """A copy that is matched to this population."""
        return replace(self, like=circuit)

    def subject(self, rng: np.random.Generator) -> Population:
        """One individual: the covariance of one of `like`."""
        twin = self.like.subject(rng)
        p, f = self.like.probabilities(), twin.parts["features"]
        root = np.linalg.cholesky(self.like.covariance(twin.parts)).T @ f
        parts = {"features": np.empty((0, self.n_neurons)), "mean": p @ f / 2, "root": root}
        return Population(self, parts, twin.anatomy)

    def course(self, individual: Mapping[str, np.ndarray], session: Session, rng: np.random.Generator) -> Course:
        """Rates of a session; no latents."""
        shape = (session.trials, n_bins(session.duration, self.step))
        root = individual["root"]
        drive = individual["mean"] + rng.standard_normal((*shape, len(root))) @ root
        return Course(np.empty((*shape, 0)), self.like.rates(drive, rng))

    def dimensions(self) -> dict[str, int]:
        """Not asked."""
        return {}
