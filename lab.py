"""Sets simlab up in `.venv` and runs it: `python3 lab.py run first_light`, `python3 lab.py test`.

Everything after the script's name goes to the `simlab` command; `test` runs the linters and the tests instead.
Only the standard library is needed to start.
"""

import hashlib
import os
import subprocess
import sys
import time
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE / ".venv"
BINARIES = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")
FIRST = (("ruff", "check", "."), ("ruff", "format", "--check", "."))
BESIDE = (("mypy",), ("lint-imports",))
"""Checks of one thread each, for which two cores need not wait."""
COLLECT = ("pytest", "--collect-only", "-q")
"""Compiles what the tests import, and the tests, which otherwise each of the two that run them would do."""
TESTS = ("pytest", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")


def main(arguments: list[str]) -> int:
    if sys.version_info < (3, 11):  # noqa: UP036  (whoever starts this may have an older one)
        print(f"simlab needs Python 3.11 or later, this is {sys.version.split()[0]}", file=sys.stderr)
        return 2
    testing = arguments[:1] == ["test"]
    set_up("test" if testing else "all")
    return test(arguments[1:]) if testing else start("simlab", *(arguments or ["--help"])).wait()


def test(chosen: list[str]) -> int:
    """The linters, and the tests that are chosen by arguments of pytest: 0 or the status of the first that fails."""
    for check in FIRST:
        if status := start(*check).wait():
            return status
    beside = [start(*check) for check in BESIDE]
    collected = start(*COLLECT, *chosen, stdout=subprocess.DEVNULL)
    collected.wait()  # what is wrong with it the tests themselves will tell
    return passed([*beside, start(*TESTS, *chosen)])


def set_up(extra: str) -> None:
    """Installs simlab with an extra unless that was done for these very pins."""
    pins = [(HERE / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
    wanted = hashlib.sha256(b"".join(pins)).hexdigest()
    done = ENVIRONMENT / f"installed-{extra}"
    if done.is_file() and done.read_text() == wanted:
        return
    if not BINARIES.is_dir():
        print("setting up .venv (some minutes, once) ...", file=sys.stderr)
        venv.create(ENVIRONMENT, with_pip=True)
    for what in (["pip"], ["-e", f".[{extra}]"]):  # the pip of Python 3.11 takes twice as long as a later one
        install = ["-m", "pip", "install", "--quiet", "--no-compile", "-c", "constraints.txt", *what]
        subprocess.run([BINARIES / "python", *install], cwd=HERE, check=what != ["pip"])  # an old pip does as well
    # Sealed methods may write nowhere, and would each compile what they import; pip compiles on one core alone.
    subprocess.run([BINARIES / "python", "-m", "compileall", "-qq", "-j", "2", *map(str, libraries())], cwd=HERE)
    done.write_text(wanted)


def libraries() -> list[Path]:
    """Where the environment keeps what was installed."""
    found = {folder.resolve() for folder in ENVIRONMENT.glob("lib*/python*/site-packages")}  # lib64 is a link to lib
    return sorted(found) or [ENVIRONMENT / "Lib" / "site-packages"]


def start(program: str, *arguments: str, **how: int) -> subprocess.Popen:
    """A program of the environment, which now runs. It keeps what it compiles: nothing else has compiled it."""
    seen = os.environ | {"PATH": os.pathsep.join([str(BINARIES), os.environ.get("PATH", "")])}
    seen.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.Popen([BINARIES / program, *arguments], cwd=HERE, env=seen, **how)


def passed(running: list[subprocess.Popen]) -> int:
    """0 once all have ended well, else the first other status, at which the rest are ended."""
    while running:
        time.sleep(0.1)
        for process in [process for process in running if process.poll() is not None]:
            running.remove(process)
            if process.returncode:
                for other in running:
                    other.terminate()
                return process.returncode
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
