"""One recording, many defensible analyses of it: how many paths reach the truth, and does the path decide?

Each of five analyses is run on the same recordings along every combination of choices that papers make without a word
of explanation: widths of bins, levels, kernels, spans of lags, which units are left out, which null.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

from circuits.coding.action_value import ActionValue
from circuits.coding.walking_rates import WalkingRates
from circuits.latent.latent_factors import LatentFactors
from circuits.latent.smooth_noise import SmoothNoise
from circuits.networks.balanced_ei import BalancedEI
from circuits.networks.common_drive import CommonDrive
from circuits.rhythms.aperiodic_drive import AperiodicDrive
from circuits.rhythms.oscillating_ei import OscillatingEI
from circuits.states.single_timescale import SingleTimescale
from methods.coding.circular_shift import CircularShift
from methods.coding.linear_shift import LinearShift
from methods.coding.permuted_trials import PermutedTrials
from methods.coding.phase_randomised import PhaseRandomised
from methods.coding.pseudosession import Pseudosession
from methods.coding.value_regression import ValueRegression
from methods.dimension.pca_scree import PcaScree
from methods.pipelines.pipeline import Pipeline
from methods.pipelines.unit_selection import UnitSelection
from methods.rhythms.spectral_peak import SpectralPeak
from methods.states.autocorrelation_fit import AutocorrelationFit
from methods.wiring.cross_correlogram import CrossCorrelogram
from simlab.claims import Claim, Measured, chosen, mean, oracle_recovers, rate
from simlab.experiment import Experiment, Grid, Plan
from simlab.instruments.recording.subsample import Subsample

if TYPE_CHECKING:
    import pandas as pd

SEEN = Subsample(n_units=30)
TEN_MINUTES = Plan(100, 6.0)
"""In 200 s, which were tried first with two animals, not one path came near the wiring."""


def selected(method: Any) -> tuple[Any, Any]:
    """The method on all units, and on those that fire at least once a second."""
    return method, Pipeline((UnitSelection(least_rate=1.0),), method)


PREDICTORS: tuple[Literal["hollow_gaussian", "jitter"], ...] = ("hollow_gaussian", "jitter")
CORRELOGRAMS = tuple(
    path
    for width, until, alpha, predictor in product((0.0004, 0.001), (0.004, 0.006), (0.05, 0.001), PREDICTORS)
    for path in selected(
        CrossCorrelogram(alpha=alpha, bin_width=width, causal_window=(0.0008, until), predictor=predictor)
    )
)
FITS = tuple(
    AutocorrelationFit(bin_width=width, longest=longest, offset=offset, n_resamples=50)
    for width, longest, offset in product((0.01, 0.02, 0.05), (0.3, 0.5, 0.8), (False, True))
)
COUNTS = tuple(
    PcaScree(share=share, bin_width=width, smoothing=smoothing)
    for share, width, smoothing in product((0.8, 0.9, 0.95), (0.02, 0.05), (0.0, 0.05, 0.1))
) + tuple(
    PcaScree("elbow", bin_width=width, smoothing=smoothing)
    for width, smoothing in product((0.02, 0.05), (0.0, 0.05, 0.1))
)
SPECTRA = tuple(
    SpectralPeak(cycles=cycles, half_bandwidth=bandwidth, level=level, prominence=prominence)
    for cycles, bandwidth, level, prominence in product((3.0, 6.0), (2.0, 4.0), (0.05, 0.01), (1.5, 2.0))
)
TESTS = (
    *(ValueRegression(threshold=threshold) for threshold in (2.0, 2.6)),
    *(
        test(level=level)
        for test in (PermutedTrials, CircularShift, LinearShift, PhaseRandomised, Pseudosession)
        for level in (0.05, 0.01)
    ),
)

WHAT = {
    "connectivity": "which neurons are connected, by correlograms",
    "timescale": "the time constant, by autocorrelations",
    "dimensionality": "the number of dimensions, by principal components",
    "oscillation": "whether there is a rhythm, by spectra",
    "tuning": "which neurons code values, by regressions and their nulls",
}
"""The analyses by their questions."""

GRIDS = (
    Grid((BalancedEI(),), (TEN_MINUTES,), (SEEN,), CORRELOGRAMS, rivals=(CommonDrive(),)),
    Grid((SingleTimescale(),), (Plan(100, 1.0),), (SEEN,), FITS),
    Grid((LatentFactors(),), (Plan(40, 2.0),), (SEEN,), COUNTS, rivals=(SmoothNoise(),)),
    Grid((OscillatingEI(),), (Plan(30, 1.0),), (SEEN,), SPECTRA, rivals=(AperiodicDrive(),)),
    Grid((ActionValue(),), (Plan(174, 1.0),), (SEEN,), TESTS, rivals=(WalkingRates(),)),
)


def by_recording(table: pd.DataFrame, question: str, role: str, verdict: str) -> pd.DataFrame:
    """A line per recording of the question: `share`, of the paths taken there whose `verdict` is yes; a path that
    abstains or fails says no."""
    rows = chosen(table, question=question, role=role)
    rows = rows[~rows["method"].str.startswith("baseline:")]
    recording = ["circuit_label", "subject"]
    share = rows[verdict].fillna(0.0).groupby([rows[name] for name in recording]).transform("mean")
    return rows.assign(share=share, status="ok").drop_duplicates(recording)


def disagreement(question: str) -> Callable[[pd.DataFrame], Measured]:
    """A measure: in how many recordings some paths reach the truth and others do not."""

    def measure(table: pd.DataFrame) -> Measured:
        rows = by_recording(table, question, "circuit", "recovered")
        return rate(rows.assign(split=rows["share"].between(0, 1, inclusive="neither").astype(float)), "split")

    return measure


def reached(table: pd.DataFrame) -> Measured:
    """The mean share of the paths that reach the truth, over the recordings of all five analyses."""
    import pandas as pd

    every = pd.concat([by_recording(table, question, "circuit", "recovered") for question in WHAT])
    return mean(every, "share")


def somebody_is_fooled(table: pd.DataFrame, question: str) -> Measured:
    """In how many recordings of a rival at least one path claims the mechanism."""
    rows = by_recording(table, question, "rival", "false_recovery")
    return rate(rows.assign(fooled=(rows["share"] > 0).astype(float)), "fooled")


TEAMS = "Botvinik-Nezer et al. 2020, Nature 582:84: 70 teams, the same data, no two analyses alike, and no agreement"
FLEXIBLE = "Simmons, Nelson & Simonsohn 2011, Psychol Sci 22:1359: four common choices make of 5% false positives 61%"
CLAIMS = (
    # At 10 animals it fails of rhythms, which every path finds, and of values, which none finds by the criterion (f1
    # .06 to .55 over paths): where data settle a question, or hold no answer, choices do not matter.
    *(
        Claim(
            f"paths_disagree_on_{question}",
            f"In most recordings, some defensible paths are right of {what}, and others are not.",
            TEAMS,
            disagreement(question), (0.5, 1.0),
        )
        for question, what in WHAT.items()
    ),
    Claim(
        "most_paths_miss",
        "Fewer than half of the paths reach the truth.",
        f"{TEAMS}; the band is the lab's own",
        reached, (0.0, 0.5),
    ),
    # Fails of rhythms at 10 animals (.1 [.02, .40]): the sixteen spectra are hardly ever sixteen chances.
    *(
        Claim(
            f"some_path_claims_{question}_in_a_rival",
            "In more than half of the recordings of a circuit without the mechanism, at least one path claims it.",
            FLEXIBLE,
            partial(somebody_is_fooled, question=question), (0.5, 1.0),
        )
        for question in ("connectivity", "oscillation", "tuning")
    ),
    oracle_recovers("circuit"),
)  # fmt: skip

FORKING_PATHS = Experiment(
    name="forking_paths",
    asks=(
        "The same recordings, and for each of five analyses every combination of choices that papers make without a "
        "word: how many of the paths reach the truth, and how often does the path decide?"
    ),
    grids=GRIDS,
    claims=CLAIMS,
    subjects=10,
)
