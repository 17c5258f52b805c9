"""Could a neuroscientist understand a microprocessor? The field's toolkit on a machine whose every gate is known."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from circuits.causal import machines
from circuits.causal.lesions import Lesions
from circuits.causal.lookup_machine import LookupMachine
from circuits.causal.microprocessor import Microprocessor
from circuits.causal.task_areas import TaskAreas
from experiments import _processor_signals
from methods.assemblies.connectome_communities import ConnectomeCommunities
from methods.assemblies.correlation_communities import CorrelationCommunities
from methods.assemblies.ica_assemblies import IcaAssemblies
from methods.assemblies.nmf_components import NmfComponents
from methods.assemblies.spike_words import SpikeWords
from methods.intervention.lesion_localisation import LesionLocalisation
from methods.roles.activation_map import ActivationMap
from methods.roles.tuning_localisation import TuningLocalisation
from methods.wiring.connectome_reading import ConnectomeReading
from methods.wiring.cross_correlogram import CrossCorrelogram
from methods.wiring.granger_causality import GrangerCausality
from methods.wiring.spike_count_correlation import SpikeCountCorrelation
from simlab.claims import Claim, Measured, mean, oracle_recovers, paired_difference, rate
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.bold import Bold
from simlab.instruments.recording.connectome import Connectome
from simlab.instruments.recording.field_potential import FieldPotential
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.subsample import Subsample
from simlab.instruments.stimulating.ideal import Ideal
from simlab.statistics.intervals import wilson

if TYPE_CHECKING:
    import pandas as pd

PROCESSOR, LOOKUP = Microprocessor(), LookupMachine()
SIZES = (PROCESSOR, Microprocessor(word_width=3), Microprocessor(word_width=5, memory_words=12))
"""Machines on which single lesions are counted."""

LESION = LesionLocalisation(trials_each=6, duration=1.2)
WIDER = LesionLocalisation(trials_each=6, duration=1.2, more_behaviours=9)
SHORT, LONG = Plan(280, 1.2), Plan(1090, 1.2)
"""Six trials of each of 14 modules and of controls, in three behaviours or in twelve: with four, a loss of .8 is not
significant among so many comparisons."""

FUNCTIONS = Grid(
    circuits=(PROCESSOR, LOOKUP),
    plans=(SHORT,),
    instruments=(Perfect(),),
    methods=(LESION,),
    stimulators=(Ideal(),),
    baselines=False,
)
MORE_FUNCTIONS = Grid(
    circuits=(PROCESSOR,),
    plans=(LONG,),
    instruments=(Perfect(),),
    methods=(WIDER,),
    stimulators=(Ideal(),),
    baselines=False,
)
TUNING = Grid(
    circuits=(PROCESSOR, LOOKUP), plans=(Plan(60, 1.2),), instruments=(Perfect(),), methods=(TuningLocalisation(),)
)
MODULES = Grid(
    circuits=(PROCESSOR, LOOKUP),
    plans=(Plan(60, 1.2),),
    instruments=(Perfect(),),
    methods=(
        CorrelationCommunities(width=5e-3),
        IcaAssemblies(width=5e-3),
        NmfComponents(width=5e-3),
        SpikeWords(width=5e-3),
    ),
)
FIELDS = Grid(
    circuits=(PROCESSOR, LOOKUP), plans=(Plan(60, 1.2),), instruments=(FieldPotential(),), methods=(ActivationMap(),)
)
IMAGING = Grid(
    circuits=(PROCESSOR, LOOKUP),
    plans=(Plan(60, 6.0),),
    instruments=(Bold(repetition_time=2.0),),
    methods=(ActivationMap(),),
)
"""Six minutes in the scanner; a volume every other second is usual."""
WATCHED = TaskAreas(watched=3, capable=3, idle=0)  # every busy area serves
BUSY_WHERE_NEEDED = Grid(
    circuits=(WATCHED,),
    plans=(Plan(60, 6.0),),
    instruments=(FieldPotential(), Bold(repetition_time=2.0, reference=40.0)),
    methods=(ActivationMap(),),
)
"""Areas that are on in the behaviours that need them, at 40 Hz, and nothing that nobody watched."""
CONNECTOMICS = Grid(
    circuits=(PROCESSOR, LOOKUP),
    plans=(Plan(1, 1.2),),
    instruments=(Connectome(),),
    methods=(ConnectomeCommunities(), ConnectomeReading(min_contacts=1)),
)
WIRES = Grid(
    circuits=(PROCESSOR,),
    plans=(Plan(60, 1.2),),
    instruments=(Subsample(n_units=60),),
    methods=(SpikeCountCorrelation(), CrossCorrelogram(), GrangerCausality()),
)


@lru_cache(maxsize=8)
def screened(circuit: Microprocessor) -> Lesions:
    """Every unit of a machine silenced by itself under the three behaviours."""
    return machines.lesions(circuit)


def _pooled(mark: str) -> Measured:
    """The share of all single lesions of the machines of three sizes that are of a class, with Wilson's interval."""
    counts = [screened(circuit).classes() for circuit in SIZES]
    hits, n = sum(c[mark] for c in counts), sum(sum(c.values()) for c in counts)
    low, high = wilson(hits, n)
    shares = ", ".join(f"{c[mark]}/{sum(c.values())}" for c in counts)
    return Measured(hits / n, low, high, n, shares)


def lesions_without_effect(table: pd.DataFrame) -> Measured:
    """The share of single lesions that no behaviour suffers from."""
    return _pooled("no effect")


def lesions_that_end_all(table: pd.DataFrame) -> Measured:
    """The share of single lesions that end all three behaviours."""
    return _pooled("abolish all")


def specific_looking_are_generic(table: pd.DataFrame) -> Measured:
    """Of the units whose loss ends one or two of the three behaviours, those that other programs need too."""
    hits = n = 0
    for circuit in SIZES:
        ended = screened(circuit).abolished.sum(axis=1)
        some = np.flatnonzero((ended > 0) & (ended < 3))
        others = circuit.programs[3:]
        needed = machines.lesions(circuit, others, pairs=2).needed[some].any(axis=1)
        hits, n = hits + int(needed.sum()), n + len(some)
    low, high = wilson(hits, n)
    return Measured(hits / n, low, high, n)


def lesions_call_generic_specific(table: pd.DataFrame) -> Measured:
    """Of the units of generic modules, those that the lesion of their module calls specific to a behaviour."""
    return mean(table, "generic_called_specific", circuit="microprocessor", method_label=label(LESION))


def lesions_are_right_where_areas_are_specific(table: pd.DataFrame) -> Measured:
    """Accuracy over areas of the same method on the lookup machine."""
    return mean(table, "region_accuracy", circuit="lookup_machine", method_label=label(LESION))


def more_behaviours_help(table: pd.DataFrame) -> Measured:
    """How much accuracy over areas grows when nine more behaviours are watched, on the processor."""
    wide, narrow = ({"method_label": label(m), "trials": p.trials} for m, p in ((WIDER, LONG), (LESION, SHORT)))
    return paired_difference(table, "region_accuracy", wide, narrow, circuit="microprocessor")


def tuning_finds_functions(table: pd.DataFrame) -> Measured:
    """How often tuning gives nine tenths of the processor's areas, every function counting alike, their right one."""
    return rate(table, "recovered", circuit="microprocessor", method="tuning_localisation")


def modules_from(method: str, circuit: str) -> object:
    """A measure: the adjusted Rand index of a method's groups with the modules."""

    def measure(table: pd.DataFrame) -> Measured:
        return mean(table, "adjusted_rand", circuit=circuit, method=method)

    return measure


def maps_call_generic_specific(table: pd.DataFrame) -> Measured:
    """Of the generic modules, those that the power of their field potential gives to one behaviour."""
    asked = {"circuit": "microprocessor", "instrument": "field_potential", "method": "activation_map"}
    return mean(table, "generic_called_specific", **asked)


def maps_find_functions(table: pd.DataFrame) -> Measured:
    """How often a map names nine tenths of the modules rightly, every function counting alike, whatever it maps."""
    return rate(table, "recovered", circuit="microprocessor", method="activation_map")


def maps_are_right_where_needed_areas_are_busy(table: pd.DataFrame) -> Measured:
    """Accuracy over areas of the same maps where an area is on in the behaviours that need it and in no other."""
    return mean(table, "region_accuracy", circuit="task_areas", method="activation_map")


def words_are_synchronous(table: pd.DataFrame) -> Measured:
    """How many times too often words of 64 units with many spikes come, over processors and sets of units."""
    return _processor_signals.synchronous_words(PROCESSOR)


def regions_have_rhythms(table: pd.DataFrame) -> Measured:
    """The share of the modules whose field potential has a line in its spectrum."""
    return _processor_signals.rhythmic_regions(PROCESSOR)


def granger_edges(table: pd.DataFrame) -> Measured:
    """The share of the wires that Granger causality decides among 60 of the units that are none."""
    return mean(table, "false_share", method="granger_causality", question="connectivity")


def told_edges(table: pd.DataFrame) -> pd.DataFrame:
    """All but who is connected to whom by a connectome."""
    return table[~((table["question"] == "connectivity") & (table["instrument"] == "connectome"))]


JONAS = "Jonas & Kording 2017, PLoS Comput Biol 13:e1005268"
CLAIMS = (
    Claim(
        "half_of_the_lesions_do_nothing",
        "Of all single units, a third to six tenths can be silenced without any loss to any of the three behaviours.",
        f"{JONAS}: 1565 of 3510 transistors (.45); band +-.15",
        lesions_without_effect, (0.30, 0.60),
    ),
    Claim(
        "nearly_half_end_all",
        "Three to six tenths of the single units end all three behaviours when silenced.",
        f"{JONAS}: 1560 of 3510 (.44); band +-.15",
        lesions_that_end_all, (0.29, 0.59),
    ),
    Claim(
        "what_looks_specific_is_generic",
        "Of the units whose loss ends some behaviours and not others, most are needed by other programs too: they are "
        "not the units 'of' that behaviour.",
        f"{JONAS}, who argue it from what is known of the chip; here measured on 32 random programs",
        specific_looking_are_generic, (0.8, 1.0),
    ),
    Claim(
        "lesions_name_modules_wrongly",
        "Silencing whole modules under three behaviours calls a tenth of the generic ones' units specific.",
        JONAS,
        lesions_call_generic_specific, (0.1, 1.0),
    ),
    Claim(
        "lesions_are_right_where_areas_are_specific",
        "The same lesions name the areas of the lookup machine rightly, whose behaviours share nothing but ports.",
        "positive control, by construction of the lookup machine",
        lesions_are_right_where_areas_are_specific, (0.9, 1.0),
    ),
    Claim(
        "more_behaviours_help",
        "Watching nine more behaviours makes the same lesions name more areas rightly.",
        "simlab: what the truth of `generic` means",
        more_behaviours_help, (0.02, 1.0),
    ),
    Claim(
        "tuning_does_not_find_functions",
        "Selective activity gives the modules of the processor wrong functions.",
        f"{JONAS}: tuning curves of transistors look meaningful and are not",
        tuning_finds_functions, (0.0, 0.2),
    ),
    Claim(
        "correlations_do_not_find_modules",
        "Groups of correlated units are not the modules.",
        f"{JONAS}: dimensionality reduction and correlations find the clock, not the architecture",
        modules_from("correlation_communities", "microprocessor"), (-0.1, 0.5),  # type: ignore[arg-type]
    ),
    Claim(
        "components_do_not_find_modules",
        "Nor are independent components.",
        JONAS,
        modules_from("ica_assemblies", "microprocessor"), (-0.1, 0.5),  # type: ignore[arg-type]
    ),
    Claim(
        "non_negative_components_do_not_find_modules",
        "Nor are the six components of a non-negative factorisation.",
        f"{JONAS}: six components of the whole processor's activity follow clock and read-write signal",
        modules_from("nmf_components", "microprocessor"), (-0.1, 0.5),  # type: ignore[arg-type]
    ),
    Claim(
        "words_are_synchronous",
        "Words of 64 units with so many spikes that independent units show them in a thousandth of all bins come at "
        "least ten times as often.",
        f"{JONAS}, fig. 6: words with many synchronous transistors are considerably likelier than independence has it",
        words_are_synchronous, (10.0, 1e6),
    ),
    Claim(
        "spike_words_do_not_find_modules",
        "Units that meet in words beyond chance are not the modules.",
        f"{JONAS}: correlations and words show structure as in brains, and do not tell what the processor does",
        modules_from("spike_words", "microprocessor"), (-0.1, 0.5),  # type: ignore[arg-type]
    ),
    Claim(
        "regions_have_rhythms",
        "Nearly every module's field potential has a rhythm, the useless status register's among them.",
        f"{JONAS}, fig. 8: varying region-specific oscillations",
        regions_have_rhythms, (0.8, 1.0),
    ),
    Claim(
        "field_potentials_call_generic_modules_specific",
        "The power of field potentials gives a tenth of the generic modules to a single behaviour.",
        f"{JONAS}, who hold that regional rhythms say little of what a region computes; band as for lesions",
        maps_call_generic_specific, (0.1, 1.0),
    ),
    Claim(
        "maps_do_not_find_functions",
        "Contrasts between behaviours, of field potentials or of blood, give modules wrong functions.",
        f"{JONAS}: coarse signals show structure, not what modules are for",
        maps_find_functions, (0.0, 0.2),
    ),
    Claim(
        "maps_are_right_where_needed_areas_are_busy",
        "The same maps name areas rightly where those that a behaviour needs are those that are on in it.",
        "positive control, by construction of task_areas with every behaviour watched",
        maps_are_right_where_needed_areas_are_busy, (0.8, 1.0),
    ),
    Claim(
        "a_connectome_finds_modules_in_part",
        "Modules of the wiring diagram agree with the machine's modules better than chance and far from exactly.",
        f"{JONAS}: connectomics recovers types of transistors and some structure, not function",
        modules_from("connectome_communities", "microprocessor"), (0.1, 0.9),  # type: ignore[arg-type]
    ),
    Claim(
        "granger_draws_wires_that_are_none",
        "Most of the wires that Granger causality decides among 60 of the units are none.",
        f"{JONAS}: Granger causality between regions reflects shared timing",
        granger_edges, (0.5, 1.0),
    ),
    oracle_recovers(among=told_edges),
)  # fmt: skip

MICROPROCESSOR = Experiment(
    name="microprocessor",
    asks=(
        "A processor of some 480 threshold gates runs three programs. Lesions, tuning, correlations, spike "
        "words, dimension reduction, field potentials, imaging, Granger causality and a complete wiring diagram are "
        "tried on it: which of them find its modules, "
        "its wires, and what each module is for? The same is asked of a machine that shows the same behaviours and "
        "looks all of them up."
    ),
    grids=(FUNCTIONS, MORE_FUNCTIONS, TUNING, MODULES, FIELDS, IMAGING, BUSY_WHERE_NEEDED, CONNECTOMICS, WIRES),
    claims=CLAIMS,
    subjects=20,
    time_limit=300.0,
)
