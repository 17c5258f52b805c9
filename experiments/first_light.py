"""First light: both questions of the lab, small enough for a first minute with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuits.attractors.feedforward_ring import FeedforwardRing
from circuits.attractors.ring_attractor import RingAttractor
from circuits.networks.balanced_ei import BalancedEI
from circuits.networks.common_drive import CommonDrive
from circuits.networks.independent_poisson import IndependentPoisson
from experiments.attractor_or_not import PASSIVE
from experiments.connectivity_sampling import SPIKE_METHODS
from methods.intervention.perturb_and_watch import PerturbAndWatch
from methods.population.persistent_homology import PersistentHomology
from simlab.claims import Claim, Measured, chosen, rate
from simlab.experiment import Experiment, Grid, Plan
from simlab.instruments.recording.subsample import Subsample

if TYPE_CHECKING:
    import pandas as pd

WIRING = Grid(
    circuits=(BalancedEI(),),
    rivals=(CommonDrive(), IndependentPoisson()),
    plans=(Plan(trials=100, duration=1.0),),
    instruments=(Subsample(n_units=20),),
    methods=SPIKE_METHODS,
)

ATTRACTOR = Grid(
    circuits=(RingAttractor(),),
    rivals=(FeedforwardRing(),),
    plans=(Plan(trials=40, duration=2.0),),
    instruments=(Subsample(n_units=30),),
    methods=(PersistentHomology(), *PASSIVE, PerturbAndWatch()),
)


def oracle(table: pd.DataFrame) -> Measured:
    """How often the projected truth itself counts as a recovery."""
    return rate(table, "recovered", method="baseline:oracle", role="circuit")


def chance(table: pd.DataFrame) -> Measured:
    """How often a random answer about wiring counts as a recovery."""
    rows = chosen(table, method="baseline:random", role="circuit", question="connectivity")
    return rate(rows, "recovered")


CLAIMS = (
    Claim(
        "oracle_recovers",
        "The projected truth, given as an answer, counts as a recovery every time.",
        "by construction: the criterion and the projection agree",
        oracle,
        (1.0, 1.0),
        invariant=True,
    ),
    Claim(
        "random_wiring_fails",
        "Random wiring of the right density counts as a recovery (MCC >= 0.5) at most once in 20.",
        "analytic: MCC of random edges among 380 pairs at 10% density has mean 0 and sd 0.05",
        chance,
        (0.0, 0.05),
    ),
)

FIRST_LIGHT = Experiment(
    name="first_light",
    asks=(
        "Who is connected to whom, and is it an attractor? A spiking network with known wiring is recorded with 20 "
        "of its 100 neurons for 100 s and given to six connectivity methods; so are two rivals that have no wiring. "
        "A ring attractor and a feedforward ring that looks like it are given to passive methods and to one that "
        "pushes the bump and watches. Two subjects each: a first look, not a measurement."
    ),
    grids=(WIRING, ATTRACTOR),
    claims=CLAIMS,
    subjects=2,
    time_limit=60.0,
)
