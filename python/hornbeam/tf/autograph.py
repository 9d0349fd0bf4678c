"""Python's ``if``, ``while`` and ``for`` over tensors, for functions that are traced (``tf.function``).

A trace has no values to decide by. :func:`convert` rewrites the function's source so that each such statement becomes a call
of :class:`Flow`, which decides at once where the condition is a value of Python, and otherwise makes ``tf.cond``, ``tf.while_loop``
or a scan. ``break`` and ``continue`` become branches around what they pass over. Where a function returns out of a loop, that loop
stays as it is: over tensors, the function runs step by step.
"""

from __future__ import annotations

import ast
import copy
import functools
import inspect
import sys
import textwrap
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .. import graph
from ..graph import NeedsValue, Tensor, nest
from . import control
from .arrays import TensorArray

#: what the rewritten source calls the Flow
_FLOW = "_flow_of_tensors"
#: functions whose calls do not run them at once: a branch of theirs that is a function would be another generator
_SUSPENDED = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
#: loops over so few known rows are written out, so that their bodies may assign variables
_WRITTEN_OUT = 32
#: a loop with more jumps stays as it is: what follows one is in both branches, if both may go on
_MOST_JUMPS = 8


#: methods that change an object and give nothing
_CHANGING = (
    "add",
    "append",
    "clear",
    "discard",
    "extend",
    "insert",
    "pop",
    "popitem",
    "remove",
    "reverse",
    "sort",
    "update",
)


class _Undefined:
    """A variable that has no value yet."""

    def __repr__(self) -> str:
        return "<undefined>"

    def _missing(self, *args: Any, **kwargs: Any) -> Any:
        raise NeedsValue("a variable is used that has a value only if a branch is taken, or a loop has steps")

    __array__ = __bool__ = __call__ = __iter__ = __getitem__ = _missing
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __neg__ = _missing
    __lt__ = __le__ = __gt__ = __ge__ = _missing


UNDEFINED = _Undefined()


# -- rewriting -------------------------------------------------------------------------------------------------
def convert(function: Callable) -> Callable | None:
    """A user's function with its control flow made calls; None where its source is not to be had, or has none.

    Closures, globals, defaults and line numbers stay the function's own.
    """
    if isinstance(function, functools.partial):
        converted = convert(function.func)
        return None if converted is None else functools.partial(converted, *function.args, **function.keywords)
    if not _is_users(function):
        return None
    if isinstance(function, types.MethodType):
        converted = convert(function.__func__)
        return None if converted is None else types.MethodType(converted, function.__self__)
    if isinstance(function, types.FunctionType):
        code = function.__code__
        is_ours = _FLOW in code.co_freevars  # it was inside of a function that is converted
        return None if is_ours or code.co_flags & _SUSPENDED else _converted(function)
    called = getattr(function, "__call__", None)  # noqa: B004  the method, of an object that is called
    return convert(called) if isinstance(called, types.MethodType) else None


@functools.lru_cache(256)
def _converted(function: types.FunctionType) -> Callable | None:
    code = function.__code__  # of a decorated function the decorator's, where inspect would go on to what is inside
    try:
        lines, first = inspect.getsourcelines(code)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):
        return None
    definition = _lambda(tree, code) if code.co_name == "<lambda>" else tree.body[0]
    if not isinstance(definition, ast.FunctionDef):
        return None
    definition.decorator_list = []
    rewriter = _Rewriter(_first_argument(definition.args))
    definition.body = rewriter.block(definition.body, is_whole=True)
    if not rewriter.changed:
        return None
    around = _class_around(getattr(code, "co_qualname", function.__qualname__))
    path = ["_outer", *around, definition.name]
    body: list[ast.stmt] = [definition]
    for name in around:  # where names that begin with two underscores get the class's name, and super() finds it
        is_global = name not in code.co_freevars  # as `super(Name, self)` reads it
        body = [*([ast.Global([name])] if is_global else []), _class(name, body)]
    outer = _function("_outer", [_FLOW, *code.co_freevars], body)
    module = ast.fix_missing_locations(ast.Module([outer], []))
    ast.increment_lineno(module, first - 1)
    inner = compile(module, code.co_filename, "exec")
    for name in path:
        inner = _code_named(inner, name)
    cells = dict(zip(code.co_freevars, function.__closure__ or ()))
    cells[_FLOW] = types.CellType(Flow())
    made = types.FunctionType(
        inner,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        tuple(cells[n] for n in inner.co_freevars),
    )
    made.__kwdefaults__ = function.__kwdefaults__
    return made


def _lambda(tree: ast.Module, code: types.CodeType) -> ast.FunctionDef | None:
    """The lambda of these arguments in a statement as a function, if it is the only one."""
    names = list(code.co_varnames[: code.co_argcount])
    nodes = [n for n in ast.walk(tree) if isinstance(n, ast.Lambda) and [a.arg for a in n.args.args] == names]
    if len(nodes) != 1:
        return None
    made = _function("_lambda", [], [ast.copy_location(ast.Return(nodes[0].body), nodes[0].body)])
    made.args = nodes[0].args
    return made


def _class_around(qualname: str) -> list[str]:
    """The name of the class in whose body a function stands, or the function around it, if there is one."""
    for part in reversed(qualname.split(".<locals>.")):
        *classes, _ = part.split(".")
        if classes:
            return classes[-1:]
    return []


def _class(name: str, body: list[ast.stmt]) -> ast.ClassDef:
    made = ast.parse(f"class {name}: pass").body[0]
    assert isinstance(made, ast.ClassDef)
    made.body = body
    return made


def _first_argument(arguments: ast.arguments) -> str | None:
    """The argument that ``super()`` takes for the object."""
    return next((a.arg for a in (*arguments.posonlyargs, *arguments.args)), None)


def _code_named(code: types.CodeType, name: str) -> types.CodeType:
    return next(c for c in code.co_consts if isinstance(c, types.CodeType) and c.co_name == name)


def _function(name: str, arguments: Sequence[str], body: list[ast.stmt]) -> ast.FunctionDef:
    made = ast.parse(f"def {name}({', '.join(arguments)}): pass").body[0]
    assert isinstance(made, ast.FunctionDef)
    made.body = body
    return made


def _expression(source: str, **parts: ast.expr) -> ast.expr:
    """Parse an expression, putting expressions in place of names."""

    class Put(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return parts.get(node.id, node)

    return Put().visit(ast.parse(source, mode="eval").body)


class _Assigned(ast.NodeVisitor):
    """The names that statements assign, whether something leaves or suspends them in the middle, and whether they
    change an object in place.

    The last a branch does not undo: where it is not known which branch is taken, such statements cannot be made formulas.
    """

    def __init__(self, statements: Sequence[ast.stmt]) -> None:
        self.names: dict[str, None] = {}
        self.leaves = self.changes = self.suspends = False
        for statement in statements:
            self.visit(statement)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self.names[node.id] = None

    def _part(self, node: ast.Attribute | ast.Subscript) -> None:
        self.changes = self.changes or not isinstance(node.ctx, ast.Load)
        self.generic_visit(node)

    visit_Attribute = visit_Subscript = _part  # type: ignore[assignment]

    def visit_Expr(self, node: ast.Expr) -> None:
        called = node.value.func if isinstance(node.value, ast.Call) else None
        self.changes = self.changes or (isinstance(called, ast.Attribute) and called.attr in _CHANGING)
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if not node.name.startswith("_flow_"):
            self.names[node.name] = None

    def _inner(self, node: ast.AST) -> None:
        """What is assigned inside stays inside."""

    visit_Lambda = visit_ClassDef = visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _inner  # type: ignore[assignment]

    def _leave(self, node: ast.AST) -> None:
        self.leaves = True

    visit_Return = visit_Break = visit_Continue = visit_Global = visit_Nonlocal = _leave  # type: ignore[assignment]

    def _suspend(self, node: ast.AST) -> None:
        self.leaves = self.suspends = True

    visit_Yield = visit_YieldFrom = _suspend  # type: ignore[assignment]


def _ends(statements: Sequence[ast.stmt]) -> bool:
    """Whether statements end the function: by a return that is their last, in each branch of an ``if`` that is."""
    last = statements[-1] if statements else None
    if isinstance(last, ast.If):
        return _ends(last.body) and _ends(last.orelse)
    return isinstance(last, ast.Return)


def _has_jumps(statements: Sequence[ast.stmt]) -> bool:
    """Whether a ``break`` or ``continue`` of the loop around is among statements."""
    for statement in statements:
        if isinstance(statement, (ast.Break, ast.Continue)):
            return True
        if isinstance(statement, (ast.For, ast.While, ast.FunctionDef, ast.ClassDef)):
            continue  # those inside are theirs
        parts = [getattr(statement, name, []) for name in ("body", "orelse", "finalbody", "handlers")]
        if any(_has_jumps(part) for part in parts):
            return True
    return False


def _without_jumps(statements: Sequence[ast.stmt], broke: str) -> list[ast.stmt] | None:
    """A loop's body with what a jump passes over in the other branch; ``broke`` is set by ``break``.

    None where a jump stands in something else than an ``if``.
    """
    made: list[ast.stmt] = []
    for i, statement in enumerate(statements):
        if isinstance(statement, ast.Continue):
            return made or [ast.Pass()]
        if isinstance(statement, ast.Break):
            return [*made, *ast.parse(f"{broke} = True").body]
        if not _has_jumps([statement]):
            made.append(statement)
            continue
        if not isinstance(statement, ast.If):
            return None
        rest = statements[i + 1 :]
        body = _without_jumps([*statement.body, *rest], broke)
        other = _without_jumps([*statement.orelse, *copy.deepcopy(rest)], broke)
        if body is None or other is None:
            return None
        return [*made, ast.copy_location(ast.If(statement.test, body, other), statement)]
    return made


class _Rewriter(ast.NodeTransformer):
    """
    Args:
        first: the function's first argument.
    """

    def __init__(self, first: str | None) -> None:
        self.changed = False
        self._count = 0
        self._first = first

    def block(self, statements: Sequence[ast.stmt], is_whole: bool = False) -> list[ast.stmt]:
        """Statements rewritten; ``is_whole`` where the function returns None behind them."""
        made: list[ast.stmt] = []
        for i, statement in enumerate(statements):
            if isinstance(statement, ast.If):
                if _ends(statement.body) and not _ends(statement.orelse):  # what follows is the other branch
                    other = [*statement.orelse, *statements[i + 1 :]]
                    if is_whole and not _ends(other):
                        other.append(ast.Return(ast.Constant(None)))
                    if _ends(other) and not _has_jumps(other):
                        statement.orelse = other
                if _ends([statement]) and not _has_jumps([statement]):
                    return [*made, *self._returning(statement)]
            found = self.visit(statement)
            made += found if isinstance(found, list) else [found]
        return made

    def _name(self, what: str) -> str:
        self.changed = True
        self._count += 1
        return f"_flow_{what}_{self._count}"

    def _returning(self, node: ast.If) -> list[ast.stmt]:
        """``if`` whose branches return: the function returns what the chosen one does."""
        inside = _Assigned([*node.body, *node.orelse])
        names = list(inside.names)
        branches = [self._name(what) for what in ("then", "other")]
        made: list[ast.stmt] = [
            _function(name, names, self.block(part, is_whole=True))
            for name, part in zip(branches, (node.body, node.orelse))
        ]
        call = _expression(
            f"{_FLOW}.choose(TEST, {branches[0]}, {branches[1]}, {_values(names)}, {inside.changes})",
            TEST=self.visit(node.test),
        )
        return [*made, ast.copy_location(ast.Return(call), node)]

    def visit_If(self, node: ast.If) -> Any:
        inside = _Assigned([*node.body, *node.orelse])
        if inside.leaves:
            node.test, node.body, node.orelse = self.visit(node.test), self.block(node.body), self.block(node.orelse)
            return node
        names = list(inside.names)
        branches = [self._name(what) for what in ("then", "other")]
        made: list[ast.stmt] = [
            _function(name, names, [*(self.block(part) or []), _give(names)])
            for name, part in zip(branches, (node.body, node.orelse))
        ]
        call = _expression(
            f"{_FLOW}.choose(TEST, {branches[0]}, {branches[1]}, {_values(names)}, {inside.changes})",
            TEST=self.visit(node.test),
        )
        return [*made, ast.copy_location(_take(names, call), node)]

    def _lowered(self, node: ast.For | ast.While) -> tuple[str | None, _Assigned] | None:
        """The variable that says whether the loop was left, if it can be, and what its body assigns, which has no jumps then.

        None of a loop that stays one of Python's: its jumps are still there.
        """
        if node.orelse or (isinstance(node, ast.For) and not isinstance(node.target, (ast.Name, ast.Tuple))):
            return None
        broke, body = self._name("broke"), node.body
        if _has_jumps(body):
            jumps = [n for s in body for n in ast.walk(s) if isinstance(n, (ast.Break, ast.Continue))]
            body = (len(jumps) <= _MOST_JUMPS and _without_jumps(body, broke)) or body
        inside = _Assigned(body)
        if inside.leaves:
            return None
        node.body = body
        return (broke if broke in inside.names else None), inside

    def visit_While(self, node: ast.While) -> Any:
        lowered = self._lowered(node)
        if lowered is None:
            node.test, node.body, node.orelse = self.visit(node.test), self.block(node.body), self.block(node.orelse)
            return node
        broke, inside = lowered
        names = list(inside.names)
        test, body = self._name("test"), self._name("body")
        holds = self.visit(node.test)
        if broke is not None:
            holds = _expression(f"{_FLOW}.both({_FLOW}.negate({broke}), lambda: TEST)", TEST=holds)
        made: list[ast.stmt] = [
            *([] if broke is None else ast.parse(f"{broke} = False").body),
            _function(test, names, [ast.Return(holds)]),
            _function(body, names, [*self.block(node.body), _give(names)]),
        ]
        call = _expression(f"{_FLOW}.repeat({test}, {body}, {_values(names)}, {inside.changes})")
        return [*made, ast.copy_location(_take(names, call), node)]

    def visit_For(self, node: ast.For) -> Any:
        lowered = self._lowered(node)
        if lowered is None:
            node.iter, node.body, node.orelse = self.visit(node.iter), self.block(node.body), self.block(node.orelse)
            return node
        broke, inside = lowered
        row, body = self._name("row"), self._name("body")
        begin = ast.copy_location(ast.Assign([node.target], ast.Name(row, ast.Load())), node)
        of_row = _Assigned([begin])
        targets, changes = list(of_row.names), of_row.changes or inside.changes
        flag = [] if broke is None else [broke]
        names = [*flag, *targets, *(name for name in inside.names if name not in (*flag, *targets))]
        made: list[ast.stmt] = [
            *[statement for name in flag for statement in ast.parse(f"{name} = False").body],
            _function(body, [row, *names], [begin, *self.block(node.body), _give(names)]),
        ]
        how = f"{changes}, breaks={broke is not None}, targets={len(targets)}"
        call = _expression(f"{_FLOW}.each(ROWS, {body}, {_values(names)}, {how})", ROWS=self.visit(node.iter))
        return [*made, ast.copy_location(_take(names, call), node)]

    def visit_With(self, node: ast.With) -> Any:
        node.items = [self.visit(item) for item in node.items]
        node.body = self.block(node.body)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        if _Assigned(node.body).suspends:
            return node
        around, self._first = self._first, _first_argument(node.args)
        node.body = self.block(node.body, is_whole=True)
        self._first = around
        return node

    def visit_Lambda(self, node: ast.Lambda) -> Any:
        around, self._first = self._first, _first_argument(node.args)
        node.body = self.visit(node.body)
        self._first = around
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        self.generic_visit(node)
        self.changed = True
        made = node.values[-1]
        how = "both" if isinstance(node.op, ast.And) else "either"
        for value in reversed(node.values[:-1]):
            made = _expression(f"{_FLOW}.{how}(FIRST, lambda: SECOND)", FIRST=value, SECOND=made)
        return ast.copy_location(made, node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Not):
            return node
        self.changed = True
        return ast.copy_location(_expression(f"{_FLOW}.negate(X)", X=node.operand), node)

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        self.generic_visit(node)
        self.changed = True
        source = f"{_FLOW}.choose(TEST, lambda: THEN, lambda: OTHER, ())"
        return ast.copy_location(_expression(source, TEST=node.test, THEN=node.body, OTHER=node.orelse), node)

    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        is_super = isinstance(node.func, ast.Name) and node.func.id == "super"
        if is_super and not node.args and self._first is not None:  # without arguments it looks at its own frame
            return ast.copy_location(_expression(f"super(__class__, {self._first})"), node)
        if isinstance(node.func, (ast.Name, ast.Attribute)) and not _is_of_flow(node.func):
            self.changed = True
            node.func = ast.copy_location(_expression(f"{_FLOW}.function(F)", F=node.func), node.func)
        return node


def _is_of_flow(node: ast.expr) -> bool:
    names = [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
    return names in ([_FLOW], ["super"])


def _values(names: Sequence[str]) -> str:
    return f"[{', '.join(f'{_FLOW}.value(lambda: {name})' for name in names)}]"


def _give(names: Sequence[str]) -> ast.stmt:
    return ast.parse(f"return [{', '.join(f'{_FLOW}.value(lambda: {name})' for name in names)}]").body[0]


def _take(names: Sequence[str], call: ast.expr) -> ast.stmt:
    if not names:
        return ast.Expr(call)
    target = ast.List([ast.Name(name, ast.Store()) for name in names], ast.Store())
    return ast.Assign([target], call)


# -- running -----------------------------------------------------------------------------------------------------
class Flow:
    """What rewritten statements call."""

    def value(self, read: Callable[[], Any]) -> Any:
        """A variable's value, if it has one."""
        try:
            return read()
        except NameError:
            return UNDEFINED

    def function(self, f: Any) -> Any:
        """A function of the user's own, converted as well."""
        return f if isinstance(f, type) else convert(f) or f

    def choose(self, test: Any, then: Callable, other: Callable, values: Sequence[Any], changes: bool = False) -> Any:
        """What ``then(*values)`` gives where ``test`` holds, else what ``other(*values)`` does.

        Args:
            changes: whether one of them changes an object in place.
        """
        if not _is_unknown(test):
            return then(*values) if _plain(test) else other(*values)
        _check_unchanged(changes)
        try:
            (chosen,) = graph.choose(test, lambda: [then(*values)], lambda: [other(*values)], _chosen)
        except (RuntimeError, ValueError, TypeError) as error:  # structures or shapes differ, or a value is asked for
            raise NeedsValue(str(error)) from error
        return chosen

    def repeat(self, test: Callable, body: Callable, values: Sequence[Any], changes: bool) -> Sequence[Any]:
        """``values = body(*values)`` while ``test(*values)``."""
        values = list(values)
        while True:
            holds = test(*values)
            if _is_unknown(holds):
                break
            if not _plain(holds):
                return values
            values = body(*values)
        _check_unchanged(changes)
        carried = _Carried(values)
        try:
            made = control.while_loop(
                lambda *leaves: test(*carried.values(leaves)),
                lambda *leaves: carried.leaves(body(*carried.values(leaves))),
                carried.start,
            )
        except (RuntimeError, ValueError, TypeError) as error:
            raise NeedsValue(str(error)) from error
        return carried.values(made if isinstance(made, list) else [made])

    def each(
        self, rows: Any, body: Callable, values: Sequence[Any], changes: bool, breaks: bool, targets: int
    ) -> Sequence[Any]:
        """``values = body(row, *values)`` for each row.

        Args:
            changes: whether the body changes an object in place.
            breaks: whether the first of the values says that the loop was left.
            targets: how many values, from there on, are what the row is assigned to.
        """
        values = list(values)
        if breaks:
            unless_left = body

            def body(row: Any, *values: Any) -> Any:
                return self.choose(
                    values[0], lambda *same: list(same), functools.partial(unless_left, row), values, changes
                )

        known = _known_rows(rows)
        if known is not None:
            for row in known:
                values = body(row, *values)
                if breaks and not _is_unknown(values[0]) and _plain(values[0]):
                    break
            return values
        _check_unchanged(changes)
        values[int(breaks) : int(breaks) + targets] = [UNDEFINED] * targets
        carried = _Carried(values)

        def step(row: Any, leaves: Sequence[Any]) -> list[Any]:
            return carried.leaves(body(row, *carried.values(leaves)))

        try:
            if carried.writes_arrays and (limits := _limits(rows)) is not None:
                first, end = limits
                _, *finals = control.while_loop(
                    lambda i, *leaves: i < end, lambda i, *leaves: [i + 1, *step(i, leaves)], [first, *carried.start]
                )
            else:
                finals = graph.scan(lambda leaves, row: ([], step(row[0], leaves)), carried.start, [rows]).finals
        except (RuntimeError, ValueError, TypeError) as error:
            raise NeedsValue(str(error)) from error
        return carried.values(finals)

    def both(self, first: Any, second: Callable[[], Any]) -> Any:
        if _is_unknown(first):
            return graph.apply("logical_and", [_truth(first), _truth(second())])
        return second() if _plain(first) else first

    def either(self, first: Any, second: Callable[[], Any]) -> Any:
        if _is_unknown(first):
            return graph.apply("logical_or", [_truth(first), _truth(second())])
        return first if _plain(first) else second()

    def negate(self, x: Any) -> Any:
        return graph.apply("logical_not", [_truth(x)]) if _is_unknown(x) else not _plain(x)


def _check_unchanged(changes: bool) -> None:
    if changes:
        raise NeedsValue("a branch or a loop over tensors changes an object of Python in place")


class _Carried:
    """The variables that a loop carries from step to step, as tensors: structures are taken apart.

    Variables without a value before the loop are set in each step before they are read, and have none behind it.

    Attributes:
        start: what the loop begins with.
        writes_arrays: whether there is a TensorArray among it.

    Raises:
        NeedsValue: one of them is something else.
    """

    def __init__(self, before: Sequence[Any]) -> None:
        self._count = len(before)
        self._places = [i for i, value in enumerate(before) if value is not UNDEFINED]
        self._structure = [before[i] for i in self._places]
        leaves = nest.flatten(self._structure)
        if not all(_is_numeric(x) or isinstance(x, TensorArray) for x in leaves):
            raise NeedsValue("a loop over tensors changes a variable that is not a number, a tensor, or a list of them")
        self.start: list[Any] = [x if isinstance(x, TensorArray) else graph.convert(x) for x in leaves]
        self.writes_arrays = any(isinstance(x, TensorArray) for x in leaves)

    def values(self, leaves: Sequence[Any]) -> list[Any]:
        """The variables, of what the loop carries."""
        found: list[Any] = [UNDEFINED] * self._count
        for i, value in zip(self._places, nest.pack(self._structure, leaves)):
            found[i] = value
        return found

    def leaves(self, values: Sequence[Any]) -> list[Any]:
        """What the loop carries, of the variables after a step."""
        made = nest.flatten([values[i] for i in self._places])
        if len(made) != len(self.start):
            raise NeedsValue("a step of a loop over tensors gives a variable another structure")
        return [x if isinstance(x, TensorArray) else graph.convert(x, s.dtype) for x, s in zip(made, self.start)]


def _is_users(f: Any) -> bool:
    # a decorator gives its function the __module__ of what it decorates, but not the globals
    module = getattr(f, "__globals__", {}).get("__name__") or getattr(f, "__module__", None) or type(f).__module__
    root = module.partition(".")[0]
    return root not in ("hornbeam", "numpy", "tensorflow", "keras") and root not in sys.stdlib_module_names


def _is_unknown(x: Any) -> bool:
    """Whether it is a tensor that has no value while tracing."""
    return isinstance(x, Tensor) and not x.is_eager and not _is_constant(x)


def _plain(x: Any) -> Any:
    """What is known, as a value of Python."""
    return x.numpy() if isinstance(x, Tensor) else x


def _is_constant(x: Tensor) -> bool:
    """Whether nothing that a tensor is computed from can change: a loop over ``tf.range(3)`` is one in Python."""
    stack: list[Any] = [x.op]
    seen: set[int] = set()
    while stack and len(seen) < 64:
        node = stack.pop()
        if node.op in ("placeholder", "variable", "learning_phase", "assign") or node.op.startswith(
            ("random", "truncated")
        ):
            return False
        if id(node) not in seen:
            seen.add(id(node))
            stack += [t.op for t in node.inputs if t is not None]
    return not stack


def _known_rows(rows: Any) -> Iterator[Any] | None:
    """The rows that a loop in Python goes through; None of a tensor for a loop of the program."""
    if not isinstance(rows, Tensor):
        return iter(rows)
    if _is_unknown(rows) or (values := np.asarray(rows.numpy())).shape[0] > _WRITTEN_OUT:
        return None
    return iter([graph.constant(value) for value in values])


def _limits(rows: Tensor) -> tuple[Tensor, Tensor] | None:
    """First and end of a ``tf.range`` that counts by one."""
    if rows.op.op != "arange" or rows.op.inputs[2].ints != (1,):  # type: ignore[union-attr]
        return None
    return rows.op.inputs[:2]  # type: ignore[return-value]


def _is_numeric(x: Any) -> bool:
    return isinstance(x, (Tensor, bool, int, float, np.ndarray, np.generic))


def _is_same(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return a is b
    return a is b or (_is_numeric(a) and _is_numeric(b) and np.array_equal(a, b)) or (isinstance(a, str) and a == b)


def _chosen(test: Tensor, a: Any, b: Any) -> Any:
    """What a variable is behind an ``if``."""
    if _is_same(a, b):
        return a
    if a is UNDEFINED or b is UNDEFINED:
        return UNDEFINED
    if not (_is_numeric(a) and _is_numeric(b)):
        raise NeedsValue("a branch of an `if` over a tensor leaves a variable without a number in it")
    return graph.selected(test, a, b)


def _truth(x: Any) -> Tensor:
    x = graph.convert(x)
    return x if x.dtype == "bool" else graph.apply("not_equal", [x, 0])
