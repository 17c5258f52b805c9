"""What binning, smoothing, z-scoring and trial averaging make of a recording."""

import numpy as np
import pytest
from planted_connectivity import poisson_spikes, unequal

from methods.pipelines._steps import Unusable
from methods.pipelines.binning import Binning
from methods.pipelines.decimation import Decimation
from methods.pipelines.deconvolution import Deconvolution
from methods.pipelines.onset_filter import OnsetFilter
from methods.pipelines.smoothing import Smoothing
from methods.pipelines.trial_averaging import TrialAveraging
from methods.pipelines.unit_selection import UnitSelection
from methods.pipelines.z_scoring import ZScoring
from simlab.contracts import Needs, SimlabError
from simlab.data import bin_spikes, check_recording, continuous, modality, recording

STEPS = (Binning(), Smoothing(), ZScoring(), TrialAveraging(), UnitSelection(), Deconvolution(), Decimation())
RNG = np.random.default_rng(0)


@pytest.fixture
def spikes():
    world = poisson_spikes(np.random.default_rng(0), n=3, rate=20.0, trials=4, duration=2.0)
    world = world.assign_attrs(brief={"candidates": ("this", "that")})
    world["condition"] = ("trial", np.array([7, 2, 7, 2], dtype=np.int32))
    return world


def a_signal(values, kind="voltage", **variables):
    n_trials, n_samples, n_units = np.shape(values)
    return recording(
        duration=n_samples / 10, n_units=n_units, n_trials=n_trials, signal=values, modality=kind, signal_units="V",
        sample_time=np.arange(n_samples) / 10, **variables,
    )  # fmt: skip


@pytest.mark.parametrize("step", STEPS, ids=lambda s: s.name)
def test_a_step_leaves_its_recording_as_it_was_and_what_is_not_measured(step, spikes):
    given = (
        spikes
        if step.name in ("binning", "smoothing", "unit_selection", "deconvolution")
        else Binning().apply(spikes, RNG)
    )
    before = given.copy(deep=True)
    found = step.apply(given, RNG)
    assert given.identical(before)
    check_recording(found)
    assert found.attrs["brief"] == spikes.attrs["brief"]
    assert set(found["condition"].values) == {2, 7}


def test_binned_spikes_are_counts_at_the_bins_centres(spikes):
    found = Binning(0.1).apply(spikes, RNG)
    assert modality(found) == "count"
    np.testing.assert_array_equal(found["signal"], bin_spikes(spikes, 0.1))
    np.testing.assert_allclose(found["sample_time"], np.arange(20) * 0.1 + 0.05)


def test_bins_past_the_end_of_a_shorter_trial_hold_nothing(spikes):
    found = continuous(Binning(0.1).apply(unequal(spikes, np.array([2.0, 1.0, 0.55, 2.0])), RNG)).values
    assert np.isnan(found[2, 5:]).all()
    assert np.isfinite(found[2, :5]).all()
    assert np.isfinite(found[0]).all()


def test_bins_are_no_finer_than_spike_times_are_known(spikes):
    coarse = spikes.assign_attrs(resolution=0.2)
    for step in (Binning(0.05), Smoothing(step=0.02)):
        found = step.apply(coarse, RNG)
        assert np.diff(found["sample_time"]) == pytest.approx(0.2)
        assert "resolution" not in found.attrs


def test_a_smoothed_impulse_is_the_kernel():
    lone = recording(duration=2.0, n_units=1, n_trials=1, spikes=(np.array([0]), np.array([1.0]), np.array([0])))
    found = Smoothing(deviation=0.1, step=0.01).apply(lone, RNG)
    assert modality(found) == "rate"
    times, rate = found["sample_time"].values, found["signal"].values[0, :, 0]
    expected = np.exp(-((times - 1.005) ** 2) / 0.02) / (0.1 * np.sqrt(2 * np.pi))
    np.testing.assert_allclose(rate, expected, atol=0.005)
    assert rate.sum() * 0.01 == pytest.approx(1.0)


def test_a_smoothed_signal_keeps_its_modality_and_its_ends():
    found = Smoothing(deviation=0.3).apply(a_signal(np.full((2, 30, 2), 4.0)), RNG)
    assert modality(found) == "voltage"
    assert found["signal"].attrs["units"] == "V"
    np.testing.assert_allclose(found["signal"], 4.0)


def test_smoothing_stays_within_a_trials_end(spikes):
    short = unequal(spikes, np.array([2.0, 1.0, 0.5, 2.0]))
    found = continuous(Smoothing().apply(short, RNG)).values
    assert np.isnan(found[2, 25:]).all()
    assert np.isfinite(found[2, :25]).all()


def test_z_scored_signals_have_no_mean_and_unit_variance():
    values = np.random.default_rng(1).normal(3.0, [1.0, 5.0, 0.0], (4, 50, 3))
    found = ZScoring().apply(a_signal(values), RNG)["signal"].values
    np.testing.assert_allclose(found.mean((0, 1)), 0.0, atol=1e-12)
    np.testing.assert_allclose(found.std((0, 1)), [1.0, 1.0, 0.0])


def test_trials_are_averaged_within_their_conditions():
    values = np.arange(4.0)[:, None, None] * np.ones((4, 20, 2))
    time = np.arange(20) / 10
    shown = np.array([0.0, 5.0, 0.0, 6.0])[:, None, None] * np.ones((4, 20, 1))
    moved = np.array([1.0, np.nan, 3.0, 4.0])[:, None, None] * np.ones((4, 20, 1))
    world = a_signal(values, time=time, condition=[7, 2, 7, 2], stimulus=shown, behaviour=moved)
    found = TrialAveraging().apply(world, RNG)
    np.testing.assert_array_equal(found["condition"], [2, 7])
    np.testing.assert_array_equal(found["signal"][:, 0, 0], [2.0, 1.0])
    np.testing.assert_array_equal(found["behaviour"][:, 0, 0], [4.0, 2.0])
    np.testing.assert_array_equal(found["stimulus"][:, 0, 0], [np.nan, 0.0])  # 5 and 6 have no value in common
    np.testing.assert_array_equal(found["trial"], [0, 1])


def test_without_conditions_all_trials_are_averaged():
    found = TrialAveraging().apply(a_signal(np.arange(3.0)[:, None, None] * np.ones((3, 5, 1))), RNG)
    np.testing.assert_array_equal(found["signal"], np.ones((1, 5, 1)))


@pytest.mark.parametrize("step", [ZScoring(), TrialAveraging()], ids=lambda s: s.name)
def test_a_step_for_signals_cannot_use_spikes(step, spikes):
    with pytest.raises(Unusable, match="bins or smooths"):
        step.apply(spikes, RNG)


def test_what_cannot_be_binned_smoothed_or_averaged_is_unusable(spikes):
    with pytest.raises(Unusable, match="needs spikes"):
        Binning().apply(a_signal(np.ones((1, 5, 1))), RNG)
    with pytest.raises(Unusable, match="no bin"):
        Binning(3.0).apply(spikes, RNG)
    with pytest.raises(Unusable, match="no sample"):
        Smoothing(step=3.0).apply(spikes, RNG)
    with pytest.raises(Unusable, match="one length"):
        TrialAveraging().apply(Binning().apply(unequal(spikes, np.array([2.0, 1.0, 0.5, 2.0])), RNG), RNG)
    with pytest.raises(Unusable, match="holds none"):
        ZScoring().apply(recording(duration=1.0, n_units=2, n_trials=1), RNG)


@pytest.mark.parametrize(
    ("step", "asked", "given"),
    [
        (Deconvolution(), ("spikes",), ("fluorescence", "spikes")),
        (Deconvolution(), (), ("fluorescence", "spikes")),
        (Binning(), ("count", "rate"), ("spikes",)),
        (Smoothing(), ("rate",), ("spikes", "rate")),
        (Smoothing(), ("voltage",), ("voltage",)),
        (Smoothing(), (), ()),
        (ZScoring(), ("voltage",), ("voltage",)),
        (UnitSelection(), ("spikes",), ("spikes",)),
    ],
    ids=lambda v: getattr(v, "name", None),
)
def test_a_step_says_what_it_must_be_given(step, asked, given):
    found = step.before(Needs(asked, units=4, trials=3, equal_trials=False))
    assert found.modalities == given
    assert (found.units, found.trials) == (4, 3)


def test_averaging_needs_trials_of_one_length():
    assert TrialAveraging().before(Needs(equal_trials=False)).equal_trials


def test_steps_in_the_wrong_order_are_refused():
    with pytest.raises(SimlabError, match="binning makes count, and what follows it needs spikes"):
        Binning().before(Needs(("spikes",)))


def test_impossible_widths_are_refused():
    for broken in (
        lambda: Binning(0.0),
        lambda: Smoothing(0.0),
        lambda: Smoothing(step=-1.0),
        lambda: UnitSelection(-1.0),
    ):
        with pytest.raises(SimlabError, match="must be a number in"):
            broken()


def test_decimation_keeps_every_third_sample_as_it_was_and_refuses_what_it_cannot_thin():
    values = np.random.default_rng(0).normal(size=(2, 10, 3))
    found = continuous(Decimation(3).apply(a_signal(values), RNG))
    np.testing.assert_array_equal(found.values, values[:, [0, 3, 6, 9]])
    np.testing.assert_allclose(found["time"], [0.0, 0.3, 0.6, 0.9])
    assert (found.attrs["modality"], found.attrs["units"]) == ("voltage", "V")
    with pytest.raises(Unusable, match="10 samples are too few to keep one in 6"):
        Decimation(6).apply(a_signal(values), RNG)
    assert Decimation().before(Needs(("voltage",), units=2)) == Needs(("voltage",), units=2)


def test_the_onset_filter_leaves_the_rises_of_transients_and_neither_noise_nor_decay():
    rng = np.random.default_rng(0)
    trace = rng.normal(0, 0.03, (1, 400, 2))
    fired = np.array([100, 250])
    for start in fired:
        trace[0, start:, 0] += np.exp(-np.arange(400 - start) / 20.0)
    found = continuous(OnsetFilter().apply(a_signal(trace, "fluorescence"), RNG))
    active = found["time"].values[found.values[0, :, 0] > 1]
    assert all(np.abs(active[:, None] - fired / 10).min(axis=1) <= 0.2)
    assert {round(t) for t in active} == {10, 25}
    assert (found.values[0, :, 1] > 1).mean() < 0.02
    with pytest.raises(Unusable, match="at least"):
        OnsetFilter().apply(a_signal(trace[:, :3], "fluorescence"), RNG)
