"""Is there a rhythm? Gamma of a network, a rhythm from elsewhere, limit cycles, 1/f drive and smooth noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuits.rhythms.aperiodic_drive import AperiodicDrive
from circuits.rhythms.driven_rhythm import DrivenRhythm
from circuits.rhythms.independent_fluctuations import IndependentFluctuations
from circuits.rhythms.limit_cycle import LimitCycle
from circuits.rhythms.motor_cpg import MotorCPG
from circuits.rhythms.oscillating_ei import OscillatingEI
from methods.rhythms.autocorrelogram_peak import AutocorrelogramPeak
from methods.rhythms.bycycle_bursts import BycycleBursts
from methods.rhythms.phantom_oscillation import PhantomOscillation
from methods.rhythms.specparam_peak import SpecparamPeak
from methods.rhythms.spectral_peak import SpectralPeak
from methods.rhythms.spike_field_ppc import SpikeFieldPPC
from simlab.claims import Claim, Measured, chosen, oracle_recovers, rate
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.subsample import Subsample

if TYPE_CHECKING:
    import pandas as pd

NAIVE, SPECTRUM = SpectralPeak(background="flat"), SpectralPeak()
FIXED, KNEE = SpecparamPeak(), SpecparamPeak(aperiodic_mode="knee")
LONG = Plan(60, 1.0)

GAMMA = Grid(
    circuits=(OscillatingEI(),),
    rivals=(AperiodicDrive(), DrivenRhythm()),
    plans=(Plan(10, 1.0), LONG),
    instruments=(Subsample(n_units=40),),
    methods=(NAIVE, SPECTRUM, FIXED, KNEE, AutocorrelogramPeak(), BycycleBursts()),
)
LOCKING = Grid(  # its filters cost a second for every fifteen units: one plan is enough
    circuits=(OscillatingEI(),),
    rivals=(AperiodicDrive(), DrivenRhythm()),
    plans=(LONG,),
    instruments=(Subsample(n_units=40),),
    methods=(SpikeFieldPPC(),),
    baselines=False,
)
CYCLES = Grid(
    circuits=(LimitCycle(), MotorCPG()),
    plans=(Plan(8, 10.0),),
    instruments=(Perfect(),),
    methods=(NAIVE, SPECTRUM, FIXED, KNEE, AutocorrelogramPeak(), BycycleBursts()),
)
PHANTOMS = Grid(
    circuits=(IndependentFluctuations(),),
    plans=(Plan(20, 1.0),),
    instruments=(Perfect(),),
    methods=(PhantomOscillation(check=False), PhantomOscillation(), SPECTRUM),
)


def _falsely(circuit: str, method: object, table: pd.DataFrame) -> Measured:
    rows = chosen(table, trials=LONG.trials)
    return rate(rows, "false_recovery", circuit=circuit, method_label=label(method))


def naive_in_aperiodic(table: pd.DataFrame) -> Measured:
    """How often the highest point of the raw spectrum is called a rhythm in 1/f drive."""
    return _falsely("aperiodic_drive", NAIVE, table)


def spectrum_in_aperiodic(table: pd.DataFrame) -> Measured:
    """The same of a peak above a fitted 1/f background."""
    return _falsely("aperiodic_drive", SPECTRUM, table)


def locking_in_aperiodic(table: pd.DataFrame) -> Measured:
    """The same of phase consistency that peaks."""
    return _falsely("aperiodic_drive", SpikeFieldPPC(), table)


def gamma_found(table: pd.DataFrame) -> Measured:
    """How often the spectrum's peak above a background gives gamma and its frequency, from a minute of 40 units."""
    return rate(table, "recovered", circuit="oscillating_ei", method_label=label(SPECTRUM), trials=LONG.trials)


def driven_found(table: pd.DataFrame) -> Measured:
    """How often it does where the rhythm is made elsewhere."""
    return rate(table, "recovered", circuit="driven_rhythm", method_label=label(SPECTRUM), trials=LONG.trials)


def phantoms_avoided(table: pd.DataFrame) -> Measured:
    """How often a reader of sinusoidal principal components says 'no rhythm' of independent smooth noise."""
    return rate(
        table, "recovered", circuit="independent_fluctuations", method_label=label(PhantomOscillation(check=False))
    )


def phantoms_seen_through(table: pd.DataFrame) -> Measured:
    """The same, once half-cosines are recognised."""
    return rate(table, "recovered", circuit="independent_fluctuations", method_label=label(PhantomOscillation()))


DONOGHUE = "Donoghue et al. 2020, Nat Neurosci 23:1655"
SHINN = "Shinn 2023, PNAS 120, Phantom oscillations in principal component analysis; SCIENCE.md item 7"

CLAIMS = (
    Claim(
        "raw_peaks_are_false_alarms",
        "Whoever calls the highest point of a raw spectrum a rhythm claims one in most recordings of 1/f drive.",
        DONOGHUE,
        naive_in_aperiodic,
        (0.8, 1.0),
    ),
    Claim(
        "a_background_prevents_them",
        "A peak that must stand above a fitted 1/f background and a floor is claimed there in at most one of ten.",
        DONOGHUE,
        spectrum_in_aperiodic,
        (0.0, 0.1),
    ),
    Claim(
        "locking_to_slow_waves_is_no_rhythm",
        "Pairwise phase consistency that must peak over frequencies is claimed in 1/f drive in at most one of ten.",
        "Vinck et al. 2010, NeuroImage 51:112, for the measure; the peak is simlab's own criterion",
        locking_in_aperiodic,
        (0.0, 0.1),
    ),
    Claim(
        "gamma_is_found",
        "A minute of 40 units gives gamma of the network, its frequency within a tenth, in at least eight of ten.",
        "Brunel & Wang 2003, J Neurophysiol 90:415: the population has a rhythm where single cells are irregular",
        gamma_found,
        (0.8, 1.0),
    ),
    Claim(
        "a_rhythm_is_no_evidence_of_its_maker",
        "The same analysis finds the same rhythm as often where it is imposed from elsewhere on unconnected neurons.",
        "Buzsaki & Schomburg 2015, Nat Neurosci 18:484",
        driven_found,
        (0.8, 1.0),
    ),
    Claim(
        "smoothness_makes_phantoms",
        "Who reads oscillations off principal components gets at most one in five populations of independent smooth "
        "noise right.",
        SHINN,
        phantoms_avoided,
        (0.0, 0.2),
    ),
    Claim(
        "half_cosines_give_phantoms_away",
        "Who compares components with half-cosines gets at least nine of ten right.",
        SHINN,
        phantoms_seen_through,
        (0.9, 1.0),
    ),
    oracle_recovers("circuit", "rival"),
)

RHYTHM_OR_NOT = Experiment(
    name="rhythm_or_not",
    asks=(
        "Gamma made by excitation and inhibition, a rhythm that is imposed from elsewhere, limit cycles of rate "
        "networks, drive with a 1/f spectrum, and independent smooth noise. Which analyses find the rhythms and their "
        "frequencies, and which see one where there is none?"
    ),
    grids=(GAMMA, LOCKING, CYCLES, PHANTOMS),
    claims=CLAIMS,
    subjects=20,
    time_limit=120.0,
)
