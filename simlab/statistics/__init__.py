"""What results say: what counts as right or wrong, rates and intervals, comparisons, power, calibration.

The only place that decides what counts; the report draws what stands here, and claims are measured with it.
"""

from simlab.statistics.amounts import amount, swept
from simlab.statistics.boards import leaderboards
from simlab.statistics.comparison import best_of, paired_difference, separation
from simlab.statistics.confidence import calibration, calibration_points
from simlab.statistics.intervals import bootstrap, clustered_wilson, effective_number, mean_interval, wilson
from simlab.statistics.maps import Heat, heat, heatmap
from simlab.statistics.matching import comparable, held, with_settings
from simlab.statistics.measured import Measured, chosen, difference, mean, rate
from simlab.statistics.power import crossing, data_for_recovery, power_curve
from simlab.statistics.ranking import leaderboard, leagues
from simlab.statistics.summaries import effective_chance, headline_of, summarise
from simlab.statistics.sweep_curve import sweep_curve
from simlab.statistics.sweeps import values_of, varying
from simlab.statistics.tallies import met, tallies
from simlab.statistics.verdicts import (
    abstained,
    answered,
    counted,
    error,
    failed,
    fooled,
    over_budget,
    recovered,
    right,
    separated,
    stand_in,
    subject_of,
    tally,
    told,
)

__all__ = [
    "Heat", "Measured", "abstained", "amount", "answered", "best_of", "bootstrap", "calibration",
    "calibration_points", "chosen", "clustered_wilson", "comparable", "counted", "crossing", "data_for_recovery",
    "difference", "effective_chance", "effective_number", "error", "failed", "fooled", "headline_of", "heat",
    "heatmap", "held", "leaderboard", "leaderboards", "leagues", "mean", "mean_interval", "met", "over_budget",
    "paired_difference", "power_curve", "rate", "recovered", "right", "separated", "separation", "stand_in",
    "subject_of", "summarise", "sweep_curve", "swept", "tallies", "tally", "told", "values_of", "varying", "wilson",
    "with_settings",
]  # fmt: skip
