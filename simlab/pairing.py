"""Which instrument can record which circuit: told by what they declare, before anything is simulated.

A circuit may say in `modalities` what its activity holds (`spikes`, `rate`), an instrument in `needs` what it cannot do
without, as a method does. Where either says nothing, they are tried, and what cannot be recorded shows itself then.
"""

from __future__ import annotations

from typing import Any

from simlab.contracts import Needs, SimlabError
from simlab.naming import name_of


def check_pair(circuit: Any, instrument: Any) -> None:
    """Raises SimlabError where the circuit gives nothing of what the instrument needs."""
    given = tuple(getattr(circuit, "modalities", ()))
    needs = getattr(instrument, "needs", None)
    wanted = needs.modalities if isinstance(needs, Needs) else ()
    if given and wanted and not set(given) & set(wanted):
        raise SimlabError(
            f"the instrument {name_of(instrument)} needs {' or '.join(wanted)}, and the circuit {name_of(circuit)} has "
            f"{' and '.join(given)} alone: choose another instrument (perfect and subsample record any circuit), "
            f"or a circuit that has {' or '.join(wanted)}"
        )
