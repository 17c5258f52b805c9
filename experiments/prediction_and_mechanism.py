"""Prediction against mechanism: one dot for each kind of cells, model, and way to choose."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from circuits.coding.gabor_mixture import GaborMixture
from circuits.coding.random_features import RandomFeatures
from circuits.coding.sparse_coding_cortex import SparseCodingCortex
from circuits.coding.v1_complex import V1Complex
from circuits.coding.v1_simple import V1Simple
from experiments._models_of_vision import WHITE, called, labels, margin
from methods.models.approximate_bayes import ApproximateBayes
from methods.models.effective_dimensionality import EffectiveDimensionality
from methods.models.feature_consistency import FeatureConsistency
from methods.models.information_criterion import InformationCriterion
from methods.models.model_cka import ModelCka
from methods.models.model_predictivity import ModelPredictivity
from methods.models.model_rsa import ModelRsa
from methods.models.model_shape_distance import ModelShapeDistance
from methods.models.most_disputed import MostDisputed
from simlab.candidates import Model
from simlab.claims import Claim, Measured, mean, oracle_recovers, paired_difference, rate
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.ideal import Ideal
from simlab.questions.model_choice import ModelChoice

if TYPE_CHECKING:
    import pandas as pd

KINDS: dict[str, Any] = {
    "simple cells": V1Simple(n_neurons=20),
    "complex cells": V1Complex(n_neurons=20),
    "Gabor mixture": GaborMixture(n_neurons=20, filters=40),
    "random features": RandomFeatures(n_neurons=20, hidden=200),
}
"""As subjects, and as candidates: the others of each are other animals of a species."""

INDIVIDUALS = 10
MODELS = tuple(Model(circuit, name, INDIVIDUALS) for name, circuit in KINDS.items())
NAMES = called(MODELS)
ASKED = ModelChoice(models=MODELS, step=WHITE.frame)
SUBJECTS = tuple(KINDS.values())
SPARSE = SparseCodingCortex(n_neurons=20, look=WHITE)
"""Cells whose mechanism no candidate has."""

PREDICTION, BAYES = ModelPredictivity(), ApproximateBayes()
PASSIVE = (
    PREDICTION, ModelPredictivity("pls"), InformationCriterion(), FeatureConsistency(), EffectiveDimensionality(),
    ModelRsa(), ModelCka(), ModelShapeDistance(), BAYES,
)  # fmt: skip
DISPUTED, ORDINARY = MostDisputed(duration=6.0), MostDisputed(duration=6.0, disputed=False)
TWO = Plan(20, 6.0)
"""Minutes."""

GRIDS = (
    Grid(SUBJECTS, (TWO,), (Perfect(),), PASSIVE, rivals=(SPARSE,)),
    Grid(SUBJECTS, (TWO,), (Perfect(),), (DISPUTED, ORDINARY), stimulators=(Ideal(),), rivals=(SPARSE,)),
)
ALL = labels(*SUBJECTS)


def right(method: Any, column: str = "correct") -> Callable[[pd.DataFrame], Measured]:
    """A measure: how often a method puts the right model first."""

    def measure(table: pd.DataFrame) -> Measured:
        return rate(table, column, method_label=label(method), circuit_label=ALL)

    return measure


def better(first: Any, second: Any) -> Callable[[pd.DataFrame], Measured]:
    """A measure: how much more often one method is right than another, of the same animals."""

    def measure(table: pd.DataFrame) -> Measured:
        sides = ({"method_label": label(method)} for method in (first, second))
        return paired_difference(table, "correct", *sides, circuit_label=ALL)

    return measure


def lead(table: pd.DataFrame) -> Measured:
    """By how much the right model predicts better than the best wrong one."""
    return mean(margin(table), "margin", method_label=label(PREDICTION), circuit_label=ALL)


def wrong_of_nobody(method: Any) -> Callable[[pd.DataFrame], Measured]:
    """A measure: how often a method holds a candidate for right where none is."""

    def measure(table: pd.DataFrame) -> Measured:
        return rate(table, "false_recovery", method_label=label(method), circuit_label=label(SPARSE))

    return measure


CLAIMS = (
    Claim(
        "prediction_tells_something",
        "The best predictor has the right mechanism more often than one candidate of four, drawn blindly.",
        "Yamins et al. 2014, PNAS 111:8619: the premise",
        right(PREDICTION), (0.25, 1.0),
    ),
    Claim(
        "a_wrong_model_predicts_as_well",
        "On average over kinds of cells, the right model leads the best wrong one by less than .05 of correlation.",
        "Han, Poggio & Cheung 2023, ICML",
        lead, (-1.0, 0.05),
    ),
    Claim(
        "what_recordings_look_like_tells_more",
        "Choosing by simulated individuals is right in a tenth of the animals more.",
        "simlab: they are compared as recordings, not as regressors",
        better(BAYES, PREDICTION), (0.1, 1.0),
    ),
    Claim(
        "simulated_individuals_find_it",
        "It is right in nine of ten.",
        "simlab; Beaumont 2010, Annu Rev Ecol Evol Syst 41:379",
        right(BAYES), (0.9, 1.0),
    ),
    Claim(
        "disputed_frames_help",
        "Prediction of frames on which candidates disagree is right more often than prediction of ordinary ones.",
        "Golan, Raju & Kriegeskorte 2020, PNAS 117:29330",
        # Fails at 2 animals of each kind (.38 against .75). There, models are not fitted to the subject; here readouts
        # are, to a minute, and perhaps disagree most on frames far from those, where all of them are guesses.
        better(DISPUTED, ORDINARY), (0.01, 1.0),
    ),
    Claim(
        "most_dimensions_is_one_model_for_all",
        "The ranking by dimension, the same for all cells, is right for one kind of four.",
        "by construction: it does not look at what was recorded",
        right(EffectiveDimensionality()), (0.25, 0.25), invariant=True,
    ),
    Claim(
        "simulated_individuals_know_when_none_is_right",
        "Of cells that code sparsely, which no candidate does, they fit at most in a fifth of the animals.",
        "by the level of the predictive check, with room for what the statistics do not see",
        # At 2 animals 1 of 2; perhaps competition among so few cells leaves responses near those of simple cells.
        wrong_of_nobody(BAYES), (0.0, 0.2),
    ),
    oracle_recovers("circuit"),
)  # fmt: skip

PREDICTION_AND_MECHANISM = Experiment(
    name="prediction_and_mechanism",
    asks=(
        "How well does a model predict, and is it the right one? Four kinds of cells, each a candidate model of the "
        "others and of itself in other animals, and eleven ways to choose among them; also of cells that are none of "
        "the four."
    ),
    grids=GRIDS,
    claims=CLAIMS,
    questions=(ASKED,),
    subjects=20,
    notes="experiments._plane draws prediction against mechanism from a run: docs/figures/plane.py",
)
