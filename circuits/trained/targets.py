"""What a network that keeps track of a place is trained to say of it: five target codes (Schaeffer et al. 2022)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

Code = Literal["cartesian", "polar", "gaussian", "difference_of_gaussians", "difference_of_softmaxes"]

FIELDS = ("gaussian", "difference_of_gaussians", "difference_of_softmaxes")
"""Codes whose outputs are cells with fields; they are fitted by cross-entropy, the other two by squared error."""

LATTICE = 44
"""Places along the box's edge among which outputs are decoded: 5 cm apart in a box of 2.2 m, as maps have bins there
(FieteLab/NeurIPS-2022-No-Free-Lunch, sweeps/pc_ce_dog_ideal.yaml)."""


@dataclass(frozen=True, eq=False)
class Target:
    """One drawn target code.

        cartesian                 x, y from the middle of the box [m]
        polar                     a_i r + b_i of half of the outputs, exp(cos(theta - m_i)) of the others
        gaussian                  softmax_i(-d_i^2 / (2 s_i^2))
        difference_of_gaussians   exp(-d_i^2 / (2 s_i^2)) - exp(-d_i^2 / (2 (q_i s_i)^2)), raised to a least value of 0
                                  and divided by the sum over outputs
        difference_of_softmaxes   the same of softmax_i(-d_i^2 / (2 s_i^2)) - softmax_i(-d_i^2 / (2 (q_i s_i)^2))

    with d_i the distance from the nearest field of output i, in units of its width. Read in the authors' repository
    (mec_hpc_investigations/models/helper_classes.py). The softmaxes are over outputs: with many of them that are alike
    they are Gaussians of volume 1, so that their difference is one of centre and surround in balance; the difference of
    Gaussians there has equal peaks, not volumes, and is zero in the middle of a field.

    centres (output, field, 2) [m], infinite where an output has fewer fields; widths, ratios (output, field). slopes,
    offsets, angles (half of the outputs,): of `polar`.
    """

    code: Code
    box: float
    centres: np.ndarray
    widths: np.ndarray
    ratios: np.ndarray
    slopes: np.ndarray
    offsets: np.ndarray
    angles: np.ndarray

    @property
    def crossed(self) -> bool:
        """Whether outputs are shares of a whole, fitted by cross-entropy."""
        return self.code in FIELDS

    @property
    def n_outputs(self) -> int:
        """How many numbers tell a place."""
        return 2 if self.code == "cartesian" else len(self.centres)

    def at(self, place: np.ndarray) -> np.ndarray:
        """The code (..., output) of places (..., 2) [m] in the box, in single precision."""
        flat = np.asarray(place, dtype=np.float32).reshape(-1, 2)
        told = np.concatenate([self._at(part) for part in _parts(flat, 2048)])
        return told.reshape(*np.shape(place)[:-1], -1)

    def _at(self, place: np.ndarray) -> np.ndarray:
        off = place - np.float32(self.box / 2)
        if self.code == "cartesian":
            return off
        if self.code == "polar":
            distance, angle = np.linalg.norm(off, axis=1, keepdims=True), np.arctan2(off[:, 1:], off[:, :1])
            told = distance * self.slopes + self.offsets, np.exp(np.cos(angle - self.angles))
            return np.concatenate(told, axis=1).astype(np.float32)
        square = np.square(place[:, None, None] - self._near.astype(np.float32)).sum(axis=-1) / 2
        inner, outer = (square / width.astype(np.float32) ** 2 for width in (self.widths, self.widths * self.ratios))
        nearest = inner.argmin(axis=-1)[..., None]
        centre, surround = (-np.take_along_axis(each, nearest, axis=-1)[..., 0] for each in (inner, outer))
        if self.code == "gaussian":
            return _softmax(centre)
        bump = np.exp if self.code == "difference_of_gaussians" else _softmax
        raised = bump(centre) - bump(surround)
        raised -= raised.min(axis=1, keepdims=True)
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))

    @property
    def _near(self) -> np.ndarray:
        """Centres; far away instead of infinitely far, where nothing is left of a field but its order."""
        return np.nan_to_num(self.centres, posinf=FAR)

    def cue(self, place: np.ndarray) -> np.ndarray:
        """The code (..., output) of places (..., 2) [m] as a network is told it: less its mean, in standard deviations,
        both over all outputs and places."""
        book = self._book
        return np.asarray((self.at(place) - book.mean()) / book.std())

    def decoded(self, output: np.ndarray) -> np.ndarray:
        """The places (..., 2) [m] that outputs (..., output) tell best.

        Of codes with fields, the place of a lattice over the box whose code diverges least (Kullback & Leibler) from
        the shares that the outputs tell, which is what was trained; the repository takes the middle of the three cells
        with the largest outputs, which needs cells with one field. Of the others, the place in the least-squares sense.
        """
        flat = output.reshape(-1, output.shape[-1]).astype(np.float32)
        if self.code == "cartesian":
            place = flat + self.box / 2
        elif self.code == "polar":
            place = self._unpolar(flat)
        else:
            log_share = flat - flat.max(axis=1, keepdims=True)
            log_share -= np.log(np.exp(log_share).sum(axis=1, keepdims=True))
            own = (self._book * np.log(self._book + 1e-12)).sum(axis=1)
            best = [(part @ self._book.T - own).argmax(axis=1) for part in _parts(log_share)]
            place = self._lattice[np.concatenate(best)]
        return np.asarray(place.reshape(*output.shape[:-1], 2))

    def _unpolar(self, flat: np.ndarray) -> np.ndarray:
        half = len(self.slopes)
        distance = (flat[:, :half] - self.offsets) @ self.slopes / (self.slopes @ self.slopes)
        waves = np.stack([np.ones(half), np.cos(self.angles), np.sin(self.angles)], axis=1)
        fitted = flat[:, half:] @ np.linalg.pinv(waves).T  # exp(cos a) is I_0(1) + 2 I_1(1) cos a, and little more
        angle = np.arctan2(fitted[:, 2], fitted[:, 1])
        return self.box / 2 + distance[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    @cached_property
    def _lattice(self) -> np.ndarray:
        return (np.indices((LATTICE, LATTICE)).reshape(2, -1).T + 0.5) / LATTICE * self.box

    @cached_property
    def _book(self) -> np.ndarray:
        return self.at(self._lattice)


FAR = 1e3
"""m: where fields are put that an output does not have."""


def _parts(rows: np.ndarray, size: int = 4096) -> list[np.ndarray]:
    """(at least one) parts of so many rows each."""
    return [rows[k : k + size] for k in range(0, max(len(rows), 1), size)]


def _softmax(drive: np.ndarray) -> np.ndarray:
    """Over outputs, of drives (place, output)."""
    share = np.exp(drive - drive.max(axis=1, keepdims=True))
    return np.asarray(share / share.sum(axis=1, keepdims=True))


def drawn(
    code: Code, box: float, n_outputs: int, width: float, ratio: float, scales: float, ratios: float,
    more_fields: float, rng: np.random.Generator,
) -> Target:  # fmt: skip
    """A target code with fields anywhere in the box.

    scales: widths are even between width / scales and width * scales; ratios: of surround to centre, even within this
    of `ratio`; more_fields: mean of the Poisson number of fields beyond the first.
    """
    n_fields = 1 + rng.poisson(more_fields, n_outputs)
    shape = (n_outputs, int(n_fields.max()))
    centres = rng.uniform(0, box, (*shape, 2))
    centres[np.arange(shape[1]) >= n_fields[:, None]] = np.inf
    half = n_outputs // 2
    return Target(
        code, box, centres, rng.uniform(width / scales, width * scales, shape),
        rng.uniform(ratio - ratios, ratio + ratios, shape), rng.uniform(-1, 1, half), rng.uniform(-1, 1, half),
        rng.uniform(-np.pi, np.pi, half),
    )  # fmt: skip
