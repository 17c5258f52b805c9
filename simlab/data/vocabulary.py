"""Every dim and variable that an Activity or a Recording may have."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

DIMS = (
    "trial", "time", "sample", "neuron", "unit", "channel", "spike", "pre", "post", "factor", "feature", "condition",
    "step", "model_unit",
)  # fmt: skip

ACTIVITY: Mapping[str, tuple[str, ...]] = {
    "spike_trial": ("spike",),
    "spike_time": ("spike",),  # s
    "spike_neuron": ("spike",),
    "rate": ("trial", "time", "neuron"),  # Hz, or dimensionless where the circuit says so
    "latent": ("trial", "time", "factor"),  # what rates are a function of; for truths: no instrument passes it on
    "stimulus": ("trial", "time", "feature"),
    "behaviour": ("trial", "time", "factor"),
    "condition": ("trial",),
    "outcome": ("trial",),  # how well the trial's behaviour served its task, 0 to 1
}
"""Variables of an Activity and their dims. Coordinates: trial, time [s], neuron."""

RECORDING: Mapping[str, tuple[str, ...]] = {
    "spike_trial": ("spike",),
    "spike_time": ("spike",),  # s
    "spike_unit": ("spike",),
    "signal": ("trial", "sample", "unit"),  # attrs: modality, units; over `channel` where it is beside spikes
    "sample_time": ("sample",),  # s from trial onset
    "stimulus": ("trial", "time", "feature"),
    "behaviour": ("trial", "time", "factor"),
    "condition": ("trial",),
    "outcome": ("trial",),  # how well the trial's behaviour served its task, 0 to 1
    "trial_duration": ("trial",),  # s; only where trials differ in length
    "trial_start": ("trial",),  # s on the recording's clock; only where it has one
    "contacts": ("pre", "post"),  # synapses that were seen from one unit to another; pre and post are units
    "unit_x": ("unit",),  # m
    "unit_y": ("unit",),  # m
    "unit_z": ("unit",),  # m
    "unit_quality": ("unit",),  # the share of a unit's spikes that its sorter trusts, 0 to 1
    "unit_region": ("unit",),  # number of the region that it lies in, in no order; only where there are several
    "channel_x": ("channel",),  # m
    "channel_y": ("channel",),  # m
    "channel_z": ("channel",),  # m
    "model_response": ("trial", "step", "model_unit"),  # what candidate models do when they are shown the same
    "model_time": ("step",),  # s from trial onset
    "model": ("model_unit",),  # the candidate that a unit of a model belongs to, by its place in the brief
    "model_individual": ("model_unit",),  # which of the model's individuals it is
}
"""Variables of a Recording and their dims: the whitelist of what a method may see."""

RECORDING_ATTRS = ("duration", "brief", "resolution", "conditions", "unread")
"""Attributes that survive: the longest trial's length [s]; what the question tells the method; how finely spike times
are known [s], where that is not exactly; names of the conditions; what a reader could not use of a file."""

LABELS = {"feature": "feature", "factor": "factor", "unit_label": "unit", "channel_label": "channel"}
"""Coordinates of names and the dims that they stand along. Labels of units and channels never reach a blind method."""

UNIT_DIMS = ("unit", "pre", "post")
"""Dims of a Recording along which its units stand."""

UNITS = {
    "spike_time": "s", "time": "s", "sample_time": "s", "rate": "Hz", "trial_duration": "s", "trial_start": "s",
    "unit_x": "m", "unit_y": "m", "unit_z": "m", "channel_x": "m", "channel_y": "m", "channel_z": "m",
    "model_time": "s",
}  # fmt: skip

DTYPES = {
    "spike_trial": np.int32, "spike_neuron": np.int32, "spike_unit": np.int32, "condition": np.int32,
    "contacts": np.int32, "unit_region": np.int32, "model": np.int32, "model_individual": np.int32,
}  # fmt: skip
