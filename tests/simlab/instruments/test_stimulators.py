"""Two-photon light, cold, current, drugs and lesions: their equations, and what they do to circuits that are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from instrument_bench import tissue
from lif_bench import lif, run

from simlab import registry
from simlab.contracts import SimlabError, Stimulator
from simlab.data import anatomy
from simlab.instruments.placement import make_key
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.stimulating.cooling import Cooling
from simlab.instruments.stimulating.lesion import Lesion
from simlab.instruments.stimulating.microstimulation import Microstimulation
from simlab.instruments.stimulating.optogenetics import Optogenetics
from simlab.instruments.stimulating.pharmacology import Pharmacology
from simlab.instruments.stimulating.two_photon_optogenetics import TwoPhotonOptogenetics
from simlab.session import KINDS, SILENCE_CURRENT, Perturbation, Session
from simlab.simulators.effects import permanently_silent
from simlab.simulators.rates import RateNetwork, simulate
from simlab.simulators.transfers import threshold_linear
from simlab.streams import stream

RNG = np.random.default_rng
MM = 1e-3
DOES = {
    "two_photon_optogenetics": ("stimulate", "silence"),
    "cooling": ("cool",),
    "microstimulation": ("stimulate",),
    "pharmacology": ("drug",),
    "lesion": ("lesion",),
}


def aimed(kind, *targets, strength=1.0, start=0.1, stop=0.2, trials=(0,), **more):
    if kind == "lesion":
        start, stop, trials = 0.0, 1.0, None
    return Perturbation(kind, targets, strength, start, stop, trials, **more)


def line(places, types="EEEEEEEEEE", regions=None):
    """Neurons along the x axis [m], one to a unit."""
    position = np.outer(places, [1.0, 0, 0])
    return anatomy(position, list(types[: len(places)]), regions or "somewhere")


def placed(stimulator, place, seed=1):
    return stimulator.install(place, Perfect().implant(place, RNG(0)).key, RNG(seed))


@pytest.mark.parametrize("name", DOES)
def test_each_does_its_own_kinds_and_says_why_no_other(name):
    stimulator = registry.create("instruments", name)
    assert isinstance(stimulator, Stimulator)
    actuator = placed(stimulator, tissue(8))
    for kind in KINDS:
        strength = 20.0 if kind == "cool" else 1.0
        if kind in DOES[name]:
            assert actuator.aim(aimed(kind, 2, strength=strength))
            with pytest.raises(SimlabError, match=r"must be units 0\.\.7 of the implant, got \[8\]"):
                actuator.aim(aimed(kind, 8, strength=strength))
            with pytest.raises(SimlabError, match="one of the subject's, cortex, got 'tectum'"):
                actuator.aim(aimed(kind, strength=strength, region="tectum"))
        else:
            with pytest.raises(SimlabError, match=f"{name} can .*, got kind='{kind}': .*"):
                actuator.aim(aimed(kind, 2, strength=strength))


@pytest.mark.parametrize("name", DOES)
def test_a_unit_that_is_nothing_but_noise_is_aimed_at_in_vain(name):
    key = make_key(np.vstack([np.zeros(5), np.eye(5)]))
    actuator = registry.create("instruments", name).install(tissue(5), key, RNG(0))
    neutral = {"drive": 0.0, "gain": 1.0, "hold": np.nan}
    for effect in actuator.aim(aimed(DOES[name][0], 0, strength=1.0)):
        np.testing.assert_array_equal(effect.values, np.broadcast_to(neutral[effect.kind], effect.values.shape))


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Cooling(q10=0.5), "q10"),
        (lambda: Cooling(time_constant=0.0), "time_constant"),
        (lambda: Microstimulation(excitability=-1.0), "excitability"),
        (lambda: Microstimulation(unit_current=10.0), "unit_current"),
        (lambda: Pharmacology(receptor="NMDA"), "receptor"),
        (lambda: Lesion(by="axe"), "by must be"),
        (lambda: Lesion(completeness=1.5), "completeness"),
        (lambda: TwoPhotonOptogenetics(most_targets=0), "most_targets"),
        (lambda: Optogenetics(off_target=-0.1), "off_target"),
    ],
)
def test_impossible_parameters_are_refused_by_name(make, field):
    with pytest.raises(SimlabError, match=field):
        make()


# --- light -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [Optogenetics, TwoPhotonOptogenetics])
def test_a_promoter_leaks_into_the_stated_share_of_other_cells(make):
    place = tissue(2000)
    amount = placed(make(expression=0.9, cell_types=("E",), off_target=0.2), place).amount
    other = place["cell_type"].values != "E"
    # 400 I cells and 1600 E cells: standard errors of .02 and .0075, four of them.
    assert abs((amount[other] > 0).mean() - 0.2) < 0.08
    assert abs((amount[~other] > 0).mean() - 0.9) < 0.03


def hologram(place, **parameters):
    certain = {"expression": 1.0, "expression_spread": 0.0, "failures": 0.0}
    return placed(TwoPhotonOptogenetics(**certain | parameters), place)


def test_a_spot_is_gaussian_narrow_across_and_long_along_the_beam():
    offsets = [[0, 0, 0], [7.5, 0, 0], [0, 7.5, 0], [0, 0, 17.5], [15, 0, 0], [0, 0, 35], [9, 12, 35]]
    offsets = np.array(offsets) * 1e-6
    (effect,) = hologram(anatomy(offsets, ["E"] * 7)).aim(aimed("stimulate", 0, strength=3.0))
    np.testing.assert_allclose(effect.values, 3 * 0.5 ** np.array([0, 1, 1, 1, 4, 4, 8]))
    both = hologram(anatomy(offsets, ["E"] * 7)).aim(aimed("silence", 0, 3))[0].values
    alone = [hologram(anatomy(offsets, ["E"] * 7)).aim(aimed("silence", i))[0].values for i in (0, 3)]
    np.testing.assert_allclose(both, alone[0] + alone[1])
    assert both[0] == -SILENCE_CURRENT * 1.5


def test_a_hologram_has_so_many_spots_and_no_more():
    light = hologram(tissue(8), most_targets=3)
    assert light.aim(aimed("stimulate", 0, 1, 2, 2))
    for aim in ({"targets": (0, 1, 2, 3)}, {"targets": (), "region": "cortex"}):
        with pytest.raises(SimlabError, match=r"at most 3 spots, got [48] targets: aim at fewer, or one after another"):
            light.aim(Perturbation("stimulate", strength=1.0, start=0.1, stop=0.2, trials=(0,), **aim))
    whole = hologram(tissue(8)).aim(aimed("stimulate", region="cortex"))[0].values
    np.testing.assert_allclose(whole, hologram(tissue(8)).aim(aimed("stimulate", *range(8)))[0].values)


def test_pulses_fail_at_each_spot_on_its_own_trials_the_same_whenever_asked():
    place = line(np.arange(2) * MM)
    light = hologram(place, failures=0.3)
    assert type(light).by_trial
    pulse = aimed("stimulate", 0, 1, strength=2.0, trials=tuple(range(1000)))
    first, second = light.aim(pulse)
    np.testing.assert_array_equal([first.values, second.values], [[2, 0], [0, 2]])
    works = [set(effect.trials) for effect in (first, second)]
    # Binomial: a standard deviation of sqrt(.3 .7 1000) = 14.5; four of them. Both: .7^2, with 15.8.
    assert all(abs(len(w) - 700) < 58 for w in works)
    assert abs(len(works[0] & works[1]) - 490) < 64
    alone = light.aim(aimed("stimulate", 1, strength=2.0, trials=tuple(range(500, 600))))[0]
    assert set(alone.trials) == {t for t in works[1] if 500 <= t < 600}
    later = light.aim(aimed("stimulate", 0, start=0.15, trials=tuple(range(1000))))[0]
    assert set(later.trials) != works[0]
    with pytest.raises(SimlabError, match="got trials=None: name the trials"):
        light.aim(aimed("stimulate", 0, trials=None))
    (nothing,) = hologram(place, failures=1.0).aim(pulse)
    np.testing.assert_array_equal(nothing.values, 0)


def test_neurons_fire_where_and_when_the_hologram_works_and_nowhere_else():
    """Integrate-and-fire neurons at rest: more than one rheobase for long enough makes them fire, less never does."""
    place = anatomy(np.array([[0, 0, 0], [5, 0, 0], [20, 0, 0], [0, 0, 10], [0, 0, 40.0]]) * 1e-6, ["E"] * 5)
    light = hologram(place, failures=0.5)
    effects = light.aim(aimed("stimulate", 0, strength=2.0, start=0.0, stop=0.2, trials=tuple(range(12))))
    spikes = run(lif(5), Session(12, 0.2, perturbations=effects))
    fired = np.zeros((12, 5), dtype=bool)
    fired[spikes.trial, spikes.neuron] = True
    expected = np.zeros((12, 5), dtype=bool)
    # 2 x 0.5^(4 r^2 / 15^2), 2 x 0.5^(4 z^2 / 35^2): 2, 1.47, 0.01; 1.6, 0.05.
    expected[np.ix_(effects[0].trials, [0, 1, 3])] = True
    assert 0 < len(effects[0].trials) < 12
    np.testing.assert_array_equal(fired, expected)


# --- a known circuit of rates ----------------------------------------------------------------------------------------

SITES = np.array([0.0, 0.0, 2.0, 2.0, 4.0, 4.0]) * MM
SIX = line(SITES, "EIEIEI", ["A", "A", "B", "B", "C", "C"])
WEIGHTS = np.triu(RNG(8).uniform(0.2, 0.6, (6, 6)), 1) * np.array([1, -1, 1, -1, 1, -1])[:, None]
BIAS = 2.0


def steady(gain=1.0, drive=0.0, dead=()):
    """The steady rates (neuron,) of feedforward threshold-linear units, one after another."""
    weights, rate = WEIGHTS * np.broadcast_to(gain, (6, 6)), np.zeros(6)
    drive = np.broadcast_to(drive, 6)
    for i in range(6):
        rate[i] = 0.0 if i in dead else max(rate @ weights[:, i] + BIAS + drive[i], 0.0)
    return rate


def rates(effects, at, duration=1.0):
    network = RateNetwork(WEIGHTS, 5e-3, threshold_linear, bias=BIAS)
    session = Session(1, duration, perturbations=effects)
    time, rate = simulate(network, session, stream(1, "rates"), dt=1e-3, sample_interval=1e-3, burn_in=0.2)
    return rate[0, np.searchsorted(time, at)]


def test_the_known_circuit_is_known():
    np.testing.assert_allclose(rates((), 0.9), steady(), rtol=1e-5)
    assert steady().min() > 0.3


# --- cold ------------------------------------------------------------------------------------------------------------


def test_cold_falls_off_with_distance_and_reaches_its_depth_with_its_time_constant():
    model = Cooling(radius=0.5 * MM, spread=2 * MM, time_constant=0.5, q10=3.0, silent_below=0.0)
    gain, after = placed(model, SIX).aim(aimed("cool", 0, strength=20.0, start=0.5, stop=2.0, trials=None))
    assert (gain.start, gain.stop, after.start, after.stop) == (0.5, 2.0, 2.0, 4.5)
    degrees = -10 * np.log(gain.steps) / np.log(3.0)
    distance = np.array([0, 0, 1.5, 1.5, 3.5, 3.5])
    np.testing.assert_allclose(degrees / degrees[:, :1], np.tile(np.exp(-distance / 2), (len(degrees), 1)))
    middle = (gain.edges[1:] + gain.edges[:-1]) / 2
    # Means over steps of a tenth of a time constant differ from the middle by 0.1^2 / 24 of the curve.
    np.testing.assert_allclose(degrees[:, 0], 20 * -np.expm1(-(middle - 0.5) / 0.5), atol=20 * 5e-4)
    warming = -10 * np.log(after.steps[:, 0]) / np.log(3.0)
    middle = (after.edges[1:] + after.edges[:-1]) / 2 - 2.0
    np.testing.assert_allclose(warming, 20 * -np.expm1(-3.0) * np.exp(-middle / 0.5), atol=20 * 5e-4)


def test_a_region_is_cooled_evenly_and_at_once_where_the_window_begins_with_the_trial():
    gain, after = placed(Cooling(q10=2.0), SIX).aim(aimed("cool", strength=10.0, start=0.0, region="A"))
    beyond = np.array([0, 0, 2, 2, 4, 4])
    np.testing.assert_allclose(gain.steps, 2 ** -np.exp(-beyond / 3)[None])
    assert (after.start, len(after.steps)) == (0.2, 50)


def test_cooling_weakens_the_known_circuit_as_much_as_its_equation_says_and_silences_what_is_coldest():
    for strength, silent in ((12.0, []), (25.0, [0, 1])):
        effects = placed(Cooling(spread=1 * MM), SIX).aim(
            aimed("cool", strength=strength, start=0.0, stop=1.0, trials=None, region="A")
        )
        degrees = strength * np.exp(-np.array([0, 0, 2, 2, 4, 4]))
        drive = np.where(np.isin(range(6), silent), -SILENCE_CURRENT, 0)
        expected = steady(gain=2.0 ** (-degrees / 10)[:, None], drive=drive)
        np.testing.assert_allclose(rates(effects, 0.9), expected, rtol=1e-5)
        assert (expected[:2] == 0).all() == bool(silent)


# --- current ---------------------------------------------------------------------------------------------------------


SIX_DISTANCES = np.array([0.0, 50, 88, 100, 200, 2000]) * 1e-6


def test_current_reaches_bodies_as_the_square_of_their_distance():
    place = line(SIX_DISTANCES)
    electrode = placed(Microstimulation(passing=0.0, largest=20.0), place)
    for strength in (0.5, 2.0):
        (effect,) = electrode.aim(aimed("stimulate", 0, strength=strength))
        rheobases = strength * 10e-6 / 1292 / np.maximum(SIX_DISTANCES, 1e-9) ** 2
        np.testing.assert_allclose(effect.values, np.minimum(rheobases, 20.0))
        radius = np.sqrt(strength * 10e-6 / 1292)
        np.testing.assert_array_equal(effect.values > 1, radius > SIX_DISTANCES)
    several = electrode.aim(aimed("stimulate", 0, 5))[0].values
    alone = [electrode.aim(aimed("stimulate", i))[0].values for i in (0, 5)]
    np.testing.assert_array_equal(several, np.maximum(*alone))


def test_fibres_of_passage_make_few_cells_fire_near_and_far_and_more_with_more_current():
    """All cells at one distance d: the share that fires is strength x passing x exp(-d / reach)."""
    n = 4000
    model = Microstimulation(passing=0.1, axon_reach=1 * MM)
    for distance in (0.5 * MM, 2 * MM):
        place = line(np.r_[0.0, np.full(n, distance)], types="E" * (n + 1))
        electrode = model.install(place, make_key(np.eye(1, n + 1)), RNG(2))
        fired = {}
        for strength in (0.5, 1.0, 4.0):
            values = electrode.aim(aimed("stimulate", 0, strength=strength))[0].values[1:]
            fired[strength] = set(np.flatnonzero(values >= 1))
            share = strength * 0.1 * np.exp(-distance / MM)
            assert abs(len(fired[strength]) / n - share) < 4 * np.sqrt(share / n)  # Binomial
            quiet = np.delete(values, list(fired[strength]))
            np.testing.assert_allclose(quiet, strength * 10e-6 / 1292 / distance**2)  # what reaches the body
        assert fired[0.5] < fired[1.0] < fired[4.0]


def test_an_electrode_in_a_region_stands_in_its_middle():
    place = line(np.array([0.0, 100, 200, 1000, 1100]) * 1e-6, regions=["A"] * 3 + ["B"] * 2)
    electrode = placed(Microstimulation(passing=0.0), place)
    (effect,) = electrode.aim(aimed("stimulate", region="A"))
    np.testing.assert_allclose(effect.values, electrode.aim(aimed("stimulate", 1))[0].values)
    other = electrode.aim(aimed("stimulate", region="B"))[0].values
    assert other[3] == pytest.approx(other[4])
    assert other[3] == pytest.approx(10e-6 / 1292 / 50e-6**2)


def test_integrate_and_fire_neurons_fire_within_the_radius_and_where_an_axon_passes():
    place = line(np.r_[0.0, np.linspace(20, 300, 29)] * 1e-6, types="E" * 30)
    model = Microstimulation(passing=0.3, axon_reach=0.3 * MM)
    (effect,) = placed(model, place, seed=4).aim(aimed("stimulate", 0, strength=1.0, start=0.0, stop=0.5, trials=None))
    spikes = run(lif(30), Session(1, 0.5, perturbations=(effect,)))
    fired = np.isin(np.arange(30), spikes.neuron)
    radius = np.sqrt(10e-6 / 1292)
    near = place["x"].values < radius
    assert fired[near].all()
    assert 0 < fired[~near].sum() < 12
    np.testing.assert_array_equal(fired, effect.values > 1)


# --- drugs -----------------------------------------------------------------------------------------------------------


def test_a_drug_thins_out_with_distance():
    (effect,) = placed(Pharmacology(radius=0.5 * MM, diffusion=1 * MM), SIX).aim(aimed("drug", 0, strength=0.8))
    share = 0.8 * np.exp(-np.array([0, 0, 1.5, 1.5, 3.5, 3.5]))
    np.testing.assert_allclose(effect.values, -SILENCE_CURRENT * share)
    assert (effect.kind, effect.trials) == ("drive", (0,))


@pytest.mark.parametrize(("receptor", "sign", "senders"), [("AMPA", 1, [0, 2, 4]), ("GABA", -1, [1, 3, 5])])
def test_an_antagonist_blocks_what_comes_into_a_region_through_its_receptor(receptor, sign, senders):
    model = Pharmacology(receptor=receptor, diffusion=1 * MM)
    for strength in (0.5, 1.0):
        drug = aimed("drug", strength=strength, start=0.0, stop=1.0, trials=None, region="B")
        arrives = strength * np.exp(-np.array([2, 2, 0, 0, 2, 2]))
        gain = np.ones((6, 6))
        gain[senders] = 1 - arrives
        effects = placed(model, SIX).aim(drug)
        np.testing.assert_allclose(effects[0].values, gain)
        np.testing.assert_allclose(rates(effects, 0.9), steady(gain=gain), rtol=1e-5)
        assert np.sign(steady()[2:4] - steady(gain=gain)[2:4]).tolist() == [sign, sign]


def test_muscimol_and_ttx_silence_the_cells_that_they_reach():
    drug = aimed("drug", strength=1.0, start=0.0, stop=1.0, trials=None, region="B")
    for receptor in ("muscimol", "TTX"):
        effects = placed(Pharmacology(receptor=receptor, diffusion=0.3 * MM), SIX).aim(drug)
        weak = 0.0 if receptor == "TTX" else -SILENCE_CURRENT * np.exp(-2 / 0.3)
        drive = np.array([weak, weak, -SILENCE_CURRENT, -SILENCE_CURRENT, weak, weak])
        np.testing.assert_allclose(rates(effects, 0.9), steady(drive=drive), rtol=1e-5)
        assert rates(effects, 0.9)[2:4].tolist() == [0, 0]


def test_a_receptor_that_no_synapse_of_the_subject_uses_is_an_error():
    alone = line(SITES, "EEEEEE")
    with pytest.raises(SimlabError, match="'GABA' is used by the synapses of I cells, got a subject of E: name the"):
        placed(Pharmacology(receptor="GABA"), alone)
    with pytest.raises(SimlabError, match=r"cell_types must be among the subject's \['E'\], got \['PV'\]"):
        placed(Pharmacology(receptor="GABA", cell_types=("PV",)), alone)
    assert placed(Pharmacology(receptor="GABA", cell_types=("E",)), alone).sends.all()


# --- lesions ---------------------------------------------------------------------------------------------------------


def test_a_toxin_kills_its_share_within_its_radius_for_good_and_spares_all_else():
    place = tissue(500, side=1 * MM)
    surgeon = placed(Lesion(radius=0.3 * MM, completeness=0.8), place)
    position = np.column_stack([place[axis].values for axis in "xyz"])
    inside = np.linalg.norm(position - position[7], axis=1) <= 0.3 * MM
    dead = []
    for share in (0.5, 1.0):
        (killed,) = surgeon.aim(aimed("lesion", 7, strength=share))
        dead.append(permanently_silent(Session(3, 1.0, perturbations=(killed,)), 500))
        assert dead[-1].sum() == round(0.8 * share * inside.sum())
        assert not (dead[-1] & ~inside).any()
        assert np.isnan(killed.values[~dead[-1]]).all()
    assert not (dead[0] & ~dead[1]).any()


def test_an_aspiration_also_cuts_axons_of_cells_that_it_leaves_alive():
    n = 4000
    place = line(np.r_[0.0, np.full(n, 1.2 * MM)], types="E" * (n + 1))
    surgeon = Lesion(by="aspiration", radius=0.2 * MM, passing=0.5, axon_reach=1 * MM, completeness=1.0).install(
        place, make_key(np.eye(1, n + 1)), RNG(3)
    )
    for strength in (1.0, 0.4):
        killed, severed = surgeon.aim(aimed("lesion", 0, strength=strength))
        lost = (severed.values[1:] == 0).mean()
        share = strength * 0.5 * np.exp(-1.0)
        assert abs(lost - share) < 4 * np.sqrt(share / n)  # Binomial
        assert set(severed.values) == {0.0, 1.0}
        assert severed.values[0] == 1
        assert np.isnan(killed.values[1:]).all()


@pytest.mark.parametrize("by", ["excitotoxin", "aspiration"])
def test_a_lesion_of_a_region_is_the_known_circuit_without_it(by):
    model = Lesion(by=by, completeness=1.0, passing=1.0, axon_reach=2 * MM)
    effects = placed(model, SIX, seed=5).aim(aimed("lesion", region="B"))
    gain = 1.0 if by == "excitotoxin" else effects[1].values[:, None]
    assert by == "excitotoxin" or 0 < (effects[1].values == 0).sum() < 4
    np.testing.assert_allclose(rates(effects, 0.9), steady(gain=gain, dead=(2, 3)), rtol=1e-5)
    lost = permanently_silent(Session(1, 1.0, perturbations=effects), 6)
    assert np.flatnonzero(lost).tolist() == [2, 3]


def test_a_lesion_draws_who_dies_once():
    place = tissue(60)
    twins = [placed(replace(Lesion(), completeness=0.5), place, seed=s).aim(aimed("lesion", 3)) for s in (1, 1, 2)]
    np.testing.assert_array_equal(twins[0][0].values, twins[1][0].values)
    assert not np.array_equal(twins[0][0].values, twins[2][0].values, equal_nan=True)
