"""The arguments of a kernel: which arrays and numbers its code uses, under which names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

TYPES = {
    **dict.fromkeys(("first", "stop", "burn_in", "offset", "size", "first_neuron", "sample_every"), "int64"),
    **dict.fromkeys(("dt", "scalar", "noise_own", "noise_common"), "float64"),
    **dict.fromkeys(("noise", "drawn", "neuron", "invariant", "sent", "heard", "synapse"), "float64[::1]"),
    **dict.fromkeys(
        ("seen", "last", "forced", "forced_bounds", "history_count", "delay", "bounds", "ear"), "int64[::1]"
    ),
    **dict.fromkeys(("fired", "spike_step", "spike_neuron", "pre", "post", "row"), "int32[::1]"),
    **dict.fromkeys(("table", "loading"), "float64[:, ::1]"),
    **dict.fromkeys(("sharing", "runs"), "int64[:, ::1]"),
    "history": "int32[:, ::1]",
    "kept": "float32[:, ::1]",
    "ready": "boolean[::1]",
    "stream": "uint64[::1]",
}
"""What kind of argument has which type in compiled code."""


class Argument(NamedTuple):
    """One argument: what kind of thing it is (see `TYPES`), of which population or link (-1: of neither), its name."""

    kind: str
    owner: int
    name: str

    @property
    def code(self) -> str:
        """Its name in compiled code."""
        return "_".join([self.kind, *([str(self.owner)] if self.owner >= 0 else []), *([self.name] * bool(self.name))])


@dataclass
class Arguments:
    """The arguments of one kernel, in order of first use."""

    used: dict[Argument, None] = field(default_factory=dict)

    def __call__(self, kind: str, owner: int = -1, name: str = "") -> str:
        """The name of an argument in compiled code, which thereby becomes one."""
        argument = Argument(kind, owner, name)
        self.used[argument] = None
        return argument.code

    def like(self, others: Iterable[Argument]) -> None:
        """Adds arguments of another kernel's."""
        self.used |= dict.fromkeys(others)

    def codes(self) -> list[str]:
        """Their names in compiled code."""
        return [argument.code for argument in self.used]

    def signature(self) -> str:
        """The type of a function of them that returns a whole number, as numba writes it."""
        return f"int64({', '.join(TYPES[argument.kind] for argument in self.used)})"

    def listed(self) -> list[tuple[str, int, str]]:
        """All of them as plain tuples (kind, owner, name)."""
        return [(each.kind, each.owner, each.name) for each in self.used]
