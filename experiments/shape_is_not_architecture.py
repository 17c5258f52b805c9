"""Shape is not architecture: rings and tori in state space, and the circuits that do and do not explain them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from circuits.attractors.feedforward_ring import FeedforwardRing
from circuits.attractors.ring_attractor import RingAttractor
from circuits.space.feedforward_grid import FeedforwardGrid
from circuits.space.grid_attractor import GridAttractor
from circuits.space.modulated_grid import ModulatedGrid
from circuits.space.place_cells import PlaceCells
from circuits.space.ring_aligned_grid import RingAlignedGrid
from methods.population.coactivity_across_states import CoactivityAcrossStates
from methods.topology.cohomology_by_subsampling import CohomologyBySubsampling
from methods.topology.denoised_homology import DenoisedHomology
from methods.topology.grid_score import GridScore
from simlab.claims import Claim, Measured, chosen, difference, oracle_recovers, paired_difference, rate, separation
from simlab.experiment import Experiment, Grid, Plan
from simlab.fingerprint import label
from simlab.instruments.recording.subsample import Subsample

if TYPE_CHECKING:
    import pandas as pd

FEW, SOME, MORE, MANY = (Subsample(n_units=n) for n in (10, 20, 40, 80))
FORAGING, CUES = Plan(20, 30.0), Plan(40, 2.0)
BY_GAP = CohomologyBySubsampling()
BY_GAP_ON_RINGS = CohomologyBySubsampling(smoothing=0.1)  # a bump drifts by its width within a trial of 2 s
DROWSY = GridAttractor(asleep=0.5)
REPLAY = FeedforwardGrid(DROWSY, replay=True)

TORI = Grid(
    circuits=(GridAttractor(),),
    rivals=(FeedforwardGrid(),),
    plans=(FORAGING,),
    instruments=(FEW, SOME, MORE, MANY),
    methods=(BY_GAP,),
    baselines=False,
)
RINGS = Grid(
    circuits=(RingAttractor(),),
    rivals=(FeedforwardRing(),),
    plans=(CUES,),
    instruments=(FEW, SOME, MORE, MANY),
    methods=(BY_GAP_ON_RINGS,),
    baselines=False,
)
SHAPES = Grid(
    circuits=(GridAttractor(), RingAlignedGrid(), PlaceCells()),
    rivals=(FeedforwardGrid(), ModulatedGrid()),
    plans=(FORAGING,),
    instruments=(MANY,),
    methods=(BY_GAP, DenoisedHomology(), GridScore()),
)
SLEEP = Grid(
    circuits=(DROWSY,),
    rivals=(FeedforwardGrid(), REPLAY),
    plans=(FORAGING,),
    instruments=(MANY,),
    methods=(CoactivityAcrossStates(),),
    baselines=False,
)


def _found(table: pd.DataFrame, circuit: str, method: str, n_units: int = 80) -> Measured:
    """How often the shape of a circuit's states is found with so many units."""
    rows = chosen(table, circuit=circuit, instrument_label=label(Subsample(n_units=n_units)), question="topology")
    return rate(rows[rows["method"] == method], "recovered")


def more_cells_for_a_torus(table: pd.DataFrame) -> Measured:
    """Success with 80 grid cells less that with 10, in the same subjects."""
    few, many = ({"instrument_label": label(instrument)} for instrument in (FEW, MANY))
    return paired_difference(table, "recovered", many, few, circuit="grid_attractor", method=BY_GAP.name)


def ring_before_torus(table: pd.DataFrame) -> Measured:
    """Success on the ring attractor less that on the torus attractor, 20 units each."""
    ring, torus = (_found(table, name, BY_GAP.name, 20) for name in ("ring_attractor", "grid_attractor"))
    return difference(ring, torus)


def asleep(table: pd.DataFrame) -> Measured:
    """Youden's J of coactivity, attractor against cells that nothing drives in sleep."""
    pair = (label(DROWSY), label(FeedforwardGrid(DROWSY)))
    return separation(table, "coactivity_across_states", circuit_label=pair)


def replayed(table: pd.DataFrame) -> Measured:
    """How often coactivity calls cells an attractor that an unseen place drives in sleep."""
    return rate(table, "false_recovery", method="coactivity_across_states", circuit_label=label(REPLAY))


KANG = "Kang, Xu & Morozov 2021, Front Comput Neurosci 15:616748"

CLAIMS = (
    Claim(
        "a_torus_takes_many_cells",
        "Success of the largest-gap rule on a torus grows with the number of cells: by at least 0.3 from 10 to 80.",
        f"{KANG}, for growth with the number of cells; the size of the step is ours",
        more_cells_for_a_torus,
        (0.3, 1.0),
    ),
    Claim(
        "a_ring_takes_fewer_cells_than_a_torus",
        "With 20 units the ring is found more often than the torus, by at least 0.05.",
        f"{KANG}, for success against the number of cells of ring and torus; the number is ours",
        ring_before_torus,
        (0.05, 1.0),
    ),
    Claim(
        "feedforward_cells_make_a_torus",
        "Cells with grid tuning and no synapses show a torus as the attractor does: found in at least 80%.",
        "analytic: the manifold of states is the tuning's, and twins have one tuning",
        partial(_found, circuit="feedforward_grid", method=BY_GAP.name),
        (0.8, 1.0),
    ),
    Claim(
        "independent_units_under_a_rhythm_make_a_torus",
        "Independent Poisson units with grid tuning that theta modulates show a torus: found in at least 80%.",
        "di Sarra, Jha & Roudi 2025, PLoS Comput Biol 21:e1012776 (read at the level of the abstract)",
        partial(_found, circuit="modulated_grid", method=BY_GAP.name),
        (0.8, 1.0),
    ),
    Claim(
        "without_a_rhythm_there_is_no_torus",
        "Independent Poisson units with grid tuning and no rhythm show none: a torus is found in at most 20%.",
        "di Sarra, Jha & Roudi 2025, PLoS Comput Biol 21:e1012776 (read at the level of the abstract)",
        partial(_found, circuit="feedforward_grid", method=DenoisedHomology.name),
        (0.0, 0.2),
    ),
    Claim(
        "a_ring_of_synapses_makes_a_torus",
        "A one-dimensional attractor with two-dimensional input shows a torus: found in at least 80%.",
        "Benas, Fernandez & Kropff 2024, eLife 12:RP89851",
        partial(_found, circuit="ring_aligned_grid", method=BY_GAP.name),
        (0.8, 1.0),
    ),
    Claim(
        "the_largest_gap_has_no_null",
        "The largest-gap rule finds loops in place cells, whose states make a sheet: right in at most 20%.",
        "analytic: some gap is always the largest",
        partial(_found, circuit="place_cells", method=BY_GAP.name),
        (0.0, 0.2),
    ),
    Claim(
        "maps_alone_say_torus",
        "Single cells' grid scores give the attractor's torus in at least 80%, without a look at the population.",
        "Fuhs & Touretzky 2006, J Neurosci 26:4266, for grids of one module as coordinates of a torus",
        partial(_found, circuit="grid_attractor", method="grid_score"),
        (0.8, 1.0),
    ),
    Claim(
        "sleep_tells_an_attractor_from_driven_cells",
        "Correlations of pairs that last through sleep separate the attractor from cells driven by the place alone: "
        "recovery exceeds false recovery by at least 0.8.",
        "Trettel et al. 2019 and Gardner et al. 2019, Nat Neurosci 22:609 and 598",
        asleep,
        (0.8, 1.0),
    ),
    Claim(
        "replay_undoes_the_argument_from_sleep",
        "Where an unseen place drives the cells in sleep, they are called an attractor in at least 80%.",
        "analytic: their correlations are then the same awake and asleep",
        replayed,
        (0.8, 1.0),
    ),
    oracle_recovers("circuit", "ceiling"),
)

SHAPE_IS_NOT_ARCHITECTURE = Experiment(
    name="shape_is_not_architecture",
    asks=(
        "A ring or a torus in the states of a population is taken for the shape of its synapses. How many cells does "
        "it take to see the shape, and do circuits without these synapses show it as well: cells driven by the place, "
        "independent units under a rhythm, a one-dimensional attractor with a two-dimensional input? Does sleep, when "
        "nothing tells of the place, tell them apart?"
    ),
    grids=(TORI, RINGS, SHAPES, SLEEP),
    claims=CLAIMS,
    subjects=20,
    time_limit=180.0,
    notes=(
        "`without_a_rhythm_there_is_no_torus` and `feedforward_cells_make_a_torus` cannot both hold of the same cells. "
        "Here tuning alone suffices: 80 cells with peaks of 13 Hz, recorded for ten minutes. By the published argument "
        "a rhythm matters because more spikes tell of the place at its peaks: it should do so where spikes are few."
    ),
)
