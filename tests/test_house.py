"""The house as drawn from its imports: no circle of any sort, small rooms, every public thing documented."""

from __future__ import annotations

import ast
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("simlab", "circuits", "methods", "experiments")
FILES = sorted(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))


def module_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    return {module_of(file): ast.parse(file.read_text()) for file in FILES}


@pytest.fixture(scope="module")
def imports(trees: dict[str, ast.Module]) -> dict[str, set[str]]:
    """Module -> modules of the house that it imports anywhere: at its top, lazily, or for the type checker alone."""
    found: dict[str, set[str]] = {}
    for module, tree in trees.items():
        names: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                names |= {name if name in trees else str(node.module) for name in inner}
        found[module] = (names & trees.keys()) - {module}
    return found


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Strongly connected components of more than one member (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for after in sorted(graph[node]):
            if after not in index:
                visit(after)
                low[node] = min(low[node], low[after])
            elif after in stack:
                low[node] = min(low[node], index[after])
        if low[node] == index[node]:
            component = []
            while (member := stack.pop()) != node:
                component.append(member)
            if component:
                found.append([node, *component])

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def test_no_module_imports_itself_by_any_way_round(imports):
    assert circles(imports) == []


def test_no_two_rooms_of_the_house_import_one_another(imports):
    """Folders of simlab as rooms; modules that lie beside them are rooms of their own."""

    def room(module: str) -> str:
        return ".".join(module.split(".")[:2])

    rooms: dict[str, set[str]] = {room(module): set() for module in imports}
    for module, wanted in imports.items():
        rooms[room(module)] |= {room(name) for name in wanted} - {room(module)}
    assert circles(rooms) == []


def test_what_a_method_may_import_leads_nowhere_else(imports):
    base = {
        "simlab.contracts",
        "simlab.data",
        "simlab.errors",
        "simlab.perturbations",
        "simlab.session",
        "simlab.rules",
    }

    def of_base(module: str) -> bool:
        return module in base or module.startswith(("simlab.data.", "simlab.rules."))

    leaks = {
        module: {name for name in wanted if not of_base(name)} for module, wanted in imports.items() if of_base(module)
    }
    assert {module: names - {"simlab"} for module, names in leaks.items() if names - {"simlab"}} == {}


def test_files_and_functions_can_be_held_in_the_head(trees):
    lines = [len(file.read_text().splitlines()) for file in FILES if file.name != "__init__.py"]
    assert median(lines) <= 150
    assert max(lines) <= 400
    functions = [
        n for t in trees.values() for n in ast.walk(t) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    lengths = sorted((f.end_lineno or 0) - f.lineno + 1 for f in functions)
    assert lengths[int(0.9 * len(lengths))] <= 30


def test_every_public_function_and_class_says_what_it_is(trees):
    bare = []
    for module, tree in trees.items():
        for owner in [tree, *(n for n in tree.body if isinstance(n, ast.ClassDef) and not n.name.startswith("_"))]:
            for node in owner.body:
                if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
                    continue
                protocol = isinstance(owner, ast.ClassDef) and any("Protocol" in ast.unparse(b) for b in owner.bases)
                if ast.get_docstring(node) is None and not protocol:
                    bare.append(f"{module}.{getattr(owner, 'name', '')}.{node.name}")
    assert bare == []


def code_lines(file: Path) -> int:
    """Lines that hold code: neither blank, nor comment, nor docstring."""
    text = file.read_text()
    words: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            words |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = enumerate(text.splitlines(), start=1)
    return sum(bool(line.strip()) and not line.lstrip().startswith("#") and n not in words for n, line in lines)


def test_there_are_tests_for_what_there_is():
    source = sum(code_lines(file) for file in FILES)
    tests = sum(code_lines(file) for file in (ROOT / "tests").rglob("*.py"))
    assert tests / source >= 0.6
