"""What Brian2 says of equations that cannot run, as a SimlabError that says where, why, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from simlab.contracts import SimlabError
from simlab.simulators.spiking_plan import InexpressibleError

REMEDY = "write the equations as Brian2 takes them, each variable with its unit, parameters declared (shared, constant)"

_DECLARE = "declare that name in the equations with its unit, and give its value in `parameters`"

REMEDIES = (
    ("could not be resolved", _DECLARE),
    ("inconsistent units", "make all terms have one unit"),
    ("different units", "make all terms have one unit"),
    ("does not have the expected unit", "make both sides have one unit"),
    ("does not have the same dimensions", "make both sides have one unit"),
    ("end of text", "write each equation on a line of its own with its unit, as 'dv/dt = -v/tau : volt'"),
    ("Parsing the statement failed", "write statements as 'v = -60*mV; u += 1'"),
    ("Refractory expression", "give a time in seconds, or a condition as 'v > -40*mV'"),
    ("not a boolean expression", "write a comparison, as 'v > -50*mV'"),
    ("event 'spike'", "give the presynaptic population a threshold, or connect it by a Coupling"),
    ("needs a corresponding parameter", "declare the target without an equation of its own, as 'current : amp'"),
    ("No state updater", "use euler, heun, milstein, exact, exponential_euler, rk2 or rk4"),
    ("is that of a function", "give the variable another name"),
    ("separated into linear components", "use another method, such as exponential_euler or rk4"),
)
"""What to do about what Brian2 says, by words in it."""

_UNITS = {
    "m^2 kg s^-3 A^-1": "volt",
    "m^2 kg s^-4 A^-1": "volt/second",
    "m^2 kg s^-3 A^-2": "ohm",
    "m^-2 kg^-1 s^3 A^2": "siemens",
    "m^-2 kg^-1 s^4 A^2": "farad",
    "metre ** 2 * kilogram * second ** -4 * amp ** -1": "volt/second",
}
"""What Brian2 calls some units, and what they are."""

_NOISE = ("The object was created", "File ", "An error occurred when preparing an object", "Error encountered with")


@contextmanager
def in_brians_words(where: str, equations: str = "") -> Iterator[None]:
    """Turns what Brian2 says of equations that cannot run into a SimlabError that says where, and in which of them."""
    try:
        yield
    except (SimlabError, InexpressibleError):
        raise
    except Exception as error:  # Brian2 raises anything from its own classes to a bare KeyError
        text = said(error)
        raise SimlabError(f"{where} cannot run: {text}{_place(equations, text)}; {remedy(text)}") from error


def said(error: BaseException) -> str:
    """An error in one line, with what caused it; without what only repeats, and without where in Brian2 it arose."""
    parts: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        text = _line(cause)
        if text and not any(text in part for part in parts):
            parts.append(text)
        cause = cause.__cause__
    return ": ".join(parts) or type(error).__name__


def remedy(text: str) -> str:
    """What to do about it."""
    return next((what for words, what in REMEDIES if words in text), REMEDY)


def _line(error: BaseException) -> str:
    text = str(error.args[0]) if error.args and isinstance(error.args[0], str) else str(error)
    lines = [line.strip() for line in text.strip().splitlines() if line.strip(" ^")]
    kept = re.sub(r"\bweight_\b", "w", " ".join(line for line in lines if not line.startswith(_NOISE)))
    for dimensions, unit in _UNITS.items():
        kept = re.sub(re.escape(dimensions) + r"(?![ ^]*[\w^-])", unit, kept)
    kept = re.sub(r"<function (\w+) at 0x\w+>", r"the name '\1' is that of a function", kept)
    kept = kept.replace("%Expression", "Expression").replace("'{method}'", "given").removeprefix("SympifyError: ")
    return re.sub(r"\s+", " ", kept).rstrip(".: ")


def _place(equations: str, text: str) -> str:
    """The equation that an error is about, if it does not tell: the first that uses a name, or that has no syntax."""
    name = re.search(r'identifier "(\w+)" could not', text)
    for line in _each(equations):
        right = re.sub(r"^[^=:]*=|:[^:]*$", "", line)
        if (name and re.search(rf"\b{name[1]}\b", right)) or (not name and "=" in line and not _parses(right)):
            return f" in {line!r}"
    return ""


def _each(equations: str) -> Iterator[str]:
    """Equations, which may go over several lines, each in one."""
    begun = ""
    for line in equations.splitlines():
        begun = f"{begun} {line.split('#')[0].strip()}".strip()
        if ":" in line or not begun:
            yield begun
            begun = ""
    yield begun


def _parses(expression: str) -> bool:
    try:
        compile(expression.strip(), "<equation>", "eval")
    except SyntaxError:
        return False
    return True
