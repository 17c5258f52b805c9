"""Perfect, subsample, ideal, optogenetics."""

import numpy as np
import pytest
from instrument_bench import poisson_activity, rates_only, shown, tissue

from simlab import registry
from simlab.contracts import Instrument, SimlabError, Stimulator
from simlab.instruments.placement import make_key
from simlab.instruments.recording.perfect import Perfect
from simlab.instruments.recording.subsample import Subsample
from simlab.instruments.stimulating.ideal import Ideal
from simlab.instruments.stimulating.optogenetics import Optogenetics
from simlab.session import SILENCE_CURRENT, Perturbation, Session
from simlab.simulators.effects import permanently_silent

RNG = np.random.default_rng


@pytest.mark.parametrize("name", ["perfect", "subsample", "electrodes", "two_photon", "bold"])
def test_instruments_keep_the_contract(name):
    instrument = registry.create("instruments", name)
    assert isinstance(instrument, Instrument)
    implant = instrument.implant(tissue(40), RNG(0))
    assert implant.key.dims == ("unit", "neuron")
    assert implant.key.sizes["neuron"] == 40
    assert (implant.key.sum("neuron") <= 1 + 1e-9).all()
    assert (implant.key.values >= 0).all()
    recording = implant.record(poisson_activity(40, session=shown(3, 2.0)), RNG(1))
    assert recording.sizes["unit"] == implant.key.sizes["unit"] == implant.units.sizes["unit"]
    assert "neuron" not in recording.sizes
    assert {"unit_x", "unit_y", "unit_z", "stimulus", "condition"} <= set(recording.data_vars)


@pytest.mark.parametrize("name", ["perfect", "subsample", "electrodes", "two_photon", "bold"])
def test_the_same_stream_gives_the_same_recording(name):
    activity, anatomy = poisson_activity(40, trials=2, duration=2.0), tissue(40)
    once, again = (
        registry.create("instruments", name).implant(anatomy, RNG(0)).record(activity, RNG(1)) for _ in range(2)
    )
    assert once.identical(again)


def test_perfect_passes_every_spike_unchanged():
    activity = poisson_activity(12)
    recording = Perfect().implant(tissue(12), RNG(0)).record(activity, RNG(1))
    np.testing.assert_array_equal(recording["spike_time"], activity["spike_time"])
    np.testing.assert_array_equal(recording["spike_unit"], activity["spike_neuron"])


def test_perfect_passes_rates():
    recording = Perfect().implant(tissue(5), RNG(0)).record(rates_only(5), RNG(1))
    np.testing.assert_array_equal(recording["signal"], rates_only(5)["rate"])
    np.testing.assert_array_equal(recording["sample_time"], rates_only(5)["time"])
    assert recording["signal"].attrs == {"modality": "rate", "units": "Hz"}
    assert "spike_time" not in recording


def test_subsample_sees_the_neurons_that_its_key_names_and_no_other():
    activity, anatomy = poisson_activity(30), tissue(30)
    implant = Subsample(n_units=7).implant(anatomy, RNG(3))
    recording = implant.record(activity, RNG(1))
    neurons = implant.key.values.argmax(axis=1)
    assert len(set(neurons)) == 7
    for unit, neuron in enumerate(neurons):
        seen = recording["spike_time"].values[recording["spike_unit"].values == unit]
        np.testing.assert_array_equal(seen, activity["spike_time"].values[activity["spike_neuron"].values == neuron])
        assert recording["unit_y"].values[unit] == anatomy["y"].values[neuron]


def test_subsample_passes_the_rates_of_its_neurons():
    implant = Subsample(n_units=3).implant(tissue(9), RNG(0))
    recording = implant.record(rates_only(9), RNG(1))
    np.testing.assert_array_equal(recording["signal"].values[0, 0], implant.key.values.argmax(axis=1))


def test_rates_keep_the_units_that_the_circuit_states():
    activity = rates_only(5)
    activity["rate"].attrs["units"] = "1"
    assert Subsample(3).implant(tissue(5), RNG(0)).record(activity, RNG(1))["signal"].attrs["units"] == "1"


@pytest.mark.parametrize("name", ["subsample", "two_photon"])
def test_fewer_units_of_one_stream_are_the_first_of_more(name):
    chosen = [
        registry.create("instruments", name, n_units=k).implant(tissue(40), RNG(9)).key.values.argmax(axis=1).tolist()
        for k in (5, 12, 40)
    ]
    assert chosen[0] == chosen[1][:5]
    assert chosen[1] == chosen[2][:12]
    assert sorted(chosen[2]) == list(range(40))


def test_a_region_that_is_named_is_the_only_one_recorded_and_its_subsets_are_nested():
    cells = tissue(40)
    cells["region"].values[:25] = "V1"
    chosen = [Subsample(k, ("V1",)).implant(cells, RNG(9)).key.values.argmax(axis=1).tolist() for k in (5, 25)]
    assert chosen[0] == chosen[1][:5]
    assert sorted(chosen[1]) == list(range(25))
    with pytest.raises(SimlabError, match="at most the subject's 25 neurons in V1, got 26: ask for 25"):
        Subsample(26, ("V1",)).implant(cells, RNG(0))
    with pytest.raises(SimlabError, match=r"regions must be among the subject's \(V1, cortex\), got V2"):
        Subsample(5, ("V1", "V2")).implant(cells, RNG(0))


@pytest.mark.parametrize("name", ["subsample", "two_photon"])
def test_more_units_than_neurons_names_rule_value_and_fix(name):
    with pytest.raises(SimlabError, match=r"at most the subject's 10 neurons, got 11: ask for 10 or fewer"):
        registry.create("instruments", name, n_units=11).implant(tissue(10), RNG(0))


@pytest.mark.parametrize("n_units", [0, -1, 2.5])
def test_subsample_refuses_impossible_numbers(n_units):
    with pytest.raises(SimlabError, match=r"n_units must be a whole number in 1\.\.10000"):
        Subsample(n_units=n_units)


def test_an_implant_refuses_another_subject():
    with pytest.raises(SimlabError, match="placed in a subject of 10 neurons, got activity of 11"):
        Perfect().implant(tissue(10), RNG(0)).record(poisson_activity(11, trials=1), RNG(0))


def test_a_key_refuses_shares_above_one():
    with pytest.raises(SimlabError, match="sum to at most 1"):
        make_key(np.array([[0.8, 0.4]]))


def pulse(*targets, kind="stimulate", strength=2.0):
    return Perturbation(kind, targets, strength, 0.1, 0.2, (0, 2))


def drive(actuator, perturbation):
    (effect,) = actuator.aim(perturbation)
    assert effect.kind == "drive"
    return effect.values


def test_ideal_hits_the_dominant_neuron_of_each_target_and_nothing_else():
    key = make_key(np.array([[0.1, 0.7, 0.1], [0.5, 0.0, 0.4], [0.0, 0.0, 0.0]]))
    actuator = Ideal().install(tissue(3), key, RNG(0))
    (aimed,) = actuator.aim(pulse(0))
    np.testing.assert_array_equal(aimed.values, [0, 2, 0])
    assert (aimed.kind, aimed.start, aimed.stop, aimed.trials) == ("drive", 0.1, 0.2, (0, 2))
    np.testing.assert_array_equal(drive(actuator, pulse(0, 1, 1)), [2, 2, 0])
    np.testing.assert_array_equal(drive(actuator, pulse(2)), [0, 0, 0])
    np.testing.assert_array_equal(actuator.aim(pulse(0, kind="cut", strength=1.0))[0].values, [1, 0, 1])
    np.testing.assert_array_equal(actuator.aim(pulse(0, kind="clamp"))[0].values, [np.nan, 2, np.nan])


def test_ideal_does_every_kind_exactly():
    key = make_key(np.eye(4)[[2, 0, 3]])
    place = tissue(4)
    place["region"] = ("neuron", np.array(["V1", "CA1", "V1", "V1"], dtype=object))
    actuator = Ideal().install(place, key, RNG(0))
    (weaker,) = actuator.aim(pulse(0, kind="cool", strength=10.0))
    np.testing.assert_array_equal(weaker.values, [1, 1, 0.5, 1])
    weaker, silent = actuator.aim(pulse(0, kind="cool", strength=18.0))
    np.testing.assert_allclose(weaker.values, [1, 1, 2**-1.8, 1])
    np.testing.assert_array_equal(silent.values, [0, 0, -SILENCE_CURRENT, 0])
    np.testing.assert_array_equal(actuator.aim(pulse(1, kind="drug", strength=0.25))[0].values, [0.75, 1, 1, 1])
    (edited,) = actuator.aim(Perturbation("edit", (0, 1), 3.0, 0.1, 0.2, onto=(2,)))
    assert edited.over == "pair"
    assert [tuple(pair) for pair in np.argwhere(edited.values == 3)] == [(0, 3), (2, 3)]
    assert (edited.values == 1).sum() == 14
    (cut,) = actuator.aim(Perturbation("cut", (), 1.0, 0.1, 0.2, region="V1", onto=(1,)))
    np.testing.assert_array_equal(cut.values[:, 0], [0, 1, 0, 0])
    for target, onto in (((3,), ()), ((0,), (3,))):
        with pytest.raises(SimlabError, match=r"(targets|onto) must be units 0\.\.2 of the implant, got \[3\]"):
            actuator.aim(Perturbation("edit", target, 3.0, 0.1, 0.2, onto=onto))


def test_an_ideal_lesion_kills_its_share_of_cells_the_same_ones_every_time():
    actuator = Ideal().install(tissue(40), Perfect().implant(tissue(40), RNG(0)).key, RNG(3))
    dead = []
    for share in (0.1, 0.5, 1.0):
        (lesion,) = actuator.aim(Perturbation("lesion", (), share, 0.0, 1.0, region="cortex"))
        dead.append(set(np.flatnonzero(lesion.values == 0)))
        assert len(dead[-1]) == round(share * 40)
        assert np.isnan(lesion.values).sum() == 40 - len(dead[-1])
    assert dead[0] < dead[1] < dead[2]
    (one,) = actuator.aim(Perturbation("lesion", (7,), 1.0, 0.0, 1.0))
    assert permanently_silent(Session(2, 1.0, perturbations=(one,)), 40).nonzero()[0].tolist() == [7]


@pytest.mark.parametrize("stimulator", [Ideal(), Optogenetics(expression=1.0, expression_spread=0.0)])
def test_a_region_is_hit_as_a_whole_and_an_unknown_one_is_refused_with_those_there_are(stimulator):
    place = tissue(4)
    place["region"] = ("neuron", np.array(["V1", "CA1", "V1", "CA1"], dtype=object))
    actuator = stimulator.install(place, Perfect().implant(place, RNG(0)).key, RNG(1))
    aimed = Perturbation("stimulate", (), 2.0, 0.1, 0.2, region="CA1")
    np.testing.assert_array_equal(drive(actuator, aimed), [0, 2, 0, 2])
    with pytest.raises(SimlabError, match="one of the subject's, CA1, V1, got 'V2'"):
        actuator.aim(Perturbation("stimulate", (), 2.0, 0.1, 0.2, region="V2"))


@pytest.mark.parametrize("name", ["ideal", "optogenetics"])
@pytest.mark.parametrize("target", [-1, 4])
def test_targets_outside_the_implant_name_rule_value_and_fix(name, target):
    stimulator = registry.create("instruments", name)
    assert isinstance(stimulator, Stimulator)
    actuator = stimulator.install(tissue(8), Subsample(4).implant(tissue(8), RNG(0)).key, RNG(1))
    with pytest.raises(SimlabError, match=rf"units 0\.\.3 of the implant, got \[{target}\]: aim at units"):
        actuator.aim(pulse(target))


def lit(n_neurons=2000, **parameters):
    anatomy = tissue(n_neurons, side=400e-6)
    key = Perfect().implant(anatomy, RNG(0)).key
    return anatomy, Optogenetics(**parameters).install(anatomy, key, RNG(1))


def test_light_falls_to_one_over_e_within_a_scattering_length_beyond_the_spot():
    anatomy, light = lit(expression=1.0, expression_spread=0.0)
    strength = drive(light, pulse(0, strength=1.0))
    distance = np.sqrt(sum((anatomy[a].values - anatomy[a].values[0]) ** 2 for a in "xyz"))
    assert strength[0] == 1.0
    outside = distance > 10e-6
    np.testing.assert_allclose(strength[outside], np.exp(-(distance[outside] - 10e-6) / 47e-6))


def test_expression_misses_the_expected_share_of_neurons():
    _, light = lit(expression=0.6)
    # Binomial: standard deviation sqrt(.6 .4 / 2000) = .011; four of them.
    assert abs((light.amount > 0).mean() - 0.6) < 0.044


def test_opsin_varies_with_mean_one_and_the_stated_spread():
    _, light = lit(expression=1.0, expression_spread=0.3)
    # Standard errors of mean and of standard deviation over 2000 draws are .0067 and about .006; four of them.
    assert abs(light.amount.mean() - 1) < 0.027
    assert abs(light.amount.std() - 0.3) < 0.03


def test_a_promoter_restricts_expression_to_its_cell_types():
    anatomy, light = lit(expression=1.0, cell_types=("E",))
    assert set(anatomy["cell_type"].values[light.amount > 0]) == {"E"}
    with pytest.raises(SimlabError, match="cell_types must be among"):
        lit(cell_types=("PV",))


def test_light_of_two_spots_adds_up():
    _, light = lit(n_neurons=50)
    both = drive(light, pulse(3, 7))
    np.testing.assert_allclose(both, drive(light, pulse(3)) + drive(light, pulse(7)))


def test_light_cannot_clamp():
    _, light = lit(n_neurons=5)
    for kind in ("clamp", "cut"):
        with pytest.raises(
            SimlabError, match=f"got kind='{kind}': light sets no firing rate .* use the stimulator ideal"
        ):
            light.aim(pulse(0, kind=kind, strength=1.0))


def test_a_rebound_follows_silencing_light_alone_and_carries_its_charge():
    _, light = lit(30, expression=1.0, expression_spread=0.0, rebound=0.2, rebound_time_constant=0.04)
    assert len(light.aim(pulse(0))) == 1
    silenced, after = light.aim(pulse(0, kind="silence"))
    assert (after.kind, after.start, after.trials) == ("drive", silenced.stop, silenced.trials)
    first = after.steps[:, 0]
    assert np.all(np.diff(first) < 0)
    # 5 time constants hold all but exp(-5) of the charge: share x current x time constant.
    charge = first.sum() * np.diff(after.edges)[0]
    assert charge == pytest.approx(0.2 * -silenced.values[0] * 0.04 * (1 - np.exp(-5)))
    np.testing.assert_allclose(after.steps / first[:, None], np.tile(silenced.values / silenced.values[0], (50, 1)))


@pytest.mark.parametrize(
    "bad",
    [{"expression": 1.5}, {"scattering_length": 0.0}, {"spot_radius": -1e-6}, {"cell_types": "E"}, {"rebound": -0.1}],
)
def test_optogenetics_refuses_impossible_parameters(bad):
    with pytest.raises(SimlabError, match=next(iter(bad))):
        Optogenetics(**bad)
