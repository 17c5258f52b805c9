"""Of `attractor_or_not`: circuits that are no attractors, a dial that makes one, and memories that look like one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from circuits.attractors.cue_ring import CueRing
from circuits.attractors.feedforward_ring import FeedforwardRing
from circuits.attractors.independent_tuned import IndependentTuned
from circuits.attractors.ring_attractor import RingAttractor
from circuits.memory.discrete_attractors import DiscreteAttractors
from circuits.memory.external_memory import ExternalMemory
from circuits.memory.goldman_chain import GoldmanChain
from circuits.memory.line_attractor import LineAttractor
from circuits.memory.slow_cells import SlowCells
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
from simlab.claims import Answer, Claim, Measured, chosen, difference, rate
from simlab.experiment import Grid, Plan
from simlab.fingerprint import label
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
SHARES = (0.0, 0.4, 0.7, 0.8, 1.0)
FAR = ("ring_attractor(tuned_share=0)", "ring_attractor(tuned_share=0.4)", "ring_attractor")
"""Settings of the dial that are far from where a bump begins to sustain itself, .76 by the Jacobian."""

NOT_ATTRACTORS = Grid(
    circuits=(RingAttractor(), IndependentPoisson()),
    rivals=(FeedforwardRing(common_background=0.0), CueRing(), IndependentTuned()),
    plans=(Plan(41, 2.0),),  # one trial more than elsewhere: cells of its own, in which nothing else is compared
    instruments=FORTY,
    methods=VERDICTS,
)
DIAL = Grid(
    circuits=tuple(RingAttractor(tuned_share=share) for share in SHARES),
    rivals=(IndependentTuned(), CueRing()),
    plans=(Plan(80, 2.0),),
    instruments=FORTY,
    methods=DYNAMICS,
    stimulators=(Ideal(),),
)
LINES = Grid(
    circuits=(LineAttractor(),),
    rivals=(GoldmanChain(), SlowCells(), ExternalMemory(), DiscreteAttractors()),
    plans=(Plan(80, 2.0),),
    instruments=FORTY,
    methods=(*DYNAMICS, OffsetReset(), GatedMechanism()),
    stimulators=(Ideal(),),
)
GRIDS = (NOT_ATTRACTORS, DIAL, LINES)
CONTROLS = ("independent_poisson", "cue_ring", "independent_tuned")


def named(table: pd.DataFrame, answer: Answer, label: str, **conditions: Any) -> Measured:
    """How often a label is given in the chosen cells; an abstention gives none."""
    rows = chosen(table, **conditions)
    rows = rows[rows["status"].isin(("ok", "abstained"))]
    given = [kept is not None and kept[0]["label"] == label for kept in map(answer, rows["cell"])]
    return rate(rows.assign(named=[float(each) for each in given], status="ok"), "named")


def says_no(table: pd.DataFrame, answer: Answer, *, method: str) -> Measured:
    """How much more often a method says `ring attractor` of the ring than of the three negative controls."""
    where = {"method": method, "trials": 41}
    ring = named(table, answer, "ring attractor", circuit="ring_attractor", **where)
    return difference(ring, named(table, answer, "ring attractor", circuit=CONTROLS, **where))


def told_apart(table: pd.DataFrame, answer: Answer, *, method: str, rival: str) -> Measured:
    """How much more often a method says `line attractor` of the line than of what only looks like one."""
    seen = {"method": method, "instrument_label": label(FORTY[0])}  # other shares: `partial_observation`
    line, other = (named(table, answer, "line attractor", circuit=name, **seen) for name in ("line_attractor", rival))
    return difference(line, other)


def open_set(table: pd.DataFrame) -> Measured:
    """How often the gated choice says `none of these` of what is not on the list."""
    return rate(table, "correct", method="gated_mechanism", circuit=CONTROLS, trials=41)


def nearest_name(table: pd.DataFrame) -> Measured:
    """How often drift in the dark, which asks how well nothing fits, names a mechanism that is not there."""
    rows = chosen(table, method="decoded_drift", circuit=CONTROLS[1:], trials=41)
    return rate(rows, "false_recovery")


def regime_along_the_dial(table: pd.DataFrame, *, method: str) -> Measured:
    """How often a method names the regime of rings far from where a bump begins to sustain itself."""
    rows = chosen(table, method=method, circuit_label=FAR, trials=80)
    return rate(rows[rows["status"] != "error"], "recovered")


SAYS_NO = tuple(
    Claim(
        f"{method.name}_says_no_to_controls",
        f"{method.name} says attractor of the ring and not of independent Poisson units, of independent tuned ones or "
        "of neurons tuned to the cue alone: by a margin of at least 0.8. A method that fails this is broken.",
        "a requirement: what has no recurrence, no memory or no common fluctuation is no attractor",
        partial(says_no, method=method.name),
        (0.8, 1.0),
        answers=True,
    )
    for method in VERDICTS
)
PASSIVELY_ALIKE = tuple(
    Claim(
        f"watching_takes_{rival}_for_a_line",
        f"A state model fitted to passive recordings says line attractor of {what} as often as of a line attractor.",
        source,
        partial(told_apart, method="fitted_dynamics", rival=rival),
        (-1.0, 0.2),
        answers=True,
    )
    for rival, what, source in (
        ("goldman_chain", "a hidden feedforward chain", "Goldman 2009, Neuron 61:621 (from memory)"),
        ("slow_cells", "unconnected slow cells", "Egorov et al. 2002, Nature 420:173, for the cells; analytic"),
        ("external_memory", "neurons that repeat a line attractor", "theorem: both have one distribution"),
    )
)
PUSHED_APART = tuple(
    Claim(
        f"a_push_tells_{rival}_from_a_line",
        f"Pushing groups of units tells {what} from a line attractor: by a margin of at least 0.8.",
        "Goldman 2009, Neuron 61:621 (from memory); Seung 1996, PNAS 93:13339",
        partial(told_apart, method="perturb_and_classify", rival=rival),
        (0.8, 1.0),
        answers=True,
    )
    for rival, what in (
        ("goldman_chain", "a hidden feedforward chain"),
        ("slow_cells", "unconnected slow cells"),
        ("external_memory", "neurons that repeat a line attractor"),
    )
)
CLAIMS = (
    *SAYS_NO,
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
    *PASSIVELY_ALIKE,
    *PUSHED_APART,
    Claim(
        "a_push_reads_the_dial_of_recurrence",
        "Pushes name the regime, fixed point or ring attractor, of rings far from where a bump begins to sustain "
        "itself, in at least 0.8 of them.",
        "analytic: the Jacobian's eigenvalues change sign at a tuned share of .76",
        partial(regime_along_the_dial, method="perturb_and_classify"),
        (0.8, 1.0),
    ),
)
