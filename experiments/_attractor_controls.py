"""Of `attractor_or_not`: circuits that are no attractors, a dial that makes one, and tissue of real density."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from circuits.attractors.cue_ring import CueRing
from circuits.attractors.feedforward_ring import FeedforwardRing
from circuits.attractors.independent_tuned import IndependentTuned
from circuits.attractors.ring_attractor import RingAttractor
from circuits.networks.independent_poisson import IndependentPoisson
from methods.dynamics.fitted_dynamics import FittedDynamics
from methods.dynamics.gated_mechanism import GatedMechanism
from methods.dynamics.offset_reset import OffsetReset
from methods.dynamics.perturb_and_classify import PerturbAndClassify
from methods.dynamics.short_latency_coupling import ShortLatencyCoupling
from methods.intervention.perturb_and_watch import PerturbAndWatch
from methods.population.decoded_drift import DecodedDrift
from methods.population.dimension_and_homology import DimensionAndHomology
from methods.population.noise_correlation_structure import NoiseCorrelationStructure
from simlab.claims import Answer, Claim, Measured, chosen, difference, paired_ratio, rate, separation
from simlab.experiment import Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.electrodes import Electrodes
from simlab.instruments.recording.subsample import Subsample
from simlab.instruments.stimulating.ideal import Ideal
from simlab.questions.mechanism import Mechanism

if TYPE_CHECKING:
    import pandas as pd

OPEN = Mechanism(
    outside=(
        "cue-driven tuning", "independent tuned neurons", "independent neurons", "slow cells",
        "hidden feedforward chain", "discrete attractors",
    )
)  # fmt: skip
"""Mechanisms that nobody thought of: kept off the list, where `none of these` is right."""

VERDICTS = (
    DimensionAndHomology(), NoiseCorrelationStructure(), DecodedDrift(), OffsetReset(), ShortLatencyCoupling(),
    GatedMechanism(), PerturbAndWatch(),
)  # fmt: skip
DYNAMICS = (FittedDynamics(), PerturbAndClassify())
FORTY = (Subsample(n_units=40),)
SPARSE = Electrodes(n_sites=96, noise=6e-6)
DENSE = Electrodes(n_sites=96, noise=6e-6, tissue_density=9e13)
"""The same sites, with silicon's noise of their own [V], in tissue of the simulated hundred neurons and of 90,000 per
cubic millimetre, as in rodent cortex: neighbours that nobody simulates add noise and spikes to the units."""
SHARES = (0.0, 0.4, 0.8, 1.0)
FAR = ("ring_attractor(tuned_share=0)", "ring_attractor(tuned_share=0.4)", "ring_attractor")
"""Settings of the dial that are far from where a bump begins to sustain itself, .76 by the Jacobian."""

NOT_ATTRACTORS = Grid(
    circuits=(RingAttractor(), IndependentPoisson()),
    rivals=(FeedforwardRing(common_background=0.0), CueRing(), IndependentTuned()),
    plans=(Plan(41, 2.0),),  # one trial more than elsewhere: cells of its own, in which nothing else is compared
    instruments=FORTY,
    methods=VERDICTS,
    baselines=False,
)
DIAL = Grid(
    circuits=tuple(RingAttractor(tuned_share=share) for share in SHARES),
    plans=(Plan(80, 2.0),),
    instruments=FORTY,
    methods=DYNAMICS,
    stimulators=(Ideal(),),
    baselines=False,
)
GRIDS = (NOT_ATTRACTORS, DIAL)
CONTROLS = ("independent_poisson", "cue_ring", "independent_tuned")


def named(table: pd.DataFrame, answer: Answer, said: str, **conditions: Any) -> Measured:
    """How often a label is given in the chosen cells; an abstention gives none."""
    rows = chosen(table, **conditions)
    rows = rows[rows["status"].isin(("ok", "abstained"))]
    given = [kept is not None and kept[0]["label"] == said for kept in map(answer, rows["cell"])]
    return rate(rows.assign(named=[float(each) for each in given], status="ok"), "named")


WORKS = 0.8
"""Youden's J on the negative controls below which a method is called broken: a rule of this lab."""


def says_no(table: pd.DataFrame, answer: Answer, *, method: str) -> Measured:
    """Youden's J: how much more often a method says `ring attractor` of the ring than of the three negative controls.

    The detail gives the verdict of the rule, and the control that fools it most.
    """
    where = {"method": method, "trials": 41}
    ring = named(table, answer, "ring attractor", circuit="ring_attractor", **where)
    found = difference(ring, named(table, answer, "ring attractor", circuit=CONTROLS, **where))
    fooled = {name: named(table, answer, "ring attractor", circuit=name, **where).value for name in CONTROLS}
    worst = max(fooled, key=lambda name: -1.0 if math.isnan(fooled[name]) else fooled[name])
    verdict = "broken" if found.value < WORKS else "not broken"
    return replace(found, detail=f"{verdict}: {found.detail}; most often of {worst}, {fooled[worst]:.3g}")


def open_set(table: pd.DataFrame) -> Measured:
    """How often the gated choice says `none of these` of what is not on the list."""
    return rate(table, "correct", method="gated_mechanism", circuit=CONTROLS, trials=41)


def nearest_name(table: pd.DataFrame) -> Measured:
    """How often drift in the dark, which asks how well nothing fits, names a mechanism that is not there."""
    rows = chosen(table, method="decoded_drift", circuit=CONTROLS[1:], trials=41)
    return rate(rows, "false_recovery")


def units_left(table: pd.DataFrame) -> Measured:
    """Units that sorting finds in dense tissue over those at the same sites in sparse tissue, whoever answered."""
    rows = chosen(table, method="perturb_and_watch", role="circuit").assign(status="ok")
    return paired_ratio(rows, "n_units", *({"instrument_label": label(each)} for each in (DENSE, SPARSE)))


def shape_lost(table: pd.DataFrame, answer: Answer) -> Measured:
    """How much more often low dimension and a ring are found of a ring attractor in sparse tissue than in dense."""
    where = {"method": "dimension_and_homology", "circuit": "ring_attractor"}
    sparse, dense = (
        named(table, answer, "ring attractor", instrument_label=label(each), **where) for each in (SPARSE, DENSE)
    )
    return difference(sparse, dense)


def push_in_dense_tissue(table: pd.DataFrame) -> Measured:
    """Youden's J of perturb_and_watch on ring and twin in dense tissue; an abstention counts as none."""
    return separation(table, "perturb_and_watch", instrument_label=label(DENSE))


def regime_along_the_dial(table: pd.DataFrame, *, method: str) -> Measured:
    """How often a method names the regime of rings far from where a bump begins to sustain itself."""
    rows = chosen(table, method=method, circuit_label=FAR, trials=80)
    return rate(rows[rows["status"] != "error"], "recovered")


KNOWN_TO_FAIL = {
    "dimension_and_homology": " This one is expected to fail: independent tuned neurons, one control in three, form a "
    "low-dimensional ring as well (J of .67 in this lab's earlier runs)."
}
SAYS_NO = tuple(
    Claim(
        f"{method.name}_says_no_to_controls",
        f"{method.name} says attractor of the ring and not of independent Poisson units, of independent tuned ones or "
        "of neurons tuned to the cue alone: Youden's J is at least 0.8. A method that fails this is broken."
        + KNOWN_TO_FAIL.get(method.name, ""),
        "a requirement: what has no recurrence, no memory or no common fluctuation is no attractor",
        partial(says_no, method=method.name),
        (WORKS, 1.0),
        answers=True,
    )
    for method in VERDICTS
)
BROKEN = Claim(
    "a_shape_alone_is_broken",
    "By that rule the argument from low dimension and a ring is broken: its Youden's J on negative controls is below "
    "0.8.",
    "analytic: the states of independent tuned neurons are those of the ring; J .67 in this lab's earlier runs",
    partial(says_no, method="dimension_and_homology"),
    (-1.0, WORKS),
    answers=True,
)
DENSITY = (
    Claim(
        "density_hides_units",
        "Of the units that 96 sites find where only the simulated neurons are, less than a third are found in tissue "
        "of real density: noise of thousands of neurons hides the rest, and the few clusters of a site go to others.",
        "simlab's own measurement (15 to 20% in three implants, counted before); Henze et al. 2000 for the fall of "
        "spikes with distance (from memory)",
        units_left,
        (0.0, 1 / 3),
    ),
    Claim(
        "density_costs_a_shape",
        "Low dimension and a ring are found at least 0.2 less often in dense tissue than in sparse: few units, and "
        "spikes of strangers among theirs.",
        "Kang, Xu & Morozov 2021, Front Comput Neurosci 15:616748: a ring takes a number of cells",
        shape_lost,
        (0.2, 1.0),
        answers=True,
    ),
    Claim(
        "a_push_survives_density",
        "Pushing the bump tells ring from twin in dense tissue too: recovery exceeds false recovery by 0.5 or more.",
        "simlab: it takes a decoded angle, not a cloud of states",
        push_in_dense_tissue,
        (0.5, 1.0),
    ),
)
CLAIMS = (
    *SAYS_NO,
    BROKEN,
    *DENSITY,
    Claim(
        "gates_say_none_of_these",
        "A choice of mechanism behind gates of fit says 'none of these' of independent, independently tuned and "
        "cue-driven neurons, none of which is on the list, in at least 0.8 of recordings.",
        "a requirement: goodness of fit before model choice",
        open_set,
        (0.8, 1.0),
    ),
    Claim(
        "without_a_gate_the_nearest_name_is_given",
        "A verdict from drift in the dark, which has two answers, names one of them of tuned or cue-driven independent "
        "neurons in at least 0.8 of recordings.",
        "by its construction: it asks whether, not how well",
        nearest_name,
        (0.8, 1.0),
    ),
    Claim(
        "a_push_reads_the_dial_of_recurrence",
        "Pushes name the regime, fixed point or ring attractor, of rings far from where a bump begins to sustain "
        "itself, in at least 0.8 of them.",
        "analytic: the Jacobian's eigenvalues change sign at a tuned share of .76",
        partial(regime_along_the_dial, method="perturb_and_classify"),
        (0.8, 1.0),
    ),
)
