"""Electrodes in tissue of real density: noise of far neurons, spikes of near ones, drift, and which units are found."""

import numpy as np
import pytest
from instrument_bench import origins, poisson_activity, tissue, told_apart, unequal_activity

import simlab
from simlab.contracts import SimlabError
from simlab.data import anatomy, mean_rates
from simlab.instruments.placement import weighted_by_rates
from simlab.instruments.recording.electrodes import Electrodes
from simlab.instruments.recording.sorting import Cells, isolated
from simlab.instruments.recording.tissue_around import Fall, background_noise, neighbours_of

RNG = np.random.default_rng
CORTEX = 9e13
DENSE = Electrodes(tissue_density=CORTEX, noise=6e-6)
FALL = Fall(120e-6, 72e-6, 4.0)


def test_background_noise_is_that_of_thousands_of_simulated_neurons():
    """Every spike of every neuron beyond the reach of the threshold, through its waveform, on one site."""
    rate, step, seconds = 4.0, 2e-5, 10.0
    deviation = background_noise(FALL, 5e-6, CORTEX, rate, 0.2e-3)
    reach = FALL.reach(4 * deviation)
    rng, edge = RNG(0), 450e-6
    distance = edge * np.cbrt(rng.random(rng.poisson(CORTEX * 4 / 3 * np.pi * edge**3)))
    peak = FALL.amplitude * np.exp(-distance[distance > reach] / FALL.decay)
    when = rng.integers(round(seconds / step), size=rng.poisson(rate * seconds * len(peak)))
    trace = np.bincount(when, peak[rng.integers(len(peak), size=len(when))], round(seconds / step))
    s = 0.2e-3 / np.sqrt(np.pi)  # a Gaussian trough of standard deviation s: int w^2 dt = s sqrt(pi)
    lags = np.arange(-5 * s, 5 * s, step)
    simulated = np.convolve(trace, np.exp(-(lags**2) / (2 * s**2)), "valid").std()
    # The neurons just out of reach, some hundred, carry most of the variance: 5% of the deviation.
    assert np.sqrt(simulated**2 + 5e-6**2) == pytest.approx(deviation, rel=0.08)


@pytest.mark.parametrize("rate", [0.3, 1.0, 3.0])
def test_noise_and_threshold_are_found_together(rate):
    found = background_noise(FALL, 6e-6, CORTEX, rate, 0.2e-3)
    u = 2 * FALL.reach(4 * found) / FALL.decay
    whole = np.pi * CORTEX * rate * FALL.amplitude**2 * FALL.decay**3 * 0.2e-3
    assert found == pytest.approx(np.sqrt(6e-6**2 + whole * (1 + u + u**2 / 2) * np.exp(-u)), rel=1e-6)
    assert background_noise(FALL, 6e-6, 1e10, rate, 0.2e-3) == pytest.approx(6e-6, rel=0.01)


def test_neighbours_fill_the_tissue_up_to_its_density():
    sites = RNG(1).uniform(0, 200e-6, (30, 3))
    near, reach = neighbours_of(sites, np.zeros((0, 3)), 80e-6, CORTEX, 1.0, RNG(0)), 80e-6
    points = RNG(2).uniform(-100e-6, 300e-6, (20_000, 3))
    covered = (np.linalg.norm(points[:, None] - sites[None], axis=2) < reach).any(axis=1).mean() * 400e-6**3
    assert len(near.site) == pytest.approx(CORTEX * covered, rel=0.06)  # known to 2%, the volume to 2%
    distance = np.linalg.norm(near.place[:, None] - sites[None], axis=2)
    np.testing.assert_array_equal(distance.argmin(axis=1), near.site)
    assert distance.min(axis=1).max() <= reach
    assert near.rate.mean() == pytest.approx(1.0, rel=0.15)
    crowd = np.tile(sites[0], (10_000, 1))  # as many as the tissue holds, at one site
    assert (neighbours_of(sites, crowd, 80e-6, CORTEX, 1.0, RNG(0)).site != 0).all()


def test_about_one_in_seven_neurons_within_50_um_is_isolated_as_surveyed():
    """Some 15% (Laquitaine et al. 2024, abstract); up to 8 to 10 at a site (Pedreira et al. 2012)."""
    sites = np.arange(60)[:, None] * np.array([[1e-3, 0, 0]])
    near = neighbours_of(sites, np.zeros((0, 3)), 120e-6, CORTEX, 1.0, RNG(0))
    distance = np.linalg.norm(near.place - sites[near.site], axis=1)
    alone = isolated(Cells(near.place, near.site), DENSE.detection(distance), 60, DENSE.manner)
    assert 0.08 < alone.sum() / (distance < 50e-6).sum() < 0.22
    assert np.bincount(near.site[alone]).max() <= 10


def test_real_density_makes_units_fewer_and_dirtier():
    place = tissue(150, side=300e-6)
    sparse, dense = (
        Electrodes(noise=6e-6, n_sites=60, tissue_density=d).implant(place, RNG(1)) for d in (None, CORTEX)
    )
    assert dense.deviation > sparse.deviation == 6e-6
    assert 5 < dense.key.sizes["unit"] < 0.5 * sparse.key.sizes["unit"]
    nobody = [1 - probe.key.sum("neuron").values for probe in (sparse, dense)]
    assert np.median(nobody[0]) < 0.05
    assert 0.05 < np.median(nobody[1]) < 0.5  # 3 to 50% of false discoveries (Vincent & Economo 2024)


def test_realised_shares_agree_with_the_key_in_real_tissue():
    probe = Electrodes(noise=6e-6, n_sites=60, tissue_density=CORTEX, dead_time=0.0).implant(
        tissue(150, side=300e-6), RNG(1)
    )
    seen = told_apart(poisson_activity(150, trials=4, duration=100.0, rate=probe.electrodes.reference_rate))
    recording = probe.record(seen, RNG(2))
    unit, neuron = recording["spike_unit"].values, origins(seen, recording)
    expected = np.column_stack([probe.key.values, 1 - probe.key.values.sum(axis=1)])
    z = []
    for u in range(recording.sizes["unit"]):
        mine = neuron[unit == u]
        realised = np.bincount(np.where(mine < 0, 150, mine), minlength=151) / len(mine)
        tested = expected[u] * len(mine) > 10
        z += list(((realised - expected[u]) / np.sqrt(expected[u] * (1 - expected[u]) / len(mine) + 1e-12))[tested])
    assert len(z) > 20
    assert np.abs(z).max() < 4.5


@pytest.mark.parametrize("density", [None, CORTEX])
@pytest.mark.parametrize("asked", [0.03, 0.5])
def test_the_dial_gives_units_the_false_discoveries_that_are_asked_for(asked, density):
    electrodes = Electrodes(noise=6e-6, n_sites=60, tissue_density=density, false_discovery_rate=asked, dead_time=0.0)
    probe = electrodes.implant(tissue(150, side=300e-6), RNG(1))
    np.testing.assert_allclose(probe.key.max("neuron"), 1 - asked)
    seen = told_apart(poisson_activity(150, trials=2, duration=100.0, rate=electrodes.reference_rate))
    recording = probe.record(seen, RNG(2))
    right = origins(seen, recording) == probe.main[recording["spike_unit"].values]
    assert 1 - right.mean() == pytest.approx(asked, abs=0.02)


def test_slow_neurons_are_missed_and_recorded_rates_are_biased_upward():
    place, rates = tissue(100), RNG(5).lognormal(np.log(1.0), 1.2, 100)
    seen = unequal_activity(rates, 100.0, seed=6)
    whole, found = (Electrodes(min_spikes=least).implant(place, RNG(1)).settled(seen) for least in (0, 150))
    assert 3 < found.key.sizes["unit"] < 0.7 * whole.key.sizes["unit"]
    true = [rates[probe.main] for probe in (whole, found)]
    assert true[1].mean() > 1.5 * true[0].mean()
    recording = found.record(seen, RNG(2))
    assert recording.sizes["unit"] == found.key.sizes["unit"]
    assert np.bincount(recording["spike_unit"]).min() > 100
    with pytest.raises(SimlabError, match="at least one unit must fire min_spikes = 100000 spikes"):
        Electrodes(min_spikes=100_000).implant(place, RNG(1)).settled(seen)


def test_the_lab_settles_implants_on_the_session_that_is_analysed(tmp_path):
    picky = Electrodes(min_spikes=60, n_sites=60)
    grid = simlab.Grid(
        circuits=("independent_poisson",),
        plans=(simlab.Plan(5, 2.0), simlab.Plan(20, 2.0)),
        instruments=(Electrodes(n_sites=60), picky),
        methods=("spike_count_correlation",),
    )
    table = simlab.run(simlab.Experiment("slow", "who?", (grid,), subjects=1), out=tmp_path / "r", archive=False).table
    assert set(table["status"]) == {"ok"}
    units = table.groupby(["instrument_label", "trials"])["n_units"].first().unstack()
    picked = units.index.str.contains("min_spikes=60")
    every, found = units[~picked].iloc[0], units[picked].iloc[0]
    assert every.nunique() == 1
    assert found.loc[5] < found.loc[20] <= every.loc[20]
    seen = simlab.generate("independent_poisson", picky, trials=5, duration=2.0, out=tmp_path / "p.zarr")
    assert np.bincount(seen["spike_unit"]).min() > 30


def test_without_rules_of_the_session_an_implant_is_settled_as_it_is():
    probe = Electrodes().implant(tissue(30), RNG(1))
    assert probe.settled(poisson_activity(30, trials=1)) is probe


def test_drift_loses_spikes_and_lets_false_ones_in_over_minutes():
    electrodes = Electrodes(noise=6e-6, n_sites=60, tissue_density=CORTEX, drift=1e-7, dead_time=0.0)  # 30 um in 300 s
    probe = electrodes.implant(tissue(150, side=300e-6), RNG(1))
    activity = told_apart(poisson_activity(150, trials=6, duration=50.0, rate=4.0))
    recording = probe.record(activity, RNG(2))
    right = origins(activity, recording) == probe.main[recording["spike_unit"].values]
    trial = recording["spike_trial"].values
    kept = np.bincount(trial[right], minlength=6)
    false = 1 - np.array([right[trial == k].mean() for k in range(6)])
    assert (np.diff(kept) < 0).all()
    assert kept[-1] < 0.65 * kept[0]
    assert false[-1] > 1.2 * false[0]
    # The key of the settled probe is the share over the whole session.
    settled = probe.settled(activity)
    weighted = weighted_by_rates(settled.key, mean_rates(activity))
    counts = np.bincount(recording["spike_unit"].values, minlength=len(weighted))
    own = weighted.values[np.arange(len(weighted)), probe.main]
    realised = np.bincount(recording["spike_unit"].values[right], minlength=len(weighted)) / counts
    np.testing.assert_allclose(realised, own, atol=5 * np.sqrt(0.25 / counts.min()))
    still = Electrodes(noise=6e-6, n_sites=60, tissue_density=CORTEX, dead_time=0.0).implant(
        tissue(150, side=300e-6), RNG(1)
    )
    assert own.mean() < weighted_by_rates(still.key, mean_rates(activity)).max("neuron").values.mean()


def test_sites_are_lowered_into_the_regions_and_depths_that_are_asked_for():
    place = RNG(0).uniform(0, 1e-3, (400, 3))
    layers = np.where(place[:, 2] < 0.4e-3, "L5", "L2/3")
    both = anatomy(place, ["E"] * 400, layers)
    deep = Electrodes(n_sites=40, regions=("L5",)).implant(both, RNG(1))
    assert deep.sites[:, 2].max() < 0.4e-3
    thin = Electrodes(n_sites=40, depth=(0.5e-3, 0.6e-3)).implant(both, RNG(1))
    assert 0.5e-3 <= thin.sites[:, 2].min() <= thin.sites[:, 2].max() <= 0.6e-3
    with pytest.raises(SimlabError, match=r"some neuron must lie in regions \('CA1',\).*the anatomy has L2/3, L5 from"):
        Electrodes(regions=("CA1",)).implant(both, RNG(1))


@pytest.mark.parametrize(
    "bad", [{"tissue_density": 9e4}, {"false_discovery_rate": 1.0}, {"drift": -1.0}, {"depth": (0.1,)}]
)
def test_impossible_tissue_is_refused(bad):
    with pytest.raises(SimlabError, match=next(iter(bad))):
        Electrodes(**bad)
