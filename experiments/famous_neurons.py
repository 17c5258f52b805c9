"""A neuron for one actress: how often is a cell called so where no cell is, over pictures shown and cells screened?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from circuits.coding.concept_hierarchy import ConceptHierarchy
from circuits.coding.mixed_selectivity import MixedSelectivity
from circuits.coding.pictures import Firing, Screening
from circuits.coding.sparse_code import SparseCode
from methods.coding.concept_anova import ConceptAnova
from methods.coding.five_sigma_response import FiveSigmaResponse
from methods.coding.held_out_pictures import HeldOutPictures
from methods.coding.response_mixture import ResponseMixture
from methods.coding.roc_invariance import RocInvariance
from methods.coding.selectivity_index import SelectivityIndex
from methods.coding.top_pictures import TopPictures
from simlab.claims import Claim, Measured, chosen, difference, mean, oracle_recovers, rate
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.subsample import Subsample

if TYPE_CHECKING:
    import pandas as pd

SPARSENESS = 0.0054
"""Of neurons of the human medial temporal lobe (Waydo et al. 2006, J Neurosci 26:10232; *from memory*)."""

FIVE, ANY = FiveSigmaResponse(), FiveSigmaResponse(least_pictures=0.0)
ROC, HELD, MIXTURE = RocInvariance(), HeldOutPictures(), ResponseMixture()
TESTS = (
    FIVE, ROC, HELD, MIXTURE, SelectivityIndex(above_baseline=True), ConceptAnova(), ConceptAnova(over="pictures"),
    TopPictures(),
)  # fmt: skip

CLEAR = Firing(baseline=0.5, baseline_spread=0.5, gain=20.0)
"""Whatever a cell responds to is seen, so that what is found is what was shown, not what was missed."""


def six_times(shown: Screening) -> Plan:
    """Six presentations of each picture for a second, after a second without any."""
    return Plan(6 * shown.concepts * shown.pictures, 2.0)


def screened(shown: Screening) -> ConceptHierarchy:
    """A hundred concept cells, as many of which are of what is shown as cells of the published sparseness respond."""
    cells = ConceptHierarchy(feature_cells=0, part_cells=0, concept_cells=100, known=1000, shown=shown, firing=CLEAR)
    return replace(cells, familiar=SPARSENESS * shown.concepts)


def one_picture_each(n_concepts: int) -> ConceptHierarchy:
    """As in a session that looks for concepts: many, one picture of each."""
    return screened(Screening(concepts=n_concepts, pictures=1))


NUMBERS = (14, 47, 94, 185)
"""Of concepts; at the last, 1 / sparseness, most cells respond to exactly one."""
SCREENINGS = {n: one_picture_each(n) for n in NUMBERS}
TESTING = screened(Screening(concepts=14, pictures=6))
"""14 individuals in 6 pictures each: the sessions that tested what a screening had found."""
LAYERED = ConceptHierarchy(firing=CLEAR)
SPARSE, PICTURES = SparseCode(), SparseCode(over="pictures")


def worlds(circuit: ConceptHierarchy, *rivals: SparseCode, methods: tuple[Any, ...] = TESTS) -> Grid:
    """Concept cells, and codes as sparse as theirs without any."""
    return Grid(
        circuits=(circuit,),
        rivals=rivals,
        plans=(six_times(circuit.shown),),
        instruments=(Perfect(), Subsample(n_units=10)),
        methods=methods,
    )


GRIDS = (
    *(worlds(circuit, SPARSE, methods=(FIVE, MIXTURE)) for circuit in SCREENINGS.values()),
    worlds(TESTING, SPARSE, PICTURES, methods=(*TESTS, ANY)),
    worlds(LAYERED, SPARSE, PICTURES),
    Grid(circuits=(MixedSelectivity(firing=CLEAR),), plans=(Plan(192, 2.0),), instruments=(Perfect(),), methods=TESTS),
)


def figure(
    column: str, method: Any, circuit: ConceptHierarchy, rival: SparseCode | None = None
) -> Callable[[pd.DataFrame], Measured]:
    """A measure: the mean of a metric in perfect recordings of this circuit, or of its rival."""
    which = circuit if rival is None else rival.imitating(circuit)

    def measure(table: pd.DataFrame) -> Measured:
        at = {"method_label": label(method), "circuit_label": label(which), "instrument": "perfect"}
        return mean(table, column, trials=six_times(circuit.shown).trials, **at)

    return measure


def less(first: Callable[[pd.DataFrame], Measured], second: Callable[[pd.DataFrame], Measured]) -> Any:
    """A measure: one less another."""

    def measure(table: pd.DataFrame) -> Measured:
        return difference(first(table), second(table))

    return measure


def at_least_one(circuit: ConceptHierarchy, instrument: str) -> Callable[[pd.DataFrame], Measured]:
    """A measure: in how many sparse codes some cell passes the literature's criterion."""
    which = label(SPARSE.imitating(circuit))

    def measure(table: pd.DataFrame) -> Measured:
        rows = chosen(table, method_label=label(FIVE), circuit_label=which, instrument=instrument, status="ok")
        return rate(rows.assign(any_called=(rows["n_called"] > 0).astype(float)), "any_called")

    return measure


def false_of_mixture(table: pd.DataFrame) -> Measured:
    """How often the mixture calls more than five in a hundred cells of a sparse code, in whole screenings."""
    rows = [label(SPARSE.imitating(circuit)) for circuit in SCREENINGS.values()]
    kept = table[table["circuit_label"].isin(rows)] if "circuit_label" in table else table
    return rate(kept, "false_recovery", method_label=label(MIXTURE), instrument="perfect")


QUIROGA = "Quian Quiroga et al. 2005, Nature 435:1102"
WAYDO = "Waydo et al. 2006, J Neurosci 26:10232"
CLAIMS = (
    Claim(
        "one_in_three_looks_famous_where_none_is",
        "Of cells with the published sparseness, each of which responds to dozens of concepts, the literature's "
        "criterion calls about 31 in 100 cells of one concept when 94 are shown.",
        f"analytic: S a (1 - a)^(S - 1) = .307 for a = .0054 ({WAYDO}) and S = 94 ({QUIROGA})",
        figure("called", FIVE, SCREENINGS[94], SPARSE), (0.27, 0.34),
    ),
    Claim(
        "the_more_is_shown_the_more_are_called",
        "It is 7 in 100 when 14 concepts are shown: up to 1 / a concepts, showing more makes more of them.",
        "analytic: .307 - .070",
        less(figure("called", FIVE, SCREENINGS[94], SPARSE), figure("called", FIVE, SCREENINGS[14], SPARSE)),
        (0.18, 0.29),
    ),
    Claim(
        "beyond_it_ceases_to_matter",
        "At 185 concepts, 1 / a, there are hardly more than at 94.",
        "analytic: .369 - .307, where the curve is flat",
        less(figure("called", FIVE, SCREENINGS[185], SPARSE), figure("called", FIVE, SCREENINGS[94], SPARSE)),
        (0.0, 0.12),
    ),
    Claim(
        "a_cell_of_one_concept_is_one_of_fifty",
        "A cell that is called so responds to some 54 of the 10,000 concepts that are known.",
        f"analytic: 1 + (10,000 - 94) a; {WAYDO}: 50 to 150 of 10,000 to 30,000 *(from memory)*",
        figure("concepts_of_called", FIVE, SCREENINGS[94], SPARSE), (50.0, 60.0),
    ),
    Claim(
        "whoever_screens_enough_cells_finds_one",
        "A hundred cells and 14 concepts are enough to find at least one in nine of ten sparse codes.",
        "analytic: 1 - (1 - .070)^100 = .999",
        at_least_one(SCREENINGS[14], "perfect"), (0.9, 1.0),
    ),
    Claim(
        "ten_cells_are_half_enough",
        "Of ten cells and 14 concepts there is one in half of them.",
        "analytic: 1 - (1 - .070)^10 = .52",
        at_least_one(SCREENINGS[14], "subsample"), (0.3, 0.7),
    ),
    Claim(
        "concept_cells_are_called_so_too",
        "Where concept cells are, the criterion finds them: f1 of .9 or more.",
        f"{QUIROGA}; positive control",
        figure("f1", FIVE, SCREENINGS[94]), (0.9, 1.0),
    ),
    Claim(
        "who_counts_cells_of_two_concepts_can_tell",
        "If hundreds of concepts were behind each of them, some would respond to two: who counts those finds the "
        "concept cells among a hundred cells, with f1 of .9 or more.",
        f"{WAYDO}; simlab: of 50 cells with a response, 14 would have two",
        figure("f1", MIXTURE, SCREENINGS[94]), (0.9, 1.0),
    ),
    Claim(
        "and_keeps_to_the_level",
        "It claims cells of one concept in at most 15 of 100 sparse codes.",
        "by construction: a bootstrap of level .05",
        false_of_mixture, (0.0, 0.15),
    ),
    Claim(
        "with_few_concepts_it_cannot_tell",
        "With 14 concepts, it finds concept cells in few: recall of .5 at most.",
        "simlab: of 8 cells with a response, a sparse code has .3 with two",
        figure("recall", MIXTURE, SCREENINGS[14]), (0.0, 0.5),
    ),
    Claim(
        "a_picture_is_not_a_concept",
        "If a response to any picture suffices, cells that like single pictures are called cells of its concept, 3 in "
        "10.",
        "analytic: of 84 pictures with probability .0054 each, exactly one (.29), or several of one concept (.01)",
        figure("called", ANY, TESTING, PICTURES), (0.24, 0.36),
    ),
    Claim(
        "other_pictures_tell",
        "Held-out pictures of the same concepts weed them out: 5 in 100 at most.",
        "by construction: the other half of a concept's pictures must bear it out",
        figure("called", HELD, TESTING, PICTURES), (0.0, 0.05),
    ),
    Claim(
        "other_pictures_do_not_tell_a_sparse_code",
        "Of an invariant sparse code they weed out nothing: as many are called as by the literature's criterion.",
        "by construction: all pictures of a concept are alike to it",
        less(figure("called", HELD, TESTING, SPARSE), figure("called", FIVE, TESTING, SPARSE)), (-0.03, 0.03),
    ),
    Claim(
        "parts_pass_for_concepts",
        "Among concept cells and what they are made of, it errs too: of 100 that it calls, 70 to 95 are right.",
        "simlab: of 15 part cells 1.6 respond to one of twenty concepts, of 15 feature cells 1.3",
        figure("precision", FIVE, LAYERED), (0.7, 0.95),
    ),
    Claim(
        "a_large_area_does_not_exclude_a_second_concept",
        "Invariance by the area under an ROC curve alone calls more cells than the criterion that asks for one "
        "concept, by a tenth or more.",
        "simlab: a second concept among twenty hardly lowers the area",
        less(figure("called", ROC, LAYERED, SPARSE), figure("called", FIVE, LAYERED, SPARSE)), (0.1, 1.0),
    ),
    oracle_recovers("circuit"),
)  # fmt: skip

FAMOUS_NEURONS = Experiment(
    name="famous_neurons",
    asks=(
        "Some neurons of the human temporal lobe fire for one actress and for nobody else who was shown. How often "
        "does a cell look so that responds to dozens of concepts, few of which there was time to show; over concepts "
        "shown, cells screened, and seven tests?"
    ),
    grids=GRIDS,
    claims=CLAIMS,
    subjects=40,  # of 20 that are all right, the interval still reaches down to .84
)
