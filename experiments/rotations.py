"""Rotations and sequences: a rotational network and sequences of bumps seen by jPCA, and what an order of peaks
tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuits.rhythms.condition_sequences import ConditionSequences
from circuits.rhythms.limit_cycle import LimitCycle
from circuits.rhythms.rate_sequence import RateSequence
from circuits.rhythms.rotational_dynamics import RotationalDynamics
from circuits.rhythms.synfire_chain import SynfireChain
from experiments._answered import answered
from methods.rhythms.jpca import JPCA
from methods.rhythms.sequence_order import SequenceOrder
from methods.rhythms.spade import Spade
from simlab.claims import Claim, Measured, chosen, mean, oracle_recovers, rate, separation
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.subsample import Subsample

if TYPE_CHECKING:
    import pandas as pd

TENSOR, CONDITIONS, NAIVE = JPCA(), JPCA(null="conditions"), JPCA(null="none")
MANY = Plan(120, 1.0)

TURNS = Grid(
    circuits=(RotationalDynamics(),),
    rivals=(ConditionSequences(),),
    plans=(Plan(48, 1.0), MANY),
    instruments=(Subsample(n_units=40),),
    methods=(TENSOR, CONDITIONS, NAIVE),
)
ORDERS = Grid(
    circuits=(SynfireChain(), RateSequence(), LimitCycle(), ConditionSequences(), RotationalDynamics()),
    plans=(Plan(40, 1.5),),
    instruments=(Perfect(),),
    methods=(SequenceOrder(),),
)
PATTERNS = Grid(
    circuits=(SynfireChain(), ConditionSequences()),
    plans=ORDERS.plans,
    instruments=ORDERS.instruments,
    methods=(Spade(most_spikes=4, n_surrogates=19),),  # one size of patterns: at a level of .05
    baselines=False,
)


def rotations_found(table: pd.DataFrame) -> Measured:
    """How often jPCA with the tensor null names the rotational network."""
    return rate(table, "recovered", circuit="rotational_dynamics", method_label=label(TENSOR), trials=MANY.trials)


def _in_sequences(method: JPCA, table: pd.DataFrame) -> Measured:
    rows = chosen(table, circuit="condition_sequences", trials=MANY.trials)
    return rate(rows, "false_recovery", method_label=label(method))


def rotations_in_sequences(table: pd.DataFrame) -> Measured:
    """How often it names rotations in condition-dependent sequences."""
    return _in_sequences(TENSOR, table)


def shuffles_in_sequences(table: pd.DataFrame) -> Measured:
    """The same with conditions shuffled for each unit."""
    return _in_sequences(CONDITIONS, table)


def best_null_separates(table: pd.DataFrame) -> Measured:
    """Youden's J of jPCA with the tensor null."""
    return separation(table, "jpca", method_label=label(TENSOR), trials=MANY.trials, question="mechanism")


def chains_found(table: pd.DataFrame) -> Measured:
    """How often the order of peaks is called a feedforward sequence in chains that are."""
    return rate(table, "recovered", circuit=("synfire_chain", "rate_sequence"), method="sequence_order")


def driven_sequences(table: pd.DataFrame) -> Measured:
    """How often it is right, where it answers, of neurons to which an input gives their times."""
    return mean(table, "correct", circuit="condition_sequences", method="sequence_order")


def precise_chains(table: pd.DataFrame) -> Measured:
    """How often spike patterns name the synfire chain a sequence, where they answer."""
    return rate(table, "recovered", circuit="synfire_chain", method="spade")


def patterns_in_driven_sequences(table: pd.DataFrame) -> Measured:
    """In how many recordings of driven bumps there are such patterns; an abstention names none."""
    return answered(table, circuit="condition_sequences", method="spade")


LEBEDEV = "Lebedev et al. 2019, Sci Rep 9:18978 (from memory); SCIENCE.md item 12"

CLAIMS = (
    Claim(
        "jpca_finds_rotations",
        "jPCA with a null of maximum-entropy tensors names the rotational network in at least nine of ten.",
        "Churchland et al. 2012, Nature 487:51; Elsayed & Cunningham 2017, Nat Neurosci 20:1310",
        rotations_found,
        (0.9, 1.0),
    ),
    Claim(
        "jpca_finds_rotations_in_sequences",
        "It names rotations in condition-dependent sequences without rotational dynamics as well, in most recordings.",
        LEBEDEV,
        rotations_in_sequences,
        (0.5, 1.0),
    ),
    Claim(
        "shuffled_conditions_are_no_better_null",
        "So does jPCA whose null shuffles each unit's conditions.",
        LEBEDEV,
        shuffles_in_sequences,
        (0.5, 1.0),
    ),
    Claim(
        "the_tensor_null_does_not_separate_them",
        "Recovery of jPCA with the tensor null exceeds its false recovery by at most 0.5: smoothness and dimension are "
        "ruled out by it, and travelling sequences are not.",
        LEBEDEV,
        best_null_separates,
        (-1.0, 0.5),
    ),
    Claim(
        "chains_are_found",
        "The order of peaks tells synfire and rate chains as feedforward sequences in at least nine of ten.",
        "Long, Jin & Fee 2010, Nature 468:394; Pastalkova et al. 2008, Science 321:1322, for the argument",
        chains_found,
        (0.9, 1.0),
    ),
    Claim(
        "a_sequence_is_no_evidence_of_a_chain",
        "Of driven sequences it is right in at most one of ten that it answers: peaks tell an order, not its cause.",
        "analytic: rates that an input gives are the same function of time",
        driven_sequences,
        (0.0, 0.1),
    ),
    Claim(
        "precise_patterns_are_found_in_a_synfire_chain",
        "Spike patterns that dithering by 15 ms destroys tell the synfire chain in at least nine of ten.",
        "Abeles 1991, Corticonics; Torre et al. 2013, Front Comput Neurosci 7:132",
        precise_chains,
        (0.9, 1.0),
    ),
    Claim(
        "bumps_of_rates_have_no_precise_patterns",
        "In sequences of bumps 100 ms wide that an input drives there are such patterns in at most one of ten.",
        "analytic: rates that change over 100 ms are the same after dithering by 15 ms",
        patterns_in_driven_sequences,
        (0.0, 0.1),
    ),
    oracle_recovers("circuit", "rival"),
)

ROTATIONS = Experiment(
    name="rotations",
    asks=(
        "A linear network whose states rotate, and neurons that an input drives one after another: does jPCA tell them "
        "apart, with which null? And chains, cycles and driven sequences: what does the order of peaks tell of what "
        "makes it?"
    ),
    grids=(TURNS, ORDERS, PATTERNS),
    claims=CLAIMS,
    subjects=20,
    time_limit=120.0,
)
