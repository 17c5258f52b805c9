"""Sets simlab up in `.venv` and runs it: `python3 lab.py run first_light`, `python3 lab.py test`.

Everything after the script's name goes to the `simlab` command; `test` runs the linters and the tests instead.
Only the standard library is needed to start.
"""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE / ".venv"
BINARIES = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")
CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("lint-imports",),
    ("pytest", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"),
)


def main(arguments: list[str]) -> int:
    if sys.version_info < (3, 11):  # noqa: UP036  (whoever starts this may have an older one)
        print(f"simlab needs Python 3.11 or later, this is {sys.version.split()[0]}", file=sys.stderr)
        return 2
    testing = arguments[:1] == ["test"]
    set_up("test" if testing else "all")
    if not testing:
        return call("simlab", *(arguments or ["--help"]))
    for check in CHECKS:
        extra = arguments[1:] if check[0] == "pytest" else []
        if status := call(*check, *extra):
            return status
    return 0


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
    install = ["-m", "pip", "install", "--quiet", "-c", "constraints.txt", "-e", f".[{extra}]"]
    subprocess.run([BINARIES / "python", *install], cwd=HERE, check=True)
    done.write_text(wanted)


def call(program: str, *arguments: str) -> int:
    """The exit status of a program of the environment."""
    path = os.pathsep.join([str(BINARIES), os.environ.get("PATH", "")])
    return subprocess.run([BINARIES / program, *arguments], cwd=HERE, env={**os.environ, "PATH": path}).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
