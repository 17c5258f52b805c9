"""Is a receptive field what a cell stands for? Cells that compete to explain a frame, and cells that do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from circuits.coding.sparse_coding_cortex import SparseCodingCortex
from circuits.coding.unseeing_cells import UnseeingCells
from circuits.coding.visual import Look
from methods.coding.automatic_smoothness import AutomaticSmoothness
from methods.coding.quadratic_model import QuadraticModel
from methods.coding.spike_triggered_average import SpikeTriggeredAverage
from simlab.claims import Claim, Measured, mean, oracle_recovers, paired_difference, rate
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.subsample import Subsample

if TYPE_CHECKING:
    import pandas as pd

STA, SMOOTH, QUADRATIC = SpikeTriggeredAverage(), AutomaticSmoothness(), QuadraticModel()
COMPETING, ALONE = SparseCodingCortex(), SparseCodingCortex(inhibition=0.0)
IN_NOISE = SparseCodingCortex(look=Look())
FEW, MANY = Plan(2, 60.0), Plan(10, 60.0)

GRID = Grid(
    circuits=(COMPETING, ALONE, IN_NOISE),
    rivals=(UnseeingCells(like=COMPETING),),
    plans=(FEW, MANY),
    instruments=(Subsample(n_units=12),),
    methods=(STA, SMOOTH, QUADRATIC),
)


def overlap(method: Any, circuit: Any) -> Callable[[pd.DataFrame], Measured]:
    """A measure: the mean over animals of the median overlap of elements and stated filters, in ten minutes."""

    def measure(table: pd.DataFrame) -> Measured:
        at = {"circuit_label": label(circuit), "trials": MANY.trials}
        return mean(table, "overlap", method_label=label(method), **at)

    return measure


def difference(first: dict[str, Any], second: dict[str, Any], **at: Any) -> Callable[[pd.DataFrame], Measured]:
    """A measure: the overlap under one condition less that under another, in the same animals."""

    def measure(table: pd.DataFrame) -> Measured:
        return paired_difference(table, "overlap", first, second, **at)

    return measure


def found_in_the_unseeing(table: pd.DataFrame) -> Measured:
    """How often filters are given to cells that see none of the frames."""
    return rate(table, "false_recovery", circuit="unseeing_cells", kind="passive")


OLSHAUSEN = "Olshausen & Field 1997, Vision Res 37:3311"
ROZELL = "analytic: competition takes away what others explain (Rozell et al. 2008, Neural Comput 20:2526)"
CLAIMS = (
    Claim(
        "receptive_fields_resemble_the_elements",
        "In noise, the average frame before a spike resembles the element that a cell stands for.",
        OLSHAUSEN,
        overlap(STA, IN_NOISE), (0.8, 1.0),
    ),
    Claim(
        "but_they_are_not_the_elements",
        "Even so it is not that element: an overlap of .97 at most.",
        ROZELL,
        overlap(STA, IN_NOISE), (-1.0, 0.97),
    ),
    Claim(
        "without_competition_they_are",
        "Without competition the regression's filter is the element.",
        "Bussgang's theorem, as far as frames are Gaussian",
        overlap(SMOOTH, ALONE), (0.97, 1.0),
    ),
    Claim(
        "competition_moves_them",
        "The same cells with competition have filters that are further from their elements, by .03 or more.",
        ROZELL,
        difference({"circuit_label": label(COMPETING)}, {"circuit_label": label(ALONE)},
                   method_label=label(SMOOTH), trials=MANY.trials), (-1.0, -0.03),
    ),
    Claim(
        "a_model_that_is_not_linear_does_not_undo_it",
        "A quadratic model of each cell comes no closer to the element than the regression, by .03 at most.",
        "analytic: it knows nothing of the other cells",
        difference({"method_label": label(QUADRATIC)}, {"method_label": label(SMOOTH)},
                   circuit_label=label(COMPETING), trials=MANY.trials), (-1.0, 0.03),
    ),
    Claim(
        "nor_do_more_data",
        "Ten minutes bring the regression no closer than two, by .05 at most.",
        "analytic: a bias is no noise",
        difference({"trials": MANY.trials}, {"trials": FEW.trials},
                   circuit_label=label(COMPETING), method_label=label(SMOOTH)), (-0.05, 0.05),
    ),
    Claim(
        "the_unseeing_have_no_filter",
        "Cells that see none of the frames are given filters in at most a tenth of all answers.",
        "by the level of the tests",
        found_in_the_unseeing, (0.0, 0.1),
    ),
    oracle_recovers("circuit"),
)  # fmt: skip

EXPLAINING_AWAY = Experiment(
    name="explaining_away",
    asks=(
        "Is the receptive field of a cell what it stands for? Averages, regression and a quadratic model of cells that "
        "compete to explain each frame, of the same cells side by side, and of cells that see nothing."
    ),
    grids=(GRID,),
    claims=CLAIMS,
    subjects=20,
)
