"""Which stimuli drive a cell? Averages, covariances and regressions on simple, complex and unseeing cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from circuits.coding.unseeing_cells import UnseeingCells
from circuits.coding.v1_complex import V1Complex
from circuits.coding.v1_simple import V1Simple
from circuits.coding.visual import Look
from methods.coding.poisson_filter import PoissonFilter
from methods.coding.ridge_filter import RidgeFilter
from methods.coding.spike_triggered_average import SpikeTriggeredAverage
from methods.coding.spike_triggered_covariance import SpikeTriggeredCovariance
from simlab.claims import Claim, Measured, mean, oracle_recovers, paired_difference, rate
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.subsample import Subsample

if TYPE_CHECKING:
    import pandas as pd

STA, STC, RIDGE, GLM = SpikeTriggeredAverage(), SpikeTriggeredCovariance(), RidgeFilter(), PoissonFilter()
WHITENED = SpikeTriggeredCovariance(whiten=True)
WHITE, NATURAL = Look(), Look(frames="natural")
MINUTE, TEN = Plan(1, 60.0), Plan(10, 60.0)
SIMPLE, COMPLEX = (tuple(kind(look=look) for look in (WHITE, NATURAL)) for kind in (V1Simple, V1Complex))

WITH_NOISE = Grid(
    circuits=(SIMPLE[0], COMPLEX[0]),
    rivals=(UnseeingCells(),),
    plans=(MINUTE, TEN),
    instruments=(Perfect(), Subsample(n_units=6)),
    methods=(STA, STC, RIDGE, GLM),
)
NATURALLY = Grid(
    circuits=(SIMPLE[1], COMPLEX[1]),
    rivals=(UnseeingCells(),),
    plans=(TEN,),
    instruments=(Perfect(),),
    methods=(STA, STC, WHITENED, RIDGE, GLM),
)


def _where(circuit: Any) -> dict[str, Any]:
    return {"circuit_label": label(circuit), "trials": TEN.trials, "instrument": "perfect"}


def overlap(method: Any, circuit: Any) -> Callable[[pd.DataFrame], Measured]:
    """A measure: the mean over animals of the median overlap of true and stated filters, in ten minutes."""

    def measure(table: pd.DataFrame) -> Measured:
        return mean(table, "overlap", method_label=label(method), **_where(circuit))

    return measure


def whitening_helps(first: Any, second: Any, circuit: Any) -> Callable[[pd.DataFrame], Measured]:
    """A measure: the overlap of one method less that of another, in the same recordings."""

    def measure(table: pd.DataFrame) -> Measured:
        sides = ({"method_label": label(method)} for method in (first, second))
        return paired_difference(table, "overlap", *sides, **_where(circuit))

    return measure


def found_in_the_unseeing(table: pd.DataFrame) -> Measured:
    """How often any method gives filters to more than a fifth of cells that see none of the frames."""
    return rate(table, "false_recovery", circuit="unseeing_cells", kind="passive")


TEXTBOOK = "textbook: Dayan & Abbott 2001, chapter 2; Schwartz et al. 2006, J Vis 6:484"
CLAIMS = (
    Claim(
        "the_average_recovers_simple_cells",
        "In ten minutes of white frames, the spike-triggered average is the filter of a simple cell.",
        TEXTBOOK,
        overlap(STA, SIMPLE[0]), (0.8, 1.0),
    ),
    Claim(
        "the_average_fails_on_complex_cells",
        "Of a complex cell it shows nothing, by theory: the cell fires alike to a frame and its negative.",
        TEXTBOOK,
        overlap(STA, COMPLEX[0]), (-0.3, 0.3),
    ),
    Claim(
        "the_covariance_recovers_complex_cells",
        "The spike-triggered covariance finds the plane of a complex cell's two filters.",
        TEXTBOOK,
        overlap(STC, COMPLEX[0]), (0.8, 1.0),
    ),
    Claim(
        "the_covariance_recovers_simple_cells_too",
        "With the average, it finds a simple cell's filter as well.",
        TEXTBOOK,
        overlap(STC, SIMPLE[0]), (0.8, 1.0),
    ),
    Claim(
        "natural_frames_blur_the_average",
        "With frames as correlated as natural images, the average is not the filter of a simple cell.",
        "Theunissen et al. 2001, Network 12:289",
        overlap(STA, SIMPLE[1]), (-1.0, 0.8),
    ),
    Claim(
        "regression_undoes_the_blur",
        "Regularised regression comes closer to it by a tenth or more.",
        "Theunissen et al. 2001, Network 12:289",
        whitening_helps(RIDGE, STA, SIMPLE[1]), (0.1, 2.0),
    ),
    Claim(
        "whitening_undoes_it_for_complex_cells",
        "Of complex cells, the covariance of whitened frames comes closer by a tenth or more.",
        "Schwartz et al. 2006, J Vis 6:484: frames must be spherical",
        whitening_helps(WHITENED, STC, COMPLEX[1]), (0.1, 2.0),
    ),
    Claim(
        "the_unseeing_have_no_filter",
        "Cells that see none of the frames are given filters in at most a tenth of all answers.",
        "by the level of the tests",
        found_in_the_unseeing, (0.0, 0.1),
    ),
    oracle_recovers("circuit"),
)  # fmt: skip

REVERSE_CORRELATION = Experiment(
    name="reverse_correlation",
    asks=(
        "What does a cell of the visual cortex look for in a frame? The average frame before a spike, the covariance "
        "of such frames and two regressions, on cells with one filter, with two, and with none, in noise and in frames "
        "as correlated as natural ones."
    ),
    grids=(WITH_NOISE, NATURALLY),
    claims=CLAIMS,
    subjects=20,
)
