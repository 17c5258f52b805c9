"""Does the best predictor share the mechanism? Models ranked on cells of which it is known how they work."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from circuits.coding.gabor_mixture import GaborMixture
from circuits.coding.random_features import RandomFeatures
from circuits.coding.sparse_coding_cortex import SparseCodingCortex
from circuits.coding.unseeing_cells import UnseeingCells
from circuits.coding.v1_complex import V1Complex
from circuits.coding.v1_simple import V1Simple
from experiments._models_of_vision import NATURAL, WHITE, agreement, ahead, called, gap, kinds, labels, margin
from methods.models.effective_dimensionality import EffectiveDimensionality
from methods.models.feature_consistency import FeatureConsistency
from methods.models.information_criterion import InformationCriterion
from methods.models.model_cka import ModelCka
from methods.models.model_predictivity import ModelPredictivity
from methods.models.model_rsa import ModelRsa
from methods.models.model_shape_distance import ModelShapeDistance
from simlab.candidates import Model
from simlab.claims import Answer, Claim, Measured, difference, oracle_recovers, paired_difference, rate
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.subsample import Subsample
from simlab.questions.model_choice import ModelChoice

if TYPE_CHECKING:
    import pandas as pd

SIMPLE, COMPLEX, RICH = "simple cells", "complex cells", "Gabor mixture"
RANDOM = {n: f"{n} random features" for n in (30, 300, 1000)}
MODELS = (
    Model(V1Simple(n_neurons=100), SIMPLE),
    Model(V1Complex(n_neurons=100), COMPLEX),
    Model(GaborMixture(n_neurons=400), RICH),
    *(Model(RandomFeatures(n_neurons=n), name) for n, name in RANDOM.items()),
)
"""Another animal of either kind; a better basis with a mechanism that no subject has; and no mechanism at all."""

NAMES = called(MODELS)
ASKED = ModelChoice(models=MODELS, step=WHITE.frame)

PREDICTION, DIMENSION, PENALISED = ModelPredictivity(), EffectiveDimensionality(), InformationCriterion()
CONSISTENT = FeatureConsistency()
GEOMETRIES = (ModelRsa(), ModelCka(), ModelShapeDistance())
METHODS = (PREDICTION, DIMENSION, PENALISED, CONSISTENT, *GEOMETRIES)

MINUTE, FIVE = Plan(12, 5.0), Plan(30, 10.0)
FEW, ALL = Subsample(n_units=10), Perfect()
SUBJECTS, SHOWN_NATURE, LOUD = kinds(50), kinds(50, NATURAL), kinds(50, mean_rate=20.0)
SPARSE = SparseCodingCortex(n_neurons=50, look=WHITE)
"""A subject whose mechanism no candidate has."""

GRIDS = (
    Grid(SUBJECTS, (MINUTE, FIVE), (FEW, ALL), METHODS),
    Grid(SHOWN_NATURE, (FIVE,), (ALL,), METHODS),
    Grid(LOUD, (FIVE,), (ALL,), METHODS, rivals=(SPARSE, UnseeingCells())),
)

AMPLE: dict[str, Any] = {"trials": FIVE.trials, "instrument_label": label(ALL)}
BOTH = labels(*SUBJECTS)


def right(methods: tuple[Any, ...], circuits: tuple[str, ...] = BOTH, **more: Any) -> Callable[..., Measured]:
    """A measure: how often the right model is first, by any of these methods."""

    def measure(table: pd.DataFrame) -> Measured:
        return rate(table, "correct", method_label=labels(*methods), circuit_label=circuits, **(AMPLE | more))

    return measure


def change(first: dict[str, Any], second: dict[str, Any], **more: Any) -> Callable[[pd.DataFrame], Measured]:
    """A measure: by how much the right model's lead in prediction differs between two settings, in the same animals."""

    def measure(table: pd.DataFrame) -> Measured:
        at = {"method_label": label(PREDICTION), "circuit_label": BOTH} | more
        return paired_difference(margin(table), "margin", first, second, **at)

    return measure


def told_apart(table: pd.DataFrame, answer: Answer) -> Measured:
    """By natural frames less by white ones: how much better simple cells are foretold by their kind than the other."""
    of = {"method_label": label(PREDICTION), **AMPLE}
    sides = [gap(SIMPLE, COMPLEX, NAMES, circuit_label=label(c), **of) for c in (SHOWN_NATURE[0], SUBJECTS[0])]
    return difference(*(side(table, answer) for side in sides))


def named_where_nobody_is_right(method: Any, rival: Any) -> Callable[[pd.DataFrame], Measured]:
    """A measure: how often a method holds a wrong model for right where all are wrong."""

    def measure(table: pd.DataFrame) -> Measured:
        return rate(table, "false_recovery", method_label=label(method), circuit_label=label(rival), role="rival")

    return measure


HAN = "Han, Poggio & Cheung 2023, ICML: identification of known networks is variable even where the right one is there"
ELMOZNINO = "Elmoznino & Bonner 2024, PLoS Comput Biol 20:e1011792"
OF_SIMPLE: dict[str, Any] = {"method_label": label(PREDICTION), "circuit_label": BOTH[0], **AMPLE}
OF_COMPLEX = OF_SIMPLE | {"circuit_label": BOTH[1]}
CLAIMS = (
    Claim(
        "the_best_predictor_is_not_the_right_model",
        "With a richer basis among the candidates, five minutes and fifty cells, the model of the right mechanism "
        "predicts best in fewer than half of the animals.",
        HAN,
        # At 2 animals of either kind: never of simple cells (.49 against .58 of the mixture), always of complex ones
        # (.28 against .26), whose energies a mixture has as well, perhaps under too much else for five minutes.
        right((PREDICTION,)), (0.0, 0.5),
    ),
    Claim(
        "of_the_two_kinds_the_right_one_predicts_simple_cells_better",
        "Of simple and complex cells, in equal number, another animal's simple cells predict simple cells better.",
        "Yamins et al. 2014, PNAS 111:8619: the premise of ranking models by prediction",
        gap(SIMPLE, COMPLEX, NAMES, **OF_SIMPLE), (0.05, 1.0), answers=True,
    ),
    Claim(
        "and_complex_cells_likewise",
        "And another animal's complex cells complex ones.",
        "Yamins et al. 2014, PNAS 111:8619",
        gap(COMPLEX, SIMPLE, NAMES, **OF_COMPLEX), (0.05, 1.0), answers=True,
    ),
    Claim(
        "prediction_goes_with_dimension",
        "Over candidates, what predicts better has more dimensions: a rank correlation of .3 or more.",
        f"{ELMOZNINO}: a strong trend over networks",
        # Fails at 2 animals of either kind (-.33 [-.43, -.19]): the mixture, which predicts well, has a participation
        # ratio of 1.3, we think as all its cells rise and fall with contrast, which a regression divides out and a
        # ratio of variances is made of. Among random features alone the trend is there.
        agreement({"method_label": label(PREDICTION)}, {"method_label": label(DIMENSION)}, NAMES,
                  circuit_label=BOTH, **AMPLE),
        (0.3, 1.0), answers=True,
    ),
    Claim(
        "more_random_features_predict_better",
        "A thousand random features predict better than 300, and these better than 30, every time.",
        "Rahimi & Recht 2007, NeurIPS 20: random features approximate any smooth kernel's regression",
        ahead(tuple(RANDOM[n] for n in (1000, 300, 30)), NAMES, **(OF_SIMPLE | {"circuit_label": BOTH})),
        (0.9, 1.0), answers=True,
    ),
    Claim(
        "a_thousand_random_features_come_close",
        "They come within a tenth of another animal's simple cells, or above, on simple cells.",
        f"{ELMOZNINO}; Schaeffer, Khona & Fiete 2022: a good prediction needs no mechanism",
        gap(RANDOM[1000], SIMPLE, NAMES, **OF_SIMPLE), (-0.1, 1.0), answers=True,
    ),
    Claim(
        "dimension_alone_never_finds_the_mechanism",
        "The candidate of most dimensions is the right one in a sixth of the animals at most: chance.",
        "by construction of the candidates; chance of one in six",
        right((DIMENSION,)), (0.0, 1 / 6),
    ),
    Claim(
        "more_minutes_favour_the_richer_basis",
        "From one minute to five, the right model's lead over the best wrong one falls.",
        "analytic: what holds a richer basis back is the variance of its fit",
        change({"trials": FIVE.trials}, {"trials": MINUTE.trials}, instrument_label=label(ALL)), (-1.0, -0.01),
    ),
    Claim(
        "more_cells_do_not_help",
        "Between ten cells and fifty, it stays the same within .05: cells are predicted one by one.",
        "analytic: the regression of a cell does not see the others",
        change({"instrument": ALL.name}, {"instrument": FEW.name}, trials=FIVE.trials), (-0.05, 0.05),
    ),
    Claim(
        "nor_does_less_noise",
        "At four times the rates, prediction still names the right model in fewer than half of the animals.",
        HAN,
        right((PREDICTION,), labels(*LOUD)), (0.0, 0.5),
    ),
    Claim(
        "it_depends_on_what_is_shown",
        "Natural-like frames tell simple from complex cells less than white ones do.",
        f"{HAN}; it depends on the stimuli",
        # At 1 and 2 animals hardly (-.01); perhaps filters so broad, in 8 x 8 pixels, differ as much in either.
        told_apart, (-1.0, -0.02), answers=True,
    ),
    Claim(
        "a_penalty_does_not_buy_the_mechanism",
        "The Bayesian information criterion names the right model in fewer than half of the animals as well.",
        "simlab: the penalty counts components, and a rich basis may need as few",
        right((PENALISED,)), (0.0, 0.5),
    ),
    Claim(
        "geometry_finds_it",
        "Measures that fit nothing name it in nine of ten.",
        "simlab, after Kriegeskorte & Wei 2021, Nat Rev Neurosci 22:703: regression weighs what geometry must match",
        # At 2 animals alignment and shapes do, every time; distances take simple cells for complex ones (.36 against
        # .29), perhaps as long distances are those of frames of high contrast in either. Not looked into.
        right(GEOMETRIES), (0.9, 1.0),
    ),
    Claim(
        "prediction_names_one_where_none_is_right",
        "Of cells that code sparsely, which no candidate does, prediction names one every time.",
        "by construction: a ranking has a first",
        named_where_nobody_is_right(PREDICTION, SPARSE), (1.0, 1.0), invariant=True,
    ),
    Claim(
        "consistency_names_none_there",
        "Feature consistency holds none of them for right, in four of five animals or more.",
        "Genkin & Engel 2020, Nat Mach Intell 2:674: halves agree on true features alone",
        # Not reached yet. Of simple cells, the right model alone is consistent in one minute, and all six are in five:
        # halves agree wherever there are data enough, on a wrong model's best account as well.
        named_where_nobody_is_right(CONSISTENT, SPARSE), (0.0, 0.2),
    ),
    Claim(
        "and_none_of_cells_that_see_nothing",
        "Nor of cells that do not see the frames.",
        "by the level: noise is not alike in two halves",
        named_where_nobody_is_right(CONSISTENT, UnseeingCells(LOUD[0])), (0.0, 0.2),
    ),
    oracle_recovers("circuit"),
)  # fmt: skip

BRAIN_SCORE = Experiment(
    name="brain_score",
    asks=(
        "Models of visual cortex are ranked by how well they predict neurons. Does the best one work as it does? "
        "Simple and complex cells, predicted by another animal's, by each other, by a richer basis and by random "
        "features, over minutes, cells, noise and frames; also where no candidate is right."
    ),
    grids=GRIDS,
    claims=CLAIMS,
    questions=(ASKED,),
    subjects=20,
)
