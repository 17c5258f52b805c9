"""Electrodes in NWB files: the table of channels, their probe, and the channel that each unit is at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from simlab.exchange.nwb_tables import MICRONS
from simlab.instruments.placement import UNIT_AXES

if TYPE_CHECKING:
    from pynwb import NWBFile

SAME_PLACE = 1e-9
"""Metres within which a unit lies at a channel."""


def add_electrodes(file: NWBFile, dataset: xr.Dataset, region: str) -> None:
    """The device, its group and the electrodes table of the recording's channels; NWB wants positions in microns."""
    if "channel" not in dataset.sizes:
        return
    device = file.create_device("probe", description="Simulated extracellular electrodes.")
    # NWB keeps groups beside the table "electrodes": one of that name would take its place.
    group = file.create_electrode_group("sites", description="Recording sites.", location=region, device=device)
    if "channel_label" in dataset.coords:
        file.add_electrode_column("channel_name", "Name of the channel.")
    for channel in range(dataset.sizes["channel"]):
        place = {
            a: float(dataset[f"channel_{a}"].values[channel]) / MICRONS for a in "xyz" if f"channel_{a}" in dataset
        }
        label = {"channel_name": dataset["channel_label"].values[channel]} if "channel_label" in dataset.coords else {}
        file.add_electrode(location=region, group=group, **place, **label)


def channels_of_units(dataset: xr.Dataset) -> np.ndarray | None:
    """The channel (unit,) at which each unit was sorted; None unless every unit lies right at one.

    Units that lie between channels, or that no channel recorded, are left without: nothing is guessed.
    """
    axes = [axis[-1] for axis in UNIT_AXES if axis in dataset]
    if not axes or any(f"channel_{axis}" not in dataset for axis in axes) or not dataset.sizes["channel"]:
        return None
    units = np.column_stack([dataset[f"unit_{axis}"].values for axis in axes])
    channels = np.column_stack([dataset[f"channel_{axis}"].values for axis in axes])
    apart = np.linalg.norm(units[:, None, :] - channels[None, :, :], axis=2)
    return apart.argmin(axis=1) if (apart.min(axis=1) <= SAME_PLACE).all() else None
