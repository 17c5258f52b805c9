"""Does a summary that fits one set of stimuli hold for another? Latents and decoders, fitted here and scored there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from circuits.latent.latent_factors import LatentFactors
from circuits.latent.shifted_stimuli import NEW, TRAINING, ShiftedStimuli
from circuits.latent.smooth_noise import SmoothNoise
from methods.latents.cca import Cca
from methods.latents.demixed_pca import DemixedPca
from methods.latents.factor_analysis import FactorAnalysis
from methods.latents.gpfa import Gpfa
from methods.latents.ica import Ica
from methods.latents.nmf import Nmf
from methods.latents.pca_latents import PcaLatents
from methods.latents.poisson_lds import PoissonLds
from methods.latents.subspace_identification import SubspaceIdentification
from methods.latents.tensor_components import TensorComponents
from simlab.claims import Claim, Measured, mean, paired_difference, rate
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.subsample import Subsample

if TYPE_CHECKING:
    import pandas as pd

FEW, MANY = Plan(20, 2.0), Plan(80, 2.0)
ALIKE, SHIFTED = ShiftedStimuli(shift=0.0), ShiftedStimuli()
SUMMARY, WHOLE, OTHER = PcaLatents(fitted_on=TRAINING), PcaLatents(), PcaLatents(fitted_on=NEW)
METHODS = (WHOLE, FactorAnalysis(), Gpfa(), Nmf(), Ica(), TensorComponents(), Cca())
SYSTEMS = (SubspaceIdentification(), PoissonLds())
SIXTY = Subsample(60)

GRIDS = (
    Grid((SHIFTED, ALIKE), (MANY,), (SIXTY,), (SUMMARY, WHOLE, OTHER, FactorAnalysis(), DemixedPca())),
    Grid((LatentFactors(),), (FEW, MANY), (Subsample(20), SIXTY), METHODS, rivals=(SmoothNoise(),)),
    Grid((LatentFactors(),), (MANY,), (Subsample(20), SIXTY), SYSTEMS, rivals=(SmoothNoise(),), baselines=False),
)


def score(metric: str, method: Any, circuit: Any) -> Callable[[pd.DataFrame], Measured]:
    """The mean of a metric over subjects."""
    chosen = {"method_label": label(method), "circuit_label": label(circuit), "role": "circuit"}
    return lambda table: mean(table, metric, **chosen)


def recovered(method: Any, units: int = 60) -> Callable[[pd.DataFrame], Measured]:
    """How often a method recovers the factors of 80 trials."""
    chosen: dict[str, Any] = {
        "method_label": label(method),
        "circuit": "latent_factors",
        "role": "circuit",
        "trials": MANY.trials,
    }
    return lambda table: rate(table, "recovered", instrument_label=label(Subsample(units)), **chosen)


def gained_by_units(table: pd.DataFrame) -> Measured:
    """How much more of the factors 60 units tell factor analysis than 20 do."""
    first, second = ({"instrument_label": label(Subsample(units))} for units in (60, 20))
    return paired_difference(
        table, "r2", first, second, method="factor_analysis", circuit="latent_factors", trials=MANY.trials
    )


ILLUSION = (
    "Friedman et al. 2023, arXiv 2312.03656: simplified models that fit the training distribution fail on others; here "
    "for a population code"
)

CLAIMS = (
    Claim(
        "the_summary_fits_the_training_stimuli",
        "Principal components of the training trials tell at least .85 of the variance of what is encoded there.",
        ILLUSION,
        score("r2_first", SUMMARY, SHIFTED),
        (0.85, 1.0),
    ),
    Claim(
        "the_summary_fails_on_new_stimuli",
        "The same components tell at most .6 of it in trials with new stimuli, though decoded anew there.",
        ILLUSION,
        score("r2_new", SUMMARY, SHIFTED),
        (-1.0, 0.6),
    ),
    Claim(
        "the_decoder_fails_on_new_stimuli",
        "A decoder of these components that is fitted on the training trials tells nothing there.",
        ILLUSION,
        score("r2_transferred", SUMMARY, SHIFTED),
        (-10.0, 0.1),
    ),
    Claim(
        "components_of_both_sets_hold_for_both",
        "Components of all trials tell at least .85 in either set: the units know what the summary left out.",
        "control: the same method, fitted on both sets",
        score("r2_new", WHOLE, SHIFTED),
        (0.85, 1.0),
    ),
    Claim(
        "nothing_is_lost_where_stimuli_are_alike",
        "Where both sets are alike, a decoder of the training trials' components tells at least .85 of the other set.",
        "control: no shift of the distribution",
        score("r2_transferred", SUMMARY, ALIKE),
        (0.85, 1.0),
    ),
    *(
        Claim(
            f"{method.name}_recovers_latents",
            f"{words} recovers three smooth factors from 60 units and 80 trials (R2 of .9 both ways).",
            source,
            recovered(method),
            (0.8, 1.0),
        )
        for method, words, source in (
            (WHOLE, "PCA of smoothed counts", "the model is linear in the log rate; no figure is published"),
            (FactorAnalysis(), "Factor analysis", "Yu et al. 2009, J Neurophysiol 102:614"),
            (Gpfa(), "GPFA", "Yu et al. 2009, J Neurophysiol 102:614: better than smoothing before"),
            (SYSTEMS[0], "Subspace identification", "Buesing, Macke & Sahani 2012, NIPS 25"),
            (SYSTEMS[1], "A linear dynamical system with Poisson counts", "Macke et al. 2011, NIPS 24"),
        )
    ),
    Claim(
        "nmf_does_not",
        "Non-negative factors, which add up rates, do not recover factors that add up log rates.",
        "analytic: a part that is never negative has no such affine map",
        recovered(Nmf()),
        (0.0, 0.2),
    ),
    Claim(
        "more_units_tell_more",
        "Sixty units tell factor analysis at least .05 more of the factors (R2) than twenty.",
        "analytic: information about a factor grows with the number of units that carry it",
        gained_by_units,
        (0.05, 1.0),
    ),
)

ILLUSIONS_OF_SUMMARIES = Experiment(
    name="illusions_of_summaries",
    asks=(
        "A few components explain nearly all of what a population does under the stimuli that were shown. Do they "
        "still under others? Components and decoders are fitted on one set of stimuli and scored on another, beside a "
        "control whose sets are alike. And which methods recover smooth latent factors at all, from how many units and "
        "trials?"
    ),
    grids=GRIDS,
    claims=CLAIMS,
    subjects=20,
    time_limit=120.0,
)
