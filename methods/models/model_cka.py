"""Kernel alignment of each model with the recording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import xarray as xr

from methods.models._candidates import NEEDS, averaged, beside, ranked, shown_alike, varying
from simlab.contracts import Finding, Needs
from simlab.rules import check_fields

LEAST_STIMULI = 10


@dataclass(frozen=True)
class ModelCka:
    """Linear centred kernel alignment (Kornblith et al. 2019, arXiv 1905.00414) over bins of what was shown.

    debiased: no stimulus is compared with itself (Song et al. 2012, J Mach Learn Res 13:1393), so that noise of many
    units aligns with nothing (Murphy et al. 2024, arXiv 2405.01012). Where the same was shown in several trials, they
    are averaged. Nothing is fitted; what varies most counts most. Of known networks as brains, it finds the right one
    often and not always (Han, Poggio & Cheung 2023, ICML). Cost: a second; linear in stimuli.
    """

    name: ClassVar[str] = "model_cka"
    question: ClassVar[str] = "model_choice"
    family: ClassVar[str] = "kernel alignment"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    debiased: bool = True

    def __post_init__(self) -> None:
        check_fields(self)

    def analyse(self, recording: xr.Dataset, rng: np.random.Generator) -> Finding:
        """The alignment of each candidate."""
        found = beside(recording, self.needs)
        if isinstance(found, Finding):
            return found
        shown = shown_alike(recording, found)
        if shown.max() + 1 < LEAST_STIMULI:
            return Finding.abstain(f"{shown.max() + 1} stimuli are too few to align: it takes {LEAST_STIMULI}")
        units = varying(averaged(found.units, shown))
        own = dependence(units, units, self.debiased)
        if own <= 0:
            return Finding.abstain("responses differ no more between stimuli than chance has it")

        def alignment(model: np.ndarray) -> float | None:
            features = varying(averaged(model, shown))
            theirs = dependence(features, features, self.debiased)
            return dependence(units, features, self.debiased) / float(np.sqrt(own * theirs)) if theirs > 0 else None

        return ranked(found, alignment)


def dependence(x: np.ndarray, y: np.ndarray, debiased: bool) -> float:
    """Hilbert-Schmidt independence criterion of linear kernels, n^2 times, from features about their mean (sample, ..).

    tr(K L); debiased: with their diagonals left out, by the estimate of Song et al., which needs no (sample, sample).
    """
    n = len(x)
    products = float(np.square(x.T @ y).sum())
    if not debiased:
        return products
    own_x, own_y = np.square(x).sum(axis=1), np.square(y).sum(axis=1)
    rows_x, rows_y = x @ x.sum(axis=0) - own_x, y @ y.sum(axis=0) - own_y
    rest = rows_x.sum() * rows_y.sum() / ((n - 1) * (n - 2)) - 2 * (rows_x @ rows_y) / (n - 2)
    return float(products - own_x @ own_y + rest) * n / (n - 3)
