"""What a recording, or a rig, fixes of the answer that is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simlab.questions.form import sizes_of


def known_of(material: Any) -> tuple[dict[str, int], Mapping[str, Any]]:
    """The lengths of the dims that a recording or rig fixes, and what the question tells the method beside it."""
    if hasattr(material, "record"):
        return sizes_of(material.units), material.brief
    return sizes_of(material), material.attrs.get("brief", {})
