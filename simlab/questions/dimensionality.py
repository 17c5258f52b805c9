"""How many dimensions does the population's activity have? Factors that generate it, and dimension of its manifold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar

import numpy as np
import xarray as xr

from simlab.contracts import Finding, Picture, SimlabError, Variable
from simlab.questions.form import BaselineAnswer, answer, undefined
from simlab.rules import Within, check_fields, require

DIMENSIONS = ("linear", "intrinsic")


@dataclass(frozen=True)
class Dimensionality:
    """How many dimensions units share: `linear` and `intrinsic`, of which an answer states one at least.

    linear: the number of factors of which the rates (or, with an exponential readout, their logarithms) are an affine
    function. intrinsic: the dimension of the manifold that these states lie on, which is less where it is curved: a
    ring has 1, in 2 linear dimensions or more. What each neuron does for itself, however smoothly, is noise and no
    dimension of the population: independent neurons have 0. Scored over whichever of the two both answer and truth
    state.
    """

    name: ClassVar[str] = "dimensionality"
    form: ClassVar[Mapping[str, Variable]] = MappingProxyType(
        {name: Variable((), "whole", optional=True, low=0) for name in DIMENSIONS}
    )
    truth_form: ClassVar[Mapping[str, Variable]] = form
    metrics: ClassVar[tuple[str, ...]] = ("exact", "linear_error", "intrinsic_error")
    headline: ClassVar[str] = "exact"
    picture: ClassVar[Picture] = Picture("scatter", answer="linear", truth="linear")

    most: Annotated[int, Within(1, 1000)] = 10  # a blind guesser draws from 0 to this, each equally likely

    def __post_init__(self) -> None:
        check_fields(self)

    def brief(self, family: tuple[str, ...], truth: xr.Dataset) -> Mapping[str, object]:
        """Nothing: any numbers may be right."""
        return {}

    def project(self, truth: xr.Dataset, key: xr.DataArray) -> xr.Dataset:
        """What so many units can show: no more dimensions than there are units.

        Raises SimlabError for a truth that states neither dimension.
        """
        stated = [name for name in DIMENSIONS if name in truth]
        if not stated:
            raise SimlabError("a truth about dimensionality states `linear` or `intrinsic`, got neither: add one")
        n_units = key.sizes["unit"]
        return xr.Dataset({name: min(int(truth[name]), n_units) for name in stated})

    def score(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        """exact: 1 if all that both state agrees, else 0; errors are signed, answer minus truth, NaN where not stated.

        Raises SimlabError for an answer that states neither. exact is NaN where it states only what the truth does not.
        """
        if finding.abstained:
            return undefined(self.metrics)
        errors = self._errors(finding, truth)
        known = [error for error in errors.values() if error == error]
        exact = float(not any(known)) if known else float("nan")
        return {"exact": exact} | {f"{name}_error": error for name, error in errors.items()}

    def recovered(self, metrics: Mapping[str, float]) -> bool:
        """Whether what was stated is exact."""
        return metrics["exact"] == 1.0

    def false_recovery(self, finding: Finding, truth: xr.Dataset) -> bool:
        """Whether more dimensions were claimed than there are."""
        return not finding.abstained and any(error > 0 for error in self._errors(finding, truth).values())

    def chance(self, truth: xr.Dataset) -> dict[str, float]:
        """What a guess from 0 to `most`, the same for both dimensions, gets on average: exact."""
        guesses = np.arange(self.most + 1)
        stated = {name: int(truth[name]) for name in DIMENSIONS if name in truth}
        hits = np.all([guesses == true for true in stated.values()], axis=0)
        errors = {f"{name}_error": float(guesses.mean() - true) for name, true in stated.items()}
        return {"exact": float(hits.mean())} | errors

    def baselines(self) -> dict[str, BaselineAnswer]:
        """oracle: the truth. random and marginals_only: a number drawn evenly, since single units tell none."""
        return {"oracle": _oracle, "random": self._guess, "marginals_only": self._guess}

    def _errors(self, finding: Finding, truth: xr.Dataset) -> dict[str, float]:
        given = answer(finding, self, truth)
        require(
            bool(given), "an answer about dimensionality states `linear`, `intrinsic` or both, got neither: add one"
        )
        shared = {name for name in DIMENSIONS if name in given and name in truth}
        return {name: float(given[name] - int(truth[name])) if name in shared else float("nan") for name in DIMENSIONS}

    def _guess(self, truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        number = int(rng.integers(self.most + 1))
        return Finding(dict.fromkeys(map(str, truth.data_vars), number), confidence=1 / (self.most + 1))


def _oracle(truth: xr.Dataset, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
    return Finding({name: int(truth[name]) for name in DIMENSIONS if name in truth}, confidence=1.0)
