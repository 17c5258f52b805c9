"""Where a foraging animal is: a random walk of speed and heading in a box with walls, all trials at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from simlab.rules import Within, check_fields

STEP = 0.01
"""s between positions (RatInABox's default; cameras see 25 to 50 frames per second)."""

Memory = Annotated[float, Within(0.01, 10, "s")]


@dataclass(frozen=True)
class Walk:
    """How it moves: an Ornstein-Uhlenbeck process z of speed and one, w, of rotational velocity.

        speed = Rayleigh's quantile of Phi(z),   dheading/dt = w,   dx/dt = speed (cos heading, sin heading)

    The motion model and the parameters of RatInABox (George et al. 2024, eLife 13:e85274, fitted there to rats of
    Sargolini et al. 2006). What is simpler here: walls reflect, so that places are visited evenly, where rats
    linger near walls; and `mean_speed` is the mean of the speed, where RatInABox's is the scale of the Rayleigh
    distribution, whose mean is 1.25 times that.
    """

    mean_speed: Annotated[float, Within(0.001, 1, "m/s")] = 0.08
    speed_memory: Memory = 0.7  # s, coherence time of the speed
    turning: Annotated[float, Within(0, 50, "rad/s")] = 2.0944  # standard deviation of w: 120 degrees per second
    turning_memory: Memory = 0.08  # s, coherence time of w
    box: Annotated[float, Within(0.1, 10, "m")] = 1.0  # edge of the square (Hafting et al. 2005: 1 m, and more)

    def __post_init__(self) -> None:
        check_fields(self)


def velocities(walk: Walk, trials: int, steps: int, rng: np.random.Generator) -> np.ndarray:
    """Velocity (trial, step, 2) [m/s] of an animal that meets no wall, every `STEP`; trials are independent."""
    from scipy.special import log_ndtr

    scale = walk.mean_speed / np.sqrt(np.pi / 2)
    speed = scale * np.sqrt(-2 * log_ndtr(-wandering(trials, steps, walk.speed_memory, rng)))
    turn = walk.turning * wandering(trials, steps, walk.turning_memory, rng)
    heading = rng.uniform(0, 2 * np.pi, (trials, 1)) + np.cumsum(turn * STEP, axis=1)
    return speed[..., None] * np.stack([np.cos(heading), np.sin(heading)], axis=-1)


def positions(walk: Walk, trials: int, steps: int, rng: np.random.Generator) -> np.ndarray:
    """Position (trial, step, 2) [m] in the box, every `STEP`; each trial begins anywhere.

    A path that would leave the box is folded back at the wall, as if walls were mirrors, however often.
    """
    moved = np.cumsum(velocities(walk, trials, steps, rng) * STEP, axis=1)
    free = rng.uniform(0, walk.box, (trials, 1, 2)) + moved
    return walk.box - np.abs(np.mod(free, 2 * walk.box) - walk.box)


def wandering(trials: int, steps: int, memory: float, rng: np.random.Generator) -> np.ndarray:
    """A stationary Ornstein-Uhlenbeck process (trial, step) of variance 1, exact at its steps of `STEP`."""
    from scipy.signal import lfilter

    kept = np.exp(-STEP / memory)
    kicks = rng.standard_normal((trials, steps))
    kicks[:, 1:] *= np.sqrt(1 - kept**2)
    return lfilter([1.0], [1.0, -kept], kicks, axis=1)
