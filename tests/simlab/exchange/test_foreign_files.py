"""Files that simlab did not write: trials stay trials, common columns are understood, and the rest is named."""

import warnings
from datetime import UTC, datetime

import numpy as np
import pytest

from simlab import data
from simlab.contracts import SimlabError
from simlab.exchange import neo as neo_exchange
from simlab.exchange import nwb, pynapple
from simlab.exchange.foreign import coded
from simlab.exchange.timeline import Timeline

pynwb = pytest.importorskip("pynwb")


def empty_file():
    return pynwb.NWBFile(session_description="x", identifier="x", session_start_time=datetime.now(UTC))


def written(file, folder):
    path = folder / "x.nwb"
    with pynwb.NWBHDF5IO(str(path), mode="w") as io:
        io.write(file)
    return path


def read(file, folder):
    """The recording, and what the one warning says ("" without a warning)."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = nwb.read_nwb(written(file, folder))
    told = [str(w.message) for w in caught if issubclass(w.category, UserWarning) and "not used" in str(w.message)]
    assert len(told) <= 1
    return found, "".join(told)


def with_trials(file, lengths, gap=0.5, **columns):
    for name in columns:
        file.add_trial_column(name, name)
    start = 1.0
    for k, length in enumerate(lengths):
        file.add_trial(start_time=start, stop_time=start + length, **{name: v[k] for name, v in columns.items()})
        start += length + gap
    return file


def test_a_file_without_trials_reads_as_one_trial(tmp_path):
    file = empty_file()
    file.add_unit(spike_times=[1.0, 2.5])
    file.add_unit(spike_times=[0.5])
    found, told = read(file, tmp_path)
    assert dict(found.sizes) == {"trial": 1, "unit": 2, "spike": 3}
    np.testing.assert_allclose(found["spike_time"], [0.5, 1.0, 2.5])
    np.testing.assert_array_equal(found["spike_unit"], [1, 0, 0])
    assert told == ""
    assert "unread" not in found.attrs


def test_trials_of_unequal_length_stay_trials(tmp_path):
    lengths = np.random.default_rng(0).uniform(2.0, 2.5, 40)
    file = with_trials(empty_file(), lengths)
    onset = np.asarray(file.trials["start_time"][:])
    file.add_unit(spike_times=np.sort(np.concatenate([onset + 0.25, onset + lengths])))
    found, told = read(file, tmp_path)
    np.testing.assert_allclose(found["trial_duration"], lengths, atol=1e-9)
    np.testing.assert_allclose(found["trial_start"], onset)
    assert np.bincount(found["spike_trial"].values).tolist() == [2] * 40
    np.testing.assert_allclose(found["spike_time"].values[::2], 0.25)
    assert told == ""


def test_text_conditions_become_numbers_and_names(tmp_path):
    file = with_trials(empty_file(), [1.0] * 3, condition=["right", "left", "right"])
    file.add_unit(spike_times=[1.2])
    found, _ = read(file, tmp_path)
    assert found["condition"].values.tolist() == [1, 0, 1]
    assert found.attrs["conditions"] == ("left", "right")
    assert "trial_duration" not in found


def test_an_outcome_in_words_of_its_own_is_left_unread(tmp_path):
    file = with_trials(empty_file(), [1.0] * 3, outcome=["hit", "miss", "hit"])
    file.add_unit(spike_times=[1.2])
    found, told = read(file, tmp_path)
    assert "outcome" not in found
    assert "outcome" in told


@pytest.mark.parametrize(
    ("values", "codes", "names"),
    [
        ([3, 1, 3], [3, 1, 3], ()),
        ([3.0, 1.0], [3, 1], ()),
        ([0.5, 0.25, 0.5], [1, 0, 1], ("0.25", "0.5")),
        (["go", "no go"], [0, 1], ("go", "no go")),
        ([True, False], [1, 0], ("False", "True")),
    ],
)
def test_conditions_are_whole_numbers_or_get_names(values, codes, names):
    found = coded(values)
    assert (found[0].tolist(), found[1]) == (codes, names)


def probe(file):
    device = file.create_device("probe")
    group = file.create_electrode_group("shank", description="x", location="CA1", device=device)
    file.add_electrode_column("impedance_ohm", "x")
    for row in range(4):
        file.add_electrode(x=10.0 * row, y=20.0, z=-5.0, location="CA1", group=group, impedance_ohm=1e6)
    return file


def test_positions_of_units_are_those_of_their_electrodes(tmp_path):
    file = probe(empty_file())
    file.add_unit(spike_times=[0.5], electrodes=[0, 2])
    file.add_unit(spike_times=[0.7], electrodes=[3])
    found, told = read(file, tmp_path)
    np.testing.assert_allclose(found["unit_x"], [10e-6, 30e-6])
    np.testing.assert_allclose(found["unit_z"], [-5e-6, -5e-6])
    np.testing.assert_allclose(found["channel_x"], [0, 10e-6, 20e-6, 30e-6])
    assert "columns location, group, impedance_ohm, group_name of electrodes" in told


def test_the_electrode_of_the_largest_spikes_serves_as_well(tmp_path):
    file = probe(empty_file())
    file.add_unit_column("peak_channel_id", "x")
    file.add_unit(spike_times=[0.5], peak_channel_id=3)
    file.add_unit(spike_times=[0.7], peak_channel_id=1)
    np.testing.assert_allclose(read(file, tmp_path)[0]["unit_x"], [30e-6, 10e-6])


def test_an_electrode_that_is_not_there_gives_no_position_and_is_told(tmp_path):
    file = probe(empty_file())
    file.add_unit_column("max_channel", "x")
    file.add_unit(spike_times=[0.5], max_channel=77)
    found, told = read(file, tmp_path)
    assert "unit_x" not in found
    assert "max_channel of units" in told


def test_quality_is_a_share_between_0_and_1_and_all_else_is_told(tmp_path):
    file = empty_file()
    for name in ("isolation", "quality", "snr", "unit_name"):
        file.add_unit_column(name, name)
    file.add_unit(spike_times=[0.5], isolation=0.9, quality="good", snr=4.0, unit_name="A1")
    file.add_unit(spike_times=[0.7], isolation=1.0, quality="mua", snr=2.0, unit_name="A2")
    found, told = read(file, tmp_path)
    assert found["unit_quality"].values.tolist() == [0.9, 1.0]
    assert found["unit_label"].values.tolist() == ["A1", "A2"]
    assert "columns quality, snr of units" in told
    assert found.attrs["unread"] == ("columns quality, snr of units",)


def test_a_quality_beyond_1_is_no_share(tmp_path):
    file = empty_file()
    file.add_unit_column("isolation", "isolation distance")
    file.add_unit(spike_times=[0.5], isolation=35.0)
    found, told = read(file, tmp_path)
    assert "unit_quality" not in found
    assert "isolation" in told


def test_units_are_labelled_by_their_ids_where_they_have_no_names(tmp_path):
    file = empty_file()
    for number in (17, 4):
        file.add_unit(spike_times=[0.5], id=number)
    assert read(file, tmp_path)[0]["unit_label"].values.tolist() == ["17", "4"]


def test_everything_that_was_not_used_is_named_in_one_warning(tmp_path):
    from pynwb.behavior import Position, SpatialSeries

    file = with_trials(empty_file(), [1.0, 1.0], reward=[1.5, 2.5])
    file.add_unit(spike_times=[0.5, 1.2, 2.2, 3.0, 99.0])
    file.add_acquisition(pynwb.TimeSeries(name="voltage", data=np.zeros(9), unit="V", rate=1.0))
    file.add_epoch(0.0, 1.0, ["task"])
    file.add_invalid_time_interval(start_time=5.0, stop_time=6.0)
    module = file.create_processing_module("behavior", "x")
    series = SpatialSeries(name="head", data=np.zeros((9, 2)), rate=1.0, reference_frame="x")
    module.add(Position(spatial_series=series))
    found, told = read(file, tmp_path)
    for part in (
        "3 of 5 spikes outside trials", "columns reward of trials", "acquisition voltage (TimeSeries)",
        "table epochs of 1 rows", "table invalid_times of 1 rows", "processing behavior/Position (Position)",
    ):  # fmt: skip
        assert part in told
        assert part in found.attrs["unread"]


def test_spikes_without_a_time_are_left_out_and_counted(tmp_path):
    file = with_trials(empty_file(), [1.0, 1.0])
    file.add_unit(spike_times=[1.2, np.nan, 2.7])
    found, told = read(file, tmp_path)
    assert found.sizes["spike"] == 2
    assert "1 of 3 spikes without a finite time" in told


def test_without_trials_a_nan_does_not_swallow_the_spikes(tmp_path):
    file = empty_file()
    file.add_unit(spike_times=[1.2, 2.7, np.nan])
    assert read(file, tmp_path)[0].sizes["spike"] == 2


def test_trials_that_last_no_time_are_left_out_and_told(tmp_path):
    file = with_trials(empty_file(), [1.0, 1.0, 1.0])
    file.trials["stop_time"].data[1] = file.trials["start_time"].data[1]
    file.trials["stop_time"].data[2] = np.nan
    file.add_unit(spike_times=[1.5])
    found, told = read(file, tmp_path)
    assert found.sizes["trial"] == 1
    assert "2 of 3 trials that do not last longer than 0 s" in told


def test_trials_none_of_which_lasts_are_refused(tmp_path):
    file = with_trials(empty_file(), [-1.0, 0.0])
    file.add_unit(spike_times=[1.5])
    with pytest.raises(SimlabError, match="longer than 0 s, got 2 of which none does"):
        read(file, tmp_path)


def test_overlapping_trials_are_refused_by_number_and_time(tmp_path):
    file = with_trials(empty_file(), [1.0, 1.0, 1.0], gap=-0.5)
    file.add_unit(spike_times=[1.5])
    with pytest.raises(SimlabError, match=r"trial 0 from 1 to 2 s and trial 1 from 1\.5 s: put them in order"):
        read(file, tmp_path)


def test_trials_out_of_order_are_sorted_with_their_conditions(tmp_path):
    file = empty_file()
    file.add_trial_column("condition", "x")
    for start, condition in ((5.0, "late"), (1.0, "early")):
        file.add_trial(start_time=start, stop_time=start + 1, condition=condition)
    file.add_unit(spike_times=[1.5])
    found, told = read(file, tmp_path)
    assert found["condition"].values.tolist() == [0, 1]
    assert found["spike_trial"].values.tolist() == [0]
    assert "sorted by their start" in told


def test_units_that_were_not_observed_in_every_trial_are_counted(tmp_path):
    file = with_trials(empty_file(), [1.0, 1.0])
    file.add_unit(spike_times=[1.2], obs_intervals=[[0.0, 10.0]])
    file.add_unit(spike_times=[1.2], obs_intervals=[[0.0, 2.2]])
    assert "1 of 2 units were not observed in every trial" in read(file, tmp_path)[1]


def imaged(file, times, name="DfOverF"):
    """Two regions of interest whose signal is the session's time."""
    from pynwb.ophys import DfOverF, Fluorescence, ImageSegmentation, OpticalChannel

    device = file.create_device("microscope")
    channel = OpticalChannel(name="green", description="x", emission_lambda=510.0)
    plane = file.create_imaging_plane(
        name="plane", description="x", optical_channel=channel, device=device, excitation_lambda=920.0, indicator="x",
        location="x",
    )  # fmt: skip
    module = file.create_processing_module("ophys", "x")
    masks = ImageSegmentation()
    module.add(masks)
    table = masks.create_plane_segmentation(name="rois", description="x", imaging_plane=plane)
    for _ in range(2):
        table.add_roi(pixel_mask=[(0, 0, 1.0)])
    held = {"DfOverF": DfOverF, "Fluorescence": Fluorescence}[name](name=name)
    module.add(held)
    held.create_roi_response_series(
        name="traces", data=np.column_stack([times, -times]), unit="counts", timestamps=times,
        rois=table.create_roi_table_region("x", region=[0, 1]),
    )  # fmt: skip
    return file


def test_imaging_of_unequal_trials_ends_in_nan_where_they_end(tmp_path):
    file = imaged(with_trials(empty_file(), [2.0, 2.5, 2.2]), np.arange(0, 12, 0.1) + 0.05)
    found, told = read(file, tmp_path)
    signal = data.continuous(found)
    assert signal.sizes == {"trial": 3, "time": 25, "unit": 2}
    assert np.isfinite(signal.values[:, :, 0]).sum(axis=1).tolist() == [20, 25, 22]
    np.testing.assert_allclose(signal.values[0, :20, 0], 1.05 + np.arange(20) * 0.1)
    np.testing.assert_allclose(found["sample_time"], 0.05 + np.arange(25) * 0.1)
    assert found["signal"].attrs == {"modality": "fluorescence", "units": "dF/F"}
    assert "53 of 120 samples of traces outside trials" in told


def test_imaging_on_a_clock_of_its_own_keeps_equal_trials_without_nan(tmp_path):
    """Frames that fall 20 or 21 to a trial."""
    file = imaged(with_trials(empty_file(), [1.02] * 4, gap=0.347), np.arange(0, 8, 0.05))
    found, told = read(file, tmp_path)
    assert np.isfinite(found["signal"].values).all()
    assert found.sizes["sample"] in (20, 21)
    assert "exact times of traces: samples of some trials lie up to 0.0" in told


def test_raw_fluorescence_serves_where_there_is_no_relative_one(tmp_path):
    found, _ = read(imaged(empty_file(), np.arange(0, 3, 0.1), name="Fluorescence"), tmp_path)
    assert found["signal"].attrs == {"modality": "fluorescence", "units": "counts"}


def test_imaging_beside_sorted_units_is_told_not_mixed_with_them(tmp_path):
    file = imaged(empty_file(), np.arange(0, 3, 0.1))
    file.add_unit(spike_times=[0.5])
    found, told = read(file, tmp_path)
    assert (found.sizes["unit"], "signal" in found) == (1, False)
    assert "processing ophys/DfOverF (DfOverF)" in told


def test_a_signal_that_leaves_a_trial_empty_is_refused(tmp_path):
    file = imaged(with_trials(empty_file(), [1.0, 1.0]), np.arange(0, 2, 0.1))
    with pytest.raises(SimlabError, match="no sample lies in 1 of 2 trials"):
        read(file, tmp_path)


def test_a_field_potential_stands_over_channels_beside_spikes(tmp_path):
    from pynwb.ecephys import LFP, ElectricalSeries

    file = probe(empty_file())
    file.add_unit(spike_times=[0.5])
    region = file.create_electrode_table_region(region=[1, 3], description="x")
    series = ElectricalSeries(
        name="lfp", data=np.ones((20, 2), np.int16), electrodes=region, rate=10.0, starting_time=0.0, conversion=1e-6
    )
    file.create_processing_module("ecephys", "x").add(LFP(electrical_series=series))
    found, _ = read(file, tmp_path)
    assert found["signal"].dims == ("trial", "sample", "channel")
    assert found["signal"].attrs == {"modality": "field potential", "units": "V"}
    np.testing.assert_allclose(found["signal"], 1e-6)
    np.testing.assert_allclose(found["channel_x"], [10e-6, 30e-6])


def test_series_shown_and_done_are_kept_by_name_and_those_on_other_clocks_are_told(tmp_path):
    from pynwb.behavior import BehavioralTimeSeries

    file = with_trials(empty_file(), [1.0, 1.0])
    file.add_unit(spike_times=[1.2])
    for name, rate in (("contrast", 10.0), ("fast", 100.0)):
        n = int(5 * rate)
        file.add_stimulus(pynwb.TimeSeries(name=name, data=np.arange(n) / rate, unit="x", rate=rate))
    speed = pynwb.TimeSeries(name="speed", data=np.arange(50.0), unit="x", rate=10.0)
    file.create_processing_module("behavior", "x").add(BehavioralTimeSeries(time_series=speed))
    found, told = read(file, tmp_path)
    assert found["feature"].values.tolist() == ["contrast"]
    assert found["factor"].values.tolist() == ["speed"]
    np.testing.assert_allclose(found["stimulus"].values[0, :3, 0], [1.0, 1.1, 1.2])
    assert "series fast, sampled at other times" in told


def test_a_file_with_nothing_to_analyse_says_so(tmp_path):
    with pytest.raises(SimlabError, match="nothing to analyse"):
        read(empty_file(), tmp_path)


def test_a_spike_at_the_seam_of_two_trials_belongs_to_the_later():
    line = Timeline.checked(np.array([0.0, 1.0]), np.array([1.0, 1.5]))
    trial, time, inside = line.to_trials(np.array([0.0, 1.0, 2.5, 2.6, -0.1]))
    assert trial[:3].tolist() == [0, 1, 1]
    np.testing.assert_allclose(time[:3], [0.0, 0.0, 1.5])
    assert inside.tolist() == [True, True, True, False, False]


def test_anybodys_pynapple_objects_keep_unequal_trials_and_name_the_rest():
    import pynapple as nap

    trials = nap.IntervalSet(start=[1.0, 4.0], end=[3.0, 6.5])
    trials.set_info(condition=["b", "a"], block=[1, 2])
    units = nap.TsGroup({7: nap.Ts([1.5, 3.5, 5.0]), 3: nap.Ts([1.0, 1.7])})
    video = nap.Tsd(t=np.arange(10.0), d=np.zeros(10))
    with pytest.warns(UserWarning, match="not used"):
        found = pynapple.from_pynapple({"trials": trials, "units": units, "video": video})
    assert found["trial_duration"].values.tolist() == [2.0, 2.5]
    assert found["trial_start"].values.tolist() == [1.0, 4.0]
    assert (found["condition"].values.tolist(), found.attrs["conditions"]) == ([1, 0], ("a", "b"))
    assert found["unit_label"].values.tolist() == ["3", "7"]
    assert set(found.attrs["unread"]) == {"1 of 5 spikes outside trials", "trials' block", "video (Tsd)"}


def test_a_lone_frame_of_anybodys_is_the_signal_and_its_name_the_modality():
    import pynapple as nap

    trials = nap.IntervalSet(start=[0.0], end=[1.0])
    frame = nap.TsdFrame(t=np.arange(10) * 0.1, d=np.ones((10, 3)))
    found = pynapple.from_pynapple({"trials": trials, "voltage": frame})
    assert data.modality(found) == "voltage"
    assert found["signal"].shape == (1, 10, 3)


def test_anybodys_neo_segments_may_differ_in_length_and_stand_on_a_clock():
    import neo
    import quantities as pq

    block = neo.Block()
    for start, stop in ((1.0, 3.0), (4.0, 6.5)):
        segment = neo.Segment()
        for name in ("n1", "n2"):
            train = neo.SpikeTrain([start + 0.25], units="s", t_start=start, t_stop=stop, name=name)
            segment.spiketrains.append(train)
        segment.events.append(neo.Event([start] * pq.s, labels=["go"], name="cue"))
        segment.annotate(condition="left" if start < 2 else "right")
        block.segments.append(segment)
    with pytest.warns(UserWarning, match="events 'cue'"):
        found = neo_exchange.from_neo(block)
    assert found["trial_duration"].values.tolist() == [2.0, 2.5]
    assert found["trial_start"].values.tolist() == [1.0, 4.0]
    assert found["unit_label"].values.tolist() == ["n1", "n2"]
    assert found.attrs["conditions"] == ("left", "right")
    np.testing.assert_allclose(found["spike_time"], 0.25)


def test_neo_segments_whose_units_change_places_are_refused():
    import neo

    block = neo.Block()
    for names in (("a", "b"), ("b", "a")):
        segment = neo.Segment()
        segment.spiketrains.extend([neo.SpikeTrain([0.1], units="s", t_stop=1.0, name=name) for name in names])
        block.segments.append(segment)
    with pytest.raises(SimlabError, match="in the same order"):
        neo_exchange.from_neo(block)
