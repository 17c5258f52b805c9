"""The command line: list, show, run, results, claims, report, generate, check, archive.

Nothing heavy is imported before a command needs it; `simlab --help` and `simlab list` touch only metadata.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from simlab.bars import progress_bar as _progress_bar
from simlab.bars import simulation_bar as _simulation_bar

app = typer.Typer(
    name="simlab",
    help="A simulated neuroscience lab: how often does an analysis recover a mechanism that is known?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

KINDS = ("circuits", "instruments", "methods", "questions", "experiments")
Folder = Annotated[Path, typer.Argument(help="Run folder: the --out of `simlab run`.", metavar="DIR")]


Settings = Annotated[
    list[str] | None, typer.Option("--set", help="A parameter: n_units=30, or subsample.n_units=30. Repeatable.")
]


def main(arguments: list[str] | None = None) -> None:
    """The console script: what a user did wrong ends with one clear line and exit status 2."""
    from simlab.errors import SimlabError

    try:
        app(arguments, prog_name="simlab")
    except SimlabError as error:
        _end(str(error))
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None
    except OSError as error:  # a disk or folder that does not let us
        _end(f"{error.strerror or error}: {error.filename or 'no file named'}")


def _end(message: str) -> None:
    print(f"simlab: {' '.join(message.split())}", file=sys.stderr)
    raise SystemExit(2)


def _print_version(wanted: bool) -> None:
    if wanted:
        from simlab import __version__

        print(f"simlab {__version__}")
        raise typer.Exit()


@app.callback()
def simlab(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version, and exit.")
    ] = False,
) -> None:
    """A simulated neuroscience lab: how often does an analysis recover a mechanism that is known?"""


@app.command("list")
def list_(
    kind: Annotated[str | None, typer.Argument(help=f"One of {', '.join(KINDS)}; all if left out.")] = None,
) -> None:
    """List what is there, by name."""
    from simlab.registry import names

    for group in (kind,) if kind else KINDS:
        found = names(group)
        if kind is None:
            print(f"{group}:")
        for name in found:
            print(name if kind else f"  {name}")


@app.command()
def show(
    name: str,
    figure: Annotated[Path | None, typer.Option(help="Draw its portrait into this PNG, SVG or PDF file.")] = None,
    settings: Settings = None,
) -> None:
    """Show a plug-in's documentation, parameters, and truths or needs; or draw its portrait."""
    from simlab.describe import description
    from simlab.registry import find

    kind, found = find(name)
    if settings:
        found = _with_settings(kind, name, found, settings)
    if figure is not None:
        from simlab.report.portrait import check_portrait, portrait

        check_portrait(found, figure)
    print(description(name, kind, found))
    if figure is not None:
        print(f"portrait: {portrait(found, figure)}")


@app.command()
def run(
    experiment: Annotated[str, typer.Argument(help="A name from `simlab list experiments`, or a Python file.")],
    subjects: Annotated[int | None, typer.Option(help="Subjects per cell, instead of the experiment's own.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes; the number of cores by default.")] = None,
    out: Annotated[Path | None, typer.Option(help="Run folder; runs/NAME by default.")] = None,
    seed: Annotated[str | None, typer.Option(help="Another seed than the experiment's: any number or word.")] = None,
    strict: Annotated[
        bool | None,
        typer.Option("--strict/--no-strict", help="Seal every method, with a secret seed; or none. Else: in workers."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    engine: Annotated[
        str | None,
        typer.Option(help="Of spiking networks: auto (the default), kernel, brian2 (the reference) or brian2-cython."),
    ] = None,
    settings: Settings = None,
    report: Annotated[
        bool, typer.Option("--report/--no-report", help="Write the report (`simlab report` can later).")
    ] = True,
) -> None:
    """Run an experiment, print its leaderboard and claims, and write its report."""
    from simlab.provenance import machine
    from simlab.running.loop import run as run_experiment

    with _progress_bar() as progress:
        found = run_experiment(
            experiment,
            out,
            subjects=subjects,
            workers=int(machine()["cores"]) if workers is None else workers,
            strict=strict,
            resume=resume,
            seed=_seed(seed),
            progress=progress,
            settings=settings or (),
            engine=engine,
        )
    _print_summary(found)
    if report:
        from simlab.report import write_report

        print(f"report: {write_report(found)}")


@app.command()
def results(
    folder: Folder,
    csv: Annotated[bool, typer.Option("--csv", help="Every cell as CSV.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Every cell as JSON records.")] = False,
    parquet: Annotated[Path | None, typer.Option(help="Write every cell to this Parquet file.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every column of the leaderboard.")] = False,
    errors: Annotated[bool, typer.Option("--errors", help="Why cells failed, and where in the code.")] = False,
) -> None:
    """Print the leaderboard of a run, or every cell as CSV or JSON, on standard output."""
    from simlab.results import Results

    chosen = {"--csv": csv, "--json": json, "--parquet": parquet is not None, "--all": everything, "--errors": errors}
    _check_one_form(chosen)
    found = Results(folder)
    if parquet is not None:
        _to_parquet(found, parquet)
    elif csv:
        found.table.to_csv(sys.stdout, index=False)
    elif json:
        found.table.to_json(sys.stdout, orient="records", indent=1)
        print()
    elif errors:
        from simlab.terminal import errors_text

        print(errors_text(found))
    else:
        _print_progress(found)
        _print_board(found, everything)


@app.command()
def claims(folder: Folder) -> None:
    """Check the experiment's claims on a run; exit status 1 unless every one holds."""
    from simlab.results import Results
    from simlab.terminal import claim_text

    verdicts = Results(folder).claims()
    for verdict in verdicts:
        print(claim_text(verdict))
    if not verdicts:
        print("the experiment makes no claims")
    if any(verdict.verdict in ("fails", "not measured") for verdict in verdicts):
        raise SystemExit(1)


@app.command()
def score(
    folder: Folder,
    criteria: Annotated[
        list[str] | None, typer.Option("--set", help="A question's criterion: connectivity.least_mcc=0.4. Repeatable.")
    ] = None,
) -> None:
    """Score the kept findings of a run again, as the questions now are, without analysing anew."""
    from simlab.running.rescoring import score_again

    _print_board(score_again(folder, _questions(folder, criteria or [])))


@app.command()
def bound(
    folder: Folder,
    subjects: Annotated[int, typer.Option(help="New individuals of each circuit, at least 10.")] = 40,
) -> None:
    """Measure what could be known: how well a classifier trained on truth tells circuits from rivals."""
    from simlab.bars import progress_bar
    from simlab.bounds.of_run import measure
    from simlab.results import Results
    from simlab.terminal import bounds_text

    found = Results(folder)
    with progress_bar() as told:
        rows = measure(found, subjects, told)
    print(bounds_text(rows))


@app.command()
def report(folder: Folder) -> None:
    """Write the report of a run, one self-contained HTML file, and its figures."""
    from simlab.report import write_report
    from simlab.results import Results

    print(write_report(Results(folder)))


@app.command()
def generate(
    circuit: Annotated[str, typer.Argument(help="A name from `simlab list circuits`.")],
    trials: Annotated[int, typer.Option(help="Number of trials.")],
    duration: Annotated[float, typer.Option(help="Length of each trial [s].")],
    out: Annotated[Path, typer.Option(help="Where the data go: a .nwb file or a .zarr folder.")],
    instrument: Annotated[str, typer.Option(help="A name from `simlab list instruments`.")] = "perfect",
    truth: Annotated[Path | None, typer.Option(help="Where the truth goes, in its own file.")] = None,
    seed: Annotated[str, typer.Option(help="Seed of the subject and its recording.")] = "0",
    settings: Settings = None,
) -> None:
    """Generate a synthetic dataset; its truth goes into a file of its own."""
    from simlab.contracts import SimlabError
    from simlab.exchange.generate import generate as generate_dataset

    parts = _circuit_and_instrument(circuit, instrument, settings or [])
    _seed(seed)
    if truth is not None and truth.resolve() == out.resolve():
        raise SimlabError(f"data and truth must lie in files of their own, got {out} for both: name another --truth")
    with _simulation_bar():
        recording = generate_dataset(*parts, trials=trials, duration=duration, seed=seed, out=out, truth=truth)
    print(f"{out}: {recording.sizes['unit']} units, {trials} trial{'s' * (trials > 1)} of {duration:g} s")


@app.command()
def check(name: str) -> None:
    """Check a plug-in against its contract, on a tiny real problem; exit status 1 if it falls short."""
    from simlab.checks.check import check as check_plugin

    outcome = check_plugin(name, raises=False)
    print(outcome)
    if not outcome.ok:
        raise SystemExit(1)


@app.command()
def archive(
    purge: Annotated[bool, typer.Option("--purge", help="Remove what it holds, longest unused first.")] = False,
    keep: Annotated[float | None, typer.Option(help="With --purge: leave this many GB.")] = None,
) -> None:
    """Report the size of the archive of simulated activity, or purge it."""
    from simlab.contracts import SimlabError
    from simlab.store.archive import Archive, default_root

    if keep is not None and not purge:
        raise SimlabError(f"--keep says how much a purge leaves, got {keep:g} without one: add --purge or leave it out")
    if keep is not None and not 0 <= keep < float("inf"):
        raise SimlabError(f"--keep must be a number of GB >= 0, got {keep:g}: --keep 0 (the default) leaves nothing")
    store = Archive(default_root())
    if purge:
        print(f"freed {store.purge(int((keep or 0.0) * 1e9)) / 1e6:.1f} MB")
    print(f"{store.root}: {len(store.entries())} entries, {store.size() / 1e6:.1f} MB")


def _with_settings(kind: str, name: str, found: Any, settings: list[str]) -> Any:
    """A plug-in with other parameters."""
    if kind == "experiments":
        from simlab.variation import varied

        return varied(found, settings)
    from simlab.settings import placed, with_changes

    return with_changes(found, placed(settings, {name: [found]}, {kind[:-1]: name})[name])


def _circuit_and_instrument(circuit: str, instrument: str, settings: list[str]) -> tuple[Any, Any]:
    """Both with the parameters that are set, by their names or as `circuit.field` and `instrument.field`."""
    from simlab.registry import get
    from simlab.settings import placed, with_changes

    parts = {circuit: [get("circuits", circuit)], instrument: [get("instruments", instrument)]}
    changes = placed(settings, parts, {"circuit": circuit, "instrument": instrument})
    species, device = (with_changes(part, changes.get(name, {})) for name, (part,) in parts.items())
    return species, device


def _questions(folder: Path, criteria: list[str]) -> list[Any]:
    """Questions of a run with these criteria, `question.field=value`."""
    from simlab.contracts import SimlabError
    from simlab.registry import get
    from simlab.results import Results
    from simlab.settings import parsed, placed, with_changes

    asked = sorted({row["question"] for row in Results(folder).ledger.rows()})
    for name, *field in (parsed(text).path for text in criteria):
        if not field:
            raise SimlabError(f"a criterion must read question.field=value, got {name!r}: connectivity.least_mcc=0.4")
        if name not in asked:
            get("questions", name)
            raise SimlabError(f"the run in {folder} asks {', '.join(asked) or 'nothing yet'}, not {name}: set those")
    parts = {name: [get("questions", name)] for name in asked}
    changes = placed(criteria, parts)
    return [with_changes(parts[name][0], own) for name, own in changes.items()]


def _check_one_form(given: dict[str, bool]) -> None:
    from simlab.contracts import SimlabError

    if len(wanted := [option for option, there in given.items() if there]) > 1:
        raise SimlabError(f"results are printed in one form at a time, got {' and '.join(wanted)}: give one of them")


def _seed(text: str | None) -> int | str | None:
    if text == "":
        raise typer.BadParameter("a seed must be a number or a word, got nothing")
    return int(text) if text is not None and text.isdecimal() else text


def _print_progress(found: Any) -> None:
    done, cells = found.progress
    if done < cells:
        print(f"unfinished: {done} of {cells} cells; go on with `simlab run ... --resume`")


def _print_board(found: Any, everything: bool = False) -> None:
    from simlab.terminal import board_text, terminal_width

    print(board_text(found.leaderboard(), terminal_width(), everything=everything))


def _print_summary(found: Any) -> None:
    from simlab.terminal import claim_text, failures_text

    _print_board(found)
    for verdict in found.claims():
        print(claim_text(verdict))
    if failures := failures_text(found.table):
        print(failures)
        print(f"       (where they arose: `simlab results {found.folder} --errors`)")
    print(f"results: {found.folder}")


def _to_parquet(found: Any, path: Path) -> None:
    from simlab.contracts import SimlabError
    from simlab.outputs import check_writable

    check_writable("the Parquet file", path)
    try:
        found.table.to_parquet(path)
    except ImportError as error:
        raise SimlabError("Parquet files need pyarrow: install simlab[tables]") from error
    except OSError as error:
        raise SimlabError(f"{path} cannot be written ({error}): name another file") from error
    print(path)
