"""Published results on dimension, criticality, shape, rotations and memory, all in one run.

Grids and claims are those of the experiments that ask about each more widely; here stand the ones that repeat a paper.
"""

from __future__ import annotations

from collections.abc import Iterable

from experiments import _attractor_memories as memory
from experiments import dimension_illusions as dimension
from experiments import partial_observation as hidden
from experiments import rotations
from experiments import shape_is_not_architecture as shape
from experiments import timescales_and_criticality as criticality
from simlab.claims import Claim
from simlab.experiment import Experiment

OF_DIMENSION = (
    "a_walk_looks_low_dimensional", "a_walk_looks_like_half_a_cosine", "smooth_noise_looks_like_half_a_cosine",
    "a_new_trial_does_not_tell_smooth_noise", "a_new_trial_tells_white_noise",
    *(f"participation_ratio_in_{n}_samples" for n in dimension.WHITE_PLANS),
)  # fmt: skip
OF_CRITICALITY = (
    *(f"{how}_regression_from_{n}" for how in ("conventional", "multistep") for n in (100, 10, 1)),
    "log_log_calls_a_common_drive_critical", "a_tested_power_law_calls_it_critical_less",
    "the_crackling_relation_calls_it_critical_less",
)  # fmt: skip
OF_SHAPE = (
    "a_torus_takes_many_cells", "a_ring_takes_fewer_cells_than_a_torus", "a_ring_of_synapses_makes_a_torus",
    "independent_units_under_a_rhythm_make_a_torus",
)  # fmt: skip
OF_ROTATIONS = ("jpca_finds_rotations", "jpca_finds_rotations_in_sequences")
OF_WHAT_IS_HIDDEN = (
    "recorded_whole_the_chain_is_no_line", "hiding_makes_a_line", "a_push_tells_them_apart_at_25_percent",
    "models_that_predict_well_hold_the_states", "and_more_that_nobody_has",
    "few_shot_finds_the_states_that_are_there", "consistency_finds_the_states_that_are_there",
)  # fmt: skip
OF_MEMORY = ("watching_takes_goldman_chain_for_a_line", "a_push_tells_goldman_chain_from_a_line")


def named(claims: Iterable[Claim], names: Iterable[str]) -> tuple[Claim, ...]:
    """The claims of these names, in their order; a KeyError for one that is not there."""
    there = {claim.name: claim for claim in claims}
    return tuple(there[name] for name in names)


PUBLISHED_DYNAMICS = Experiment(
    name="published_dynamics",
    asks=(
        "Do the published results on population activity come out here: principal components of random walks, "
        "participation ratios, branching ratios of subsampled networks, power laws under a common drive, cells that it "
        "takes to see a torus, rotations in sequences, memory without feedback, what hiding neurons does, and what a "
        "good score hides?"
    ),
    grids=(
        *dimension.GRIDS[:2],
        dimension.NEW_TRIALS,
        *criticality.GRIDS[:2],
        shape.TORI,
        shape.RINGS,
        shape.SHAPES,
        rotations.TURNS,
        memory.LINES,
        *hidden.PARTIAL_OBSERVATION.grids,
    ),
    claims=(
        *named(dimension.CLAIMS, OF_DIMENSION),
        *named(criticality.CLAIMS, OF_CRITICALITY),
        *named(shape.CLAIMS, OF_SHAPE),
        *named(rotations.CLAIMS, OF_ROTATIONS),
        *named(memory.CLAIMS, OF_MEMORY),
        *named(hidden.CLAIMS, OF_WHAT_IS_HIDDEN),
    ),
    subjects=20,
    time_limit=300.0,
)
