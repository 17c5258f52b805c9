"""What results say: what counts as right or wrong, rates and intervals, comparisons, power, calibration.

The only place that decides what counts; the report draws what stands here.
"""

from simlab.statistics.intervals import bootstrap, clustered_wilson, effective_number, wilson
from simlab.statistics.power import crossing, data_for_recovery, power_curve
from simlab.statistics.summaries import calibration, effective_chance, heatmap, leaderboard, summarise
from simlab.statistics.verdicts import answered, fooled, outcome, subject_of

__all__ = [
    "answered", "bootstrap", "calibration", "clustered_wilson", "crossing", "data_for_recovery",
    "effective_chance", "effective_number", "fooled", "heatmap", "leaderboard", "outcome", "power_curve",
    "subject_of", "summarise", "wilson",
]  # fmt: skip
