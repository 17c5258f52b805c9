"""Published results on what neurons code: values that are none, drift, receptive fields and superposition, in one run.

Grids and claims are those of the experiments that ask about each more widely; here stand the ones that repeat a paper.
Of imaging against electrophysiology (Wei et al. 2020) and of pattern analysis and its confounds there is nothing yet.
"""

from __future__ import annotations

from experiments import drift_and_nulls as drift
from experiments import reverse_correlation as reverse
from experiments import superposition_and_dictionaries as features
from experiments.published_dynamics import named
from simlab.experiment import Experiment

OF_VALUES = (
    "random_walks_are_called_values", "white_noise_is_called_a_value_as_often_as_two_tests_err",
    "genuine_neurons_are_called_so_hardly_more_often",
)  # fmt: skip
OF_DRIFT = (
    "permutations_err_on_drift", "circular_shifts_err_on_drift", "pseudosessions_hold_their_level_on_drift",
)  # fmt: skip
OF_FIELDS = (
    "the_average_recovers_simple_cells", "the_average_fails_on_complex_cells",
    "the_covariance_recovers_complex_cells", "the_covariance_recovers_simple_cells_too",
)  # fmt: skip
OF_FEATURES = (
    "features_are_found_in_the_right_region", "without_a_penalty_they_are_not", "with_too_much_they_are_not_either",
    "the_one_that_finds_none_rebuilds_better", "components_are_beaten", "independent_components_are_beaten",
)  # fmt: skip

PUBLISHED_CODING = Experiment(
    name="published_coding",
    asks=(
        "Do the published results on coding come out here: action values found in random walks, tests that drift "
        "fools, filters by averages and covariances, features in superposition?"
    ),
    grids=(drift.VALUES, drift.TARGET, reverse.WITH_NOISE, features.CHOICES),
    claims=(
        *named(drift.CLAIMS, (*OF_VALUES, *OF_DRIFT)),
        *named(reverse.CLAIMS, OF_FIELDS),
        *named(features.CLAIMS, OF_FEATURES),
    ),
    subjects=20,
)
