"""How many ripples were there? Defensible detectors over the same recordings, with ripples and without."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from circuits.events.population_bursts import PopulationBursts
from circuits.events.ripples import Ripples
from circuits.events.volleys import Volleys
from methods.events.high_synchrony_events import HighSynchronyEvents
from methods.events.karlsson_ripples import KarlssonRipples
from methods.events.kay_ripples import KayRipples
from methods.events.ripple_oscillation import RippleOscillation
from methods.events.roumis_ripples import RoumisRipples
from simlab.claims import Claim, Measured, chosen, mean, oracle_recovers, paired_ratio, rate
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.field_potential import FieldPotential
from simlab.instruments.recording.subsample import Subsample

if TYPE_CHECKING:
    import pandas as pd

PROBE = FieldPotential(sampling_rate=1500.0)
NOISY = FieldPotential(sampling_rate=1500.0, noise=15e-6)
RARE = Ripples(volleys=Volleys(rate=0.05))
REST = Plan(4, 60.0)

THRESHOLDS = (
    KayRipples(), KayRipples(threshold=3.0), KayRipples(threshold=5.0),
    KarlssonRipples(), KarlssonRipples(threshold=5.0),
    RoumisRipples(), RoumisRipples(threshold=3.0),
)  # fmt: skip
"""Detectors on power in the ripple band, each with thresholds that papers used (2 to 5 standard deviations)."""

SHAPES = (RippleOscillation(),)

FIELDS = Grid(
    circuits=(Ripples(), RARE),
    rivals=(PopulationBursts(),),
    plans=(REST,),
    instruments=(PROBE, NOISY),
    methods=(*THRESHOLDS, *SHAPES),
)
SPIKES = Grid(
    circuits=(Ripples(), RARE),
    rivals=(PopulationBursts(),),
    plans=(REST,),
    instruments=(Subsample(n_units=20), Subsample(n_units=80)),
    methods=(HighSynchronyEvents(), HighSynchronyEvents(threshold=3.0)),
)

ORDINARY, SELDOM, BURSTS = label(Ripples()), label(RARE), label(PopulationBursts())
QUIET = label(PROBE)


def thresholds_disagree(table: pd.DataFrame) -> Measured:
    """Ripples per minute that the lowest threshold states over those of the highest, in the same recordings."""
    sides = ({"method_label": label(KayRipples())}, {"method_label": label(KayRipples(threshold=5.0))})
    return paired_ratio(table, "rate", *sides, circuit_label=SELDOM, instrument_label=QUIET, role="circuit")


def found(table: pd.DataFrame, method: object, circuit: str) -> Measured:
    """Mean F1 of the events of a circuit, through the quiet probe."""
    return mean(table, "f1", method_label=label(method), circuit_label=circuit, instrument_label=QUIET, role="circuit")


def fooled(table: pd.DataFrame, method: object, instrument: str = QUIET) -> Measured:
    """How often more than one ripple a minute is claimed of bursts that are none."""
    shown = chosen(table, circuit_label=BURSTS, instrument_label=instrument)
    return rate(shown, "false_recovery", method_label=label(method))


def overcounted(table: pd.DataFrame) -> Measured:
    """Stated over true rate of the default threshold where ripples are rare."""
    return mean(table, "rate_ratio", method_label=label(KayRipples()), circuit_label=SELDOM, instrument_label=QUIET)


TRANSMITTER = (
    "The Transmitter, June 2026: eighteen teams on the same recordings; densities from near none to 10 per minute"
)
CONSENSUS = "Liu et al. 2022, Nat Commun 13:6000: without controls, other fast events are taken for ripples"

CLAIMS = (
    Claim(
        "thresholds_that_papers_used_disagree",
        "Of the same recordings with few ripples, a threshold of 2 standard deviations states at least twice as many "
        "as one of 5.",
        TRANSMITTER,
        thresholds_disagree,
        (2.0, 1e6),
    ),
    Claim(
        "power_finds_ordinary_ripples",
        "Where ripples come at the rate of quiet rest, the published threshold finds them: F1 of .8 at least.",
        "Kay et al. 2016, Nature 531:185, for the detector; that it is good is what every user assumes",
        partial(found, method=KayRipples(), circuit=ORDINARY),
        (0.8, 1.0),
    ),
    Claim(
        "a_relative_threshold_overcounts_where_ripples_are_rare",
        "Where ripples are an eighth as frequent, the same threshold states half as many again as there are, at least: "
        "it is relative to power that has fewer ripples in it.",
        TRANSMITTER,
        overcounted,
        (1.5, 1e6),
    ),
    Claim(
        "power_takes_bursts_for_ripples",
        "Volleys without a rhythm pass for ripples by their power in the band: more than one per minute in most "
        "recordings.",
        CONSENSUS,
        partial(fooled, method=KayRipples()),
        (0.8, 1.0),
    ),
    Claim(
        "a_spectral_peak_does_not",
        "A detector that asks for more power in the band than beside it is rarely fooled by them.",
        CONSENSUS,
        partial(fooled, method=RippleOscillation()),
        (0.0, 0.2),
    ),
    Claim(
        "synchrony_cannot_tell",
        "Without a field potential, high-synchrony events are found in the bursts as in the ripples.",
        "by construction: the rival has the same volleys; Davidson, Kloosterman & Wilson 2009, Neuron 63:497, for the "
        "method",
        partial(fooled, method=HighSynchronyEvents(), instrument=label(Subsample(n_units=80))),
        (0.8, 1.0),
    ),
    oracle_recovers("circuit", "rival"),
)

HOW_MANY_RIPPLES = Experiment(
    name="how_many_ripples",
    asks=(
        "How far do defensible detectors of ripples spread over the same recordings, who is right, and which of them "
        "sees ripples where there are only bursts?"
    ),
    grids=(FIELDS, SPIKES),
    claims=CLAIMS,
    subjects=20,
    time_limit=120.0,
)
