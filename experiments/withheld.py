"""What biology withholds, one thing at a time: what each costs methods that intervene and methods that watch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from circuits.causal.logic_tree import LogicTree
from circuits.limits.few_stimuli import FewStimuli
from circuits.limits.strangers import Strangers
from circuits.limits.tiring import Tiring
from methods.intervention.pruning import Pruning
from methods.intervention.shapley_sampling import ShapleySampling
from methods.intervention.silencing_screen import SilencingScreen
from methods.roles.decoder_weights import DecoderWeights
from methods.roles.outcome_correlation import OutcomeCorrelation
from simlab.claims import Claim, Measured, difference, mean, paired_difference
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.losing_units import LosingUnits
from simlab.instruments.recording.noisy import Noisy
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.responsive_units import ResponsiveUnits
from simlab.instruments.recording.subsample import Subsample
from simlab.instruments.stimulating.ideal import Ideal

if TYPE_CHECKING:
    import pandas as pd

EACH = 0.4
TREE = LogicTree(inputs=4, lapse=0.05)
DAY, HOUR = Plan(6000, EACH), Plan(600, EACH)
METHODS = (
    SilencingScreen(duration=EACH, trials_each=500),
    ShapleySampling(duration=EACH),
    Pruning(duration=EACH),
    OutcomeCorrelation(),
    DecoderWeights(),
)
INSTRUMENTS = (
    Perfect(),
    Subsample(n_units=4),
    Noisy(missed=0.5, added=10.0),
    LosingUnits(half_life=200.0),
    ResponsiveUnits(kept=0.5),
)
LIMITED: tuple[Any, ...] = (Tiring(TREE, time_constant=500.0, floor=0.5), FewStimuli(TREE, stimuli=4), Strangers(TREE))

SEEN = Grid(
    circuits=(TREE,), plans=(DAY,), instruments=INSTRUMENTS, methods=METHODS, stimulators=(Ideal(),), baselines=False
)
FEW_TRIALS = Grid(
    circuits=(TREE,), plans=(HOUR,), instruments=(Perfect(),), methods=METHODS, stimulators=(Ideal(),), baselines=False
)
DONE = Grid(
    circuits=LIMITED, plans=(DAY,), instruments=(Perfect(),), methods=METHODS, stimulators=(Ideal(),), baselines=False
)

METRIC = {"pruning": "jaccard"}
"""What is compared of each method; of the rest, `spearman`."""


def cost(method: str, **limit: object) -> Callable[[pd.DataFrame], Measured]:
    """A measure: the metric of a method without any limit minus that under one, named by columns and their values."""
    free = {"circuit_label": label(TREE), "instrument": "perfect", "trials": DAY.trials}

    def measure(table: pd.DataFrame) -> Measured:
        column = METRIC.get(method, "spearman")
        if "circuit_label" not in limit:  # the same animals with and without it
            return paired_difference(table, column, free, free | limit, method=method)
        without, under = (mean(table, column, method=method, **row) for row in (free, free | limit))
        return difference(without, under)

    return measure


CLAIMS = (
    Claim(
        "noise_costs_silencing_nothing",
        "Spikes that are missed and invented cost the silencing screen nothing: it watches the behaviour.",
        "by construction of the screen: its answer does not read a spike",
        cost("silencing_screen", instrument="noisy"), (-0.05, 0.05),
    ),
    Claim(
        "noise_costs_watching_something",
        "They cost correlation with the outcome some of its ranks.",
        "attenuation by noise (Spearman 1904, Am J Psychol 15:72)",
        cost("outcome_correlation", instrument="noisy"), (0.02, 1.0),
    ),
    Claim(
        "another_animal_each_session_costs_search",
        "Search over many sessions, each in another animal that is wired otherwise, loses most of what it finds.",
        "simlab: trees are drawn for each animal; Beiran & Litwin-Kumar 2025 on what individuals share",
        cost("pruning", circuit_label=label(LIMITED[2])), (0.1, 1.0),
    ),
    Claim(
        "few_stimuli_cost_roles",
        "Four of sixteen stimuli say something else of the roles.",
        "SCIENCE: what biology withholds",
        cost("shapley_sampling", circuit_label=label(LIMITED[1])), (0.02, 1.0),
    ),
    Claim(
        "fatigue_costs_shapley_values",
        "Synapses that fall to half in the course of a session bias Shapley values.",
        "SCIENCE: what biology withholds",
        cost("shapley_sampling", circuit_label=label(LIMITED[0])), (0.02, 1.0),
    ),
    Claim(
        "few_trials_cost_sets_of_lesions",
        "A tenth of the trials costs sampled Shapley values ranks.",
        "standard errors grow with the root of the trials",
        cost("shapley_sampling", trials=HOUR.trials), (0.02, 1.0),
    ),
)  # fmt: skip

WITHHELD = Experiment(
    name="withheld",
    asks=(
        "Few neurons, noisy ones, neurons that are lost or selected, few trials, few stimuli, tired synapses, another "
        "animal every session: taken one at a time, what does each cost methods that intervene and methods that watch?"
    ),
    grids=(SEEN, FEW_TRIALS, DONE),
    claims=CLAIMS,
    subjects=20,
    time_limit=120.0,
)
