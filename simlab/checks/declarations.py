"""What a method says of itself: its family, whose code runs in it, and what it cannot do without."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from simlab.checks.examiner import Examiner, require
from simlab.contracts import Needs


def check_declarations(examine: Examiner, method: Any) -> bool:
    """Notes whether family, library and needs are declared properly; returns whether needs are, on which all else
    stands."""
    examine.holds("says to which family of analyses it belongs", lambda: _family(method))
    examine.holds("says whose code runs", lambda: _library(method))
    needs = examine.holds("says what it needs", lambda: _needs(method))
    return needs is not None


def _family(method: Any) -> str:
    family = getattr(method, "family", None)
    require(
        isinstance(family, str) and family.strip() != "",
        f"a method needs `family: ClassVar[str]`, the kind of analysis it is, such as 'regression'; got {family!r}",
    )
    return str(family)


def _library(method: Any) -> str:
    library = getattr(method, "library", None)
    require(
        isinstance(library, str) and library.strip() != "",
        "a method needs `library: ClassVar[str]`, the installed distribution whose implementation runs, or 'own'; "
        f"got {library!r}",
    )
    if getattr(method, "command", None) is None:  # a program in another language has libraries of its own
        for name in str(library).split(", "):
            require(
                name == "own" or _installed(name),
                f"library must be 'own' or the name of an installed distribution (several with ', ' between them), got "
                f"{name!r}: pip names it, which may differ from what is imported",
            )
    return str(library)


def _installed(distribution: str) -> bool:
    try:
        return bool(version(distribution))
    except (PackageNotFoundError, ValueError):
        return False


def _needs(method: Any) -> str:
    needs = getattr(method, "needs", None)
    require(
        isinstance(needs, Needs),
        f"a method needs `needs: ClassVar[Needs]`, such as simlab.Needs(('spikes',), units=2), got {needs!r}: "
        "where they are missing the lab abstains for it",
    )
    assert isinstance(needs, Needs)  # for the type checker: `require` has raised
    require(
        isinstance(needs.modalities, tuple) and all(isinstance(name, str) for name in needs.modalities),
        f"needs.modalities must be a tuple of names, got {needs.modalities!r}: write ('spikes',) for a single one",
    )
    for name in ("units", "trials"):
        value = getattr(needs, name)
        require(value == int(value) and value >= 1, f"needs.{name} must be a whole number >= 1, got {value!r}")
    require(needs.seconds >= 0, f"needs.seconds must be >= 0 s, got {needs.seconds!r}")
    return ", ".join(needs.modalities) or "any recording"
