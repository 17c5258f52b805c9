"""Is it an attractor? A ring attractor and a feedforward ring, watched passively or pushed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import experiments._attractor_controls as controls
import experiments._attractor_memories as memories
from circuits.attractors.feedforward_ring import FeedforwardRing
from circuits.attractors.ring_attractor import RingAttractor
from methods.intervention.perturb_and_watch import PerturbAndWatch
from methods.population.decoded_drift import DecodedDrift
from methods.population.dimension_and_homology import DimensionAndHomology
from methods.population.noise_correlation_structure import NoiseCorrelationStructure
from methods.population.persistent_homology import PersistentHomology
from simlab.claims import Claim, Measured, best_of, chosen, oracle_recovers, rate, separation
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.subsample import Subsample
from simlab.instruments.stimulating.ideal import Ideal
from simlab.instruments.stimulating.optogenetics import Optogenetics

if TYPE_CHECKING:
    import pandas as pd

PASSIVE = (DimensionAndHomology(), NoiseCorrelationStructure(), DecodedDrift())
RING, RIVAL = RingAttractor(), FeedforwardRing()
FEW, SOME, MANY = Plan(10, 2.0), Plan(20, 2.0), Plan(40, 2.0)

SHAPE, PUSH = DimensionAndHomology(), PerturbAndWatch()
FORTY = Subsample(n_units=40)

MOST = Grid(  # where the methods are compared with one another, and with what a guess gets
    circuits=(RING,),
    rivals=(RIVAL,),
    plans=(MANY,),
    instruments=(FORTY,),
    methods=(*PASSIVE, PersistentHomology(), PUSH),
)
TRIALS = Grid(  # curves of one who watches and one who pushes
    circuits=(RING,),
    rivals=(RIVAL,),
    plans=(FEW, SOME),
    instruments=(FORTY,),
    methods=(SHAPE, PUSH),
    ceiling=Plan(80, 2.0),
    ceiling_subjects=3,
    baselines=False,
)
UNITS = Grid(
    circuits=(RING,),
    rivals=(RIVAL,),
    plans=(MANY,),
    instruments=(Subsample(n_units=10), Subsample(n_units=20)),
    methods=(SHAPE, PUSH),
    baselines=False,
)
TISSUE = Grid(  # the same sites among the simulated neurons alone, and among all those that are there
    circuits=(RING,),
    rivals=(RIVAL,),
    plans=(MANY,),
    instruments=(controls.SPARSE, controls.DENSE),
    methods=(SHAPE, PUSH),
    baselines=False,
)
PRIVATE = Grid(  # a rival whose background noise is its own: rates, tuning and drift match, correlations nearly do
    circuits=(RING,),
    rivals=(FeedforwardRing(common_background=0.0),),
    plans=(MANY,),
    instruments=(FORTY,),
    methods=(*PASSIVE, PUSH),
    baselines=False,
)
PULSES = Grid(
    circuits=(RING,),
    rivals=(RIVAL,),
    plans=(MANY,),
    instruments=(FORTY,),
    methods=(PUSH,),
    stimulators=(Ideal(),),
    perturbations=(4, 8, None),
    baselines=False,
)
LIGHT = Grid(  # that spreads, and cells that do not express
    circuits=(RING,),
    rivals=(RIVAL,),
    plans=(MANY,),
    instruments=(FORTY,),
    methods=(PUSH,),
    stimulators=(Optogenetics(),),
    baselines=False,
)


TWINS = ("ring_attractor", "feedforward_ring")
STRANGERS = ("ring_attractor", "feedforward_ring(common_background=0)")


def _best_passive(table: pd.DataFrame, pair: tuple[str, str]) -> Measured:
    """Youden's J of the best of the three, with the interval of a maximum."""
    rows = chosen(table, trials=40, instrument_label=label(FORTY), circuit_label=pair)
    return best_of(rows, [method.name for method in PASSIVE], "separation")


def passive_separation(table: pd.DataFrame) -> Measured:
    """Youden's J of the passive method that separates best, 40 units and 40 trials."""
    return _best_passive(table, TWINS)


def passive_separation_of_strangers(table: pd.DataFrame) -> Measured:
    """The same where the rival's background noise is its own."""
    return _best_passive(table, STRANGERS)


def active_separation(table: pd.DataFrame) -> Measured:
    """Youden's J of perturb_and_watch with the ideal stimulator and as many pulses as trials."""
    rows = table[table["budget_perturbations"] == table["budget_trials"]]
    conditions = {"trials": 40, "instrument_label": label(FORTY), "stimulator": "ideal"}
    return separation(rows, "perturb_and_watch", circuit_label=TWINS, **conditions)


def ring_in_the_rival(table: pd.DataFrame) -> Measured:
    """How often persistent homology finds exactly one ring in the feedforward rival, 40 units and 40 trials."""
    rows = chosen(table, circuit_label="feedforward_ring", trials=40, instrument_label=label(FORTY))
    return rate(rows, "recovered", method="persistent_homology")


def attractor_claimed_in_the_rival(table: pd.DataFrame) -> Measured:
    """How often low dimension and a ring are taken for an attractor where there is none."""
    rows = chosen(table, circuit_label="feedforward_ring", trials=40, instrument_label=label(FORTY))
    return rate(rows, "false_recovery", method="dimension_and_homology")


CLAIMS = (
    Claim(
        "the_exact_twin_is_an_identity",
        "An identity by construction, not a finding: unperturbed, the feedforward twin's spikes follow the same law as "
        "the ring attractor's, so that nothing which only watches can tell them apart. Checked on the three passive "
        "methods tried here: the best one's recovery exceeds its false recovery by at most 0.2.",
        "theorem: unperturbed, both have one distribution; Goldman 2009, Neuron 61:621, for memory without feedback",
        passive_separation,
        (-1.0, 0.2),
    ),
    Claim(
        "three_passive_methods_miss_a_less_perfect_twin",
        "The three passive methods tried here (dimension and homology, noise correlations, drift) do not tell the ring "
        "from a feedforward rival whose background noise is its own, so that only rates, tuning and drift are matched. "
        "Nothing is said of others: a correlogram from inhibitory to excitatory cells does separate this pair.",
        "Goldman 2009, Neuron 61:621, for the three; simlab's own measurement for the correlogram (z of -12 to -21 in "
        "8 rings, -3 to +1 in 8 rivals)",
        passive_separation_of_strangers,
        (-1.0, 0.2),
    ),
    Claim(
        "the_active_method_separates",
        "Pushing the bump and watching whether it stays does: recovery exceeds false recovery by at least 0.8.",
        "Goldman 2009, Neuron 61:621; Wimmer et al. 2014, Nat Neurosci 17:431 (a perturbed bump does not come back)",
        active_separation,
        (0.8, 1.0),
    ),
    Claim(
        "topology_is_not_architecture",
        "Persistent homology finds one ring in the feedforward circuit as well.",
        "Kang, Xu & Morozov 2021, Front Comput Neurosci 15:616748: inputs can give a network the topology of its code",
        ring_in_the_rival,
        (0.8, 1.0),
    ),
    Claim(
        "a_ring_is_taken_for_an_attractor",
        "The published argument (low dimension, one ring) claims an attractor in the feedforward circuit.",
        "Chaudhuri et al. 2019, Nat Neurosci 22:1512, for the argument; analytic for its failure: states are matched",
        attractor_claimed_in_the_rival,
        (0.8, 1.0),
    ),
    oracle_recovers("circuit"),
    *controls.CLAIMS,
    *memories.CLAIMS,
)

ATTRACTOR_OR_NOT = Experiment(
    name="attractor_or_not",
    asks=(
        "A ring attractor and a feedforward ring have the same tuning, noise correlations and drift, and the same ring "
        "in state space. Which analyses tell them apart: those that only watch, or one that pushes the activity and "
        "watches whether it stays? How many units, trials and pulses does that take, and does it survive light that "
        "spreads, cells that do not express, and electrodes in tissue as dense as the brain's? And do they say no to "
        "neurons that are no attractor at all, or that remember by other means: slow cells, a hidden feedforward "
        "chain, a state that is kept elsewhere? The list of mechanisms is open: it ends with 'none of these'."
    ),
    grids=(MOST, TRIALS, UNITS, TISSUE, PRIVATE, PULSES, LIGHT, *controls.GRIDS, *memories.GRIDS),
    questions=(controls.OPEN,),
    claims=CLAIMS,
    subjects=20,
    time_limit=120.0,
)
