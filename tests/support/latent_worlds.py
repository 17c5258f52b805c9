"""Recordings whose latents are known: of populations with shared factors, without, and with a bump on a ring."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import xarray as xr

from circuits.latent.curved_manifold import CurvedManifold
from circuits.latent.latent_factors import LatentFactors
from circuits.latent.random_walk import RandomWalk
from circuits.latent.shifted_stimuli import ShiftedStimuli
from circuits.latent.smooth_noise import SmoothNoise
from simlab.data import recording
from simlab.instruments.recording.perfect import Perfect
from simlab.questions.latents import Latents
from simlab.scoring import score
from simlab.streams import stream

FACTORS = LatentFactors(n_neurons=40, factors=2)
NOISE = SmoothNoise(FACTORS)
RING = CurvedManifold(n_neurons=60, sharpness=2, model="rate")
WALK = RandomWalk(n_neurons=40, model="rate")
STIMULI = ShiftedStimuli(n_neurons=50)


@cache
def world(circuit: Any, trials: int = 30, duration: float = 2.0, seed: int = 0) -> tuple[xr.Dataset, xr.Dataset]:
    """A recording of all neurons, with the brief about latents, and the truth about these."""
    subject = circuit.subject(stream(seed, "subject"))
    session = subject.session(trials=trials, duration=duration, rng=stream(seed, "session"))
    activity = subject.run(session, stream(seed, "run"))
    seen = Perfect().implant(subject.anatomy, stream(seed, "implant")).record(activity, stream(seed, "record"))
    truth = subject.truth("latents", activity, stream(seed, "truth"))
    return seen.assign_attrs(brief=Latents().brief((), truth)), truth


def finding_of(method: Any, circuit: Any, seed: int = 0, **plan: Any) -> Any:
    """What a method finds in the world of a circuit."""
    return method.analyse(world(circuit, seed=seed, **plan)[0], np.random.default_rng(seed))


def scored(method: Any, circuit: Any, seed: int = 0, **plan: Any) -> dict[str, Any]:
    """The scores of the latents that a method finds there."""
    seen, truth = world(circuit, seed=seed, **plan)
    return score(finding_of(method, circuit, seed, **plan), truth, "latents", brief=seen.attrs["brief"])


def planted_tensor(seed: int = 0) -> tuple[xr.Dataset, np.ndarray]:
    """Rates of 20 units that two time courses drive, each by its own amount in each of 24 trials of four conditions.

    The latents: (trial, time, factor), each a time course times its amount, which the condition sets but for a fifth.
    """
    rng = np.random.default_rng(seed)
    time = (np.arange(50) + 0.5) / 50
    course = np.stack([np.exp(-(((time - 0.3) / 0.1) ** 2)), np.sin(2 * np.pi * time)], axis=1)
    condition = np.arange(24) % 4
    amount = np.array([[1, 0], [0, 1], [1, 1], [-1, 0.5]])[condition] + 0.2 * rng.standard_normal((24, 2))
    latent = amount[:, None, :] * course
    rate = 10 + 3 * latent @ rng.standard_normal((2, 20)) + rng.normal(0, 1, (24, 50, 20))
    seen = recording(
        duration=1.0, n_units=20, n_trials=24, signal=rate, modality="rate", sample_time=time, condition=condition
    )
    return seen.assign_attrs(brief={"times": tuple(time.tolist())}), latent


def small(units: int = 40, trials: int = 30) -> xr.Dataset:
    """Some of the recording of shared factors."""
    seen = world(FACTORS)[0]
    kept = np.flatnonzero((seen["spike_unit"].values < units) & (seen["spike_trial"].values < trials))
    part = seen.isel(spike=kept, unit=slice(units), trial=slice(trials))
    return part.assign_attrs(seen.attrs)


def silent() -> xr.Dataset:
    """Nobody fires."""
    none = np.zeros(0)
    return recording(duration=2.0, n_units=20, n_trials=10, spikes=(none, none, none))
