"""Ranges and spellings: what a rule says, and which unit was probably mistaken for another."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import pi
from typing import Any

SLIPS: Mapping[str, Mapping[str, float]] = {
    "V": {"mV": 1e-3, "uV": 1e-6},
    "V/Hz": {"mV/Hz": 1e-3},
    "s": {"ms": 1e-3, "us": 1e-6},
    "1/m^3": {"per mm^3": 1e9},
    "m": {"mm": 1e-3, "um": 1e-6, "nm": 1e-9},
    "Hz": {"kHz": 1e3},
    "rad": {"degrees": pi / 180},
    "bytes": {"GB": 1e9, "MB": 1e6},
    "": {"percent": 0.01},
}
"""Units that are given by mistake in place of another, and what one of them is in it."""


@dataclass(frozen=True)
class Within:
    """A range, ends included but for those in `excluding`; of a tuple, of each member. NaN lies in none."""

    low: float = float("-inf")
    high: float = float("inf")
    unit: str = ""
    excluding: tuple[float, ...] = ()

    def __contains__(self, value: Any) -> bool:
        return bool(self.low <= value <= self.high) and value not in self.excluding

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if self.high == float("inf"):
            return f"{'>' if self.low in self.excluding else '>='} {self.low:g}{unit}"
        without = [f"{end:g}" for end in self.excluding]
        left_out = f", {' and '.join(without)} left out" if without else ""
        return f"in {self.low:.12g}..{self.high:.12g}{unit}{left_out}"

    def slip(self, value: float) -> str:
        """What the value probably is, if in another unit it were within; "" if it is not."""
        if self.unit == "" and self.high != 1:  # percent are mistaken for shares, not for other numbers
            return ""
        for unit, factor in SLIPS.get(self.unit, {}).items():
            if abs(value) < 1e15 and value * factor in self:
                return f"if {value:g} {unit} was meant, write {value * factor:.6g}"
        return ""


@dataclass(frozen=True)
class Spelled:
    """Text that matches a regular expression as a whole; `words` say so."""

    pattern: str
    words: str

    def __contains__(self, value: Any) -> bool:
        return re.fullmatch(self.pattern, value) is not None

    def __str__(self) -> str:
        return self.words
