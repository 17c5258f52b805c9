"""Which instrument can record which circuit, and what it is shown of a subject: told by what they declare.

A circuit may say in `modalities` what its activity holds (`spikes`, `rate`) and whether its anatomy states who contacts
whom (`connectome`), an instrument in `needs` what it cannot do
without, as a method does. Where either says nothing, they are tried, and what cannot be recorded shows itself then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simlab.contracts import CONNECTOME, Needs, SimlabError
from simlab.naming import name_of

if TYPE_CHECKING:
    import xarray as xr


def check_pair(circuit: Any, instrument: Any) -> None:
    """Raises SimlabError where the circuit gives nothing of what the instrument needs."""
    given = tuple(getattr(circuit, "modalities", ()))
    wanted = wanted_by(instrument)
    if given and wanted and not set(given) & set(wanted):
        raise SimlabError(
            f"the instrument {name_of(instrument)} needs {' or '.join(wanted)}, and the circuit {name_of(circuit)} has "
            f"{' and '.join(given)} alone: choose another instrument (perfect and subsample record any circuit), "
            f"or a circuit that has {' or '.join(wanted)}"
        )


def shown_to(instrument: Any, anatomy: xr.Dataset) -> xr.Dataset:
    """The anatomy as an instrument or stimulator may have it: without the wiring, unless it needs a `connectome`."""
    return anatomy if CONNECTOME in wanted_by(instrument) else anatomy.drop_vars("contacts", errors="ignore")


def wanted_by(instrument: Any) -> tuple[str, ...]:
    """The modalities of which the instrument needs one; none where it does not say."""
    needs = getattr(instrument, "needs", None)
    return needs.modalities if isinstance(needs, Needs) else ()
