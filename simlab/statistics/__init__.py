"""What results say: what counts as right or wrong, rates and intervals, comparisons, power, calibration.

The only place that decides what counts; the report draws what stands here.
"""

from simlab.statistics.calibration import calibration
from simlab.statistics.comparison import best_of, paired_difference, separation
from simlab.statistics.intervals import bootstrap, clustered_wilson, effective_number, wilson
from simlab.statistics.leaderboard import leaderboard
from simlab.statistics.measured import Measured, chosen, difference, mean, rate
from simlab.statistics.power import crossing, data_for_recovery, power_curve
from simlab.statistics.summaries import effective_chance, summarise
from simlab.statistics.verdicts import answered, failed, fooled, recovered, subject_of

__all__ = [
    "Measured", "answered", "best_of", "bootstrap", "calibration", "chosen", "clustered_wilson", "crossing",
    "data_for_recovery", "difference", "effective_chance", "effective_number", "failed", "fooled",
    "leaderboard", "mean", "paired_difference", "power_curve", "rate", "recovered", "separation", "subject_of",
    "summarise", "wilson",
]  # fmt: skip
