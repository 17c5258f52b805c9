"""Expressions of Brian2's abstract code as Python that numba compiles."""

from __future__ import annotations

import ast
from collections.abc import Callable

from simlab.simulators.spiking_plan import InexpressibleError

FUNCTIONS = {
    **{name: f"math.{name}" for name in ("exp", "log", "log10", "log1p", "expm1", "sqrt", "sin", "cos", "tan")},
    **{name: f"math.{name}" for name in ("sinh", "cosh", "tanh", "floor", "ceil")},
    **{f"arc{name}": f"math.a{name}" for name in ("sin", "cos", "tan")},
    **{name: name for name in ("clip", "sign", "exprel", "timestep", "int", "abs")},
}
"""Brian2's functions, and what they are in compiled code."""

SLOW = (ast.Call, ast.Div, ast.Pow)
"""What makes an expression worth computing once, if it never changes."""


class Renderer(ast.NodeTransformer):
    """Puts names of compiled code in place of Brian2's.

    resolve: Brian2's name -> code. draw: a function that draws numbers -> code of a number drawn.
    """

    def __init__(self, resolve: Callable[[str], str], draw: Callable[[str], str]):
        self.resolve, self.draw = resolve, draw

    def code(self, expression: str) -> str:
        """The expression in compiled code."""
        return ast.unparse(self.visit(ast.parse(expression, mode="eval").body))

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A variable."""
        return _parsed(self.resolve(node.id))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """A function."""
        name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
        if name in ("randn", "rand"):
            return _parsed(self.draw(name))
        if name == "timestep" and ast.unparse(node.args[0]) == "t - lastspike":
            return _parsed(f"step - {self.resolve('lastspike step')}")
        if name not in FUNCTIONS:
            raise InexpressibleError(f"the function {name}()")
        arguments = [self.visit(argument) for argument in node.args]
        return ast.Call(_parsed(FUNCTIONS[name]), arguments, [])


def _parsed(code: str) -> ast.expr:
    return ast.parse(code, mode="eval").body


class Hoister(ast.NodeTransformer):
    """Takes out of an expression what never changes: `constant` tells whether a name does not.

    keep: given such a subexpression, returns the name under which it is kept.
    """

    def __init__(self, constant: Callable[[str], bool], keep: Callable[[str], str]):
        self.constant, self.keep = constant, keep

    def code(self, expression: str) -> str:
        """The expression that is left."""
        return ast.unparse(self.visit(ast.parse(expression, mode="eval").body))

    def visit(self, node: ast.AST) -> ast.AST:
        """Takes out the largest parts that do not change and are slow to compute."""
        names = [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n.id not in FUNCTIONS]
        slow = any(isinstance(n, SLOW) for n in ast.walk(node))
        if names and slow and all(map(self.constant, names)):
            return ast.Name(self.keep(ast.unparse(node)))
        return self.generic_visit(node)
