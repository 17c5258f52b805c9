"""Published results on what neurons code, in one run: values that are none, drift, filters, imaging, superposition,
famous neurons, Fisher information and its leaks, similarity and its confounds.

Grids and claims are those of the experiments that ask about each more widely; here stand the ones that repeat a paper.
"""

from __future__ import annotations

from experiments import drift_and_nulls as drift
from experiments import explaining_away as competition
from experiments import famous_neurons as famous
from experiments import limits_of_information as limits
from experiments import reverse_correlation as reverse
from experiments import shared_or_not as shared
from experiments import spikes_or_calcium as imaging
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
OF_COMPETITION = (
    "receptive_fields_resemble_the_elements",
    "but_they_are_not_the_elements",
    "without_competition_they_are",
)
OF_IMAGING = (
    "calcium_finds_fewer", "inference_mends_it", "but_in_part", "receptive_fields_are_blurred",
)  # fmt: skip
OF_ONE_CONCEPT = (
    "one_in_three_looks_famous_where_none_is", "a_cell_of_one_concept_is_one_of_fifty",
    "whoever_screens_enough_cells_finds_one", "concept_cells_are_called_so_too",
)  # fmt: skip
OF_INFORMATION = (
    "the_naive_estimate_errs_as_theory_says", "the_correction_removes_the_bias", "shuffling_hides_the_limit",
    "choosing_units_beforehand_inflates", "neighbours_in_time_tell_blocks_apart", "folds_of_whole_blocks_do_not",
)  # fmt: skip
OF_SIMILARITY = (
    "a_common_gain_makes_uncorrected_rsa_call_them_alike", "crossnobis_is_hardly_fooled", "other_trials_settle_it",
)  # fmt: skip

PUBLISHED_CODING = Experiment(
    name="published_coding",
    asks=(
        "Do the published results on coding come out here: action values found in random walks, tests that drift "
        "fools, filters by averages and covariances, cells that compete, what calcium shows of them, features in "
        "superposition, cells of one concept, biases and leaks of information, what makes representations look alike?"
    ),
    grids=(
        drift.VALUES,
        drift.TARGET,
        reverse.WITH_NOISE,
        competition.GRID,
        *imaging.GRIDS,
        features.CHOICES,
        *famous.GRIDS,
        limits.ESTIMATES,
        limits.NOTHING,
        shared.CODES,
    ),
    claims=(
        *named(drift.CLAIMS, (*OF_VALUES, *OF_DRIFT)),
        *named(reverse.CLAIMS, OF_FIELDS),
        *named(competition.CLAIMS, OF_COMPETITION),
        *named(imaging.CLAIMS, OF_IMAGING),
        *named(features.CLAIMS, OF_FEATURES),
        *named(famous.CLAIMS, OF_ONE_CONCEPT),
        *named(limits.CLAIMS, OF_INFORMATION),
        *named(shared.CLAIMS, OF_SIMILARITY),
    ),
    subjects=20,
)
