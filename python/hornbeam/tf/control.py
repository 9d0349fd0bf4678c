"""Choices, loops, gradients, dependencies."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .. import graph
from ..graph import Tensor
from ..graph.nest import flatten, pack
from ..graph.nest import map_structure as nest_map
from . import k as K
from .arrays import LoopArray, TensorArray
from .common import SizesFromData, dim, dtype_name, tensor, tensors
from .eager import connected
from .table import for_scripts


# -- choices --------------------------------------------------------------------------------------------------
@for_scripts("cond", "smart_cond")
def cond(
    pred: Any, true_fn: Callable | None = None, false_fn: Callable | None = None, strict: bool = False, name: Any = None,
    fn1: Callable | None = None, fn2: Callable | None = None,
) -> Any:  # fmt: skip
    """What one of two functions gives; the other's tensors are not computed.

    Both are computed where one of them makes a tensor whose size depends on data, or their results may differ in length.
    """
    then, other = true_fn or fn1, false_fn or fn2
    if then is None or other is None:
        raise ValueError("tf.cond takes two functions, true_fn and false_fn")
    if not isinstance(pred, Tensor) or pred.is_eager:
        return then() if pred else other()
    if graph.is_tracing():
        return graph.choose(pred, then, other)
    before = SizesFromData.count
    first, second = then(), other()
    pairs = list(zip(flatten(first), flatten(second)))
    if SizesFromData.count != before or any(_lengths_may_differ(a, b) for a, b in pairs):
        return pack(first, [_selected(pred, *tensors(a, b)) for a, b in pairs])
    if isinstance(first, Tensor) or not isinstance(first, (list, tuple, dict)):
        return K.switch(pred, then, other)
    chosen = [
        K.switch(pred, lambda i=i: flatten(then())[i], lambda i=i: flatten(other())[i])  # type: ignore[misc]
        for i in range(len(flatten(first)))
    ]
    return pack(first, chosen)


def _lengths_may_differ(a: Any, b: Any) -> bool:
    if not (isinstance(a, Tensor) and isinstance(b, Tensor) and a.ndim and b.ndim):
        return False
    return a.dims[0] != b.dims[0] and min(a.dims[0], b.dims[0]) < 0


def _selected(pred: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """One of two tensors that are both there; their first axes may differ in length."""
    pred = pred if pred.dtype == "bool" else graph.apply("not_equal", [pred, 0])
    if not a.ndim or a.ndim != b.ndim or a.dims[0] == b.dims[0]:
        return graph.apply("select", [pred, a, b])
    first, second = tensor(dim(a, 0)), tensor(dim(b, 0))
    begin = graph.apply("select", [pred, graph.constant(0), first])
    end = graph.apply("select", [pred, first, first + second])
    SizesFromData.count += 1
    return K.concatenate([a, b], axis=0)[begin:end]


@for_scripts("case")
def case(
    pred_fn_pairs: Any, default: Callable | None = None, exclusive: bool = False, strict: bool = False, name: Any = None
) -> Any:
    """What the function of the first true predicate gives; the last one's without a default."""
    pairs = list(pred_fn_pairs.items() if isinstance(pred_fn_pairs, dict) else pred_fn_pairs)
    otherwise = default or pairs.pop()[1]
    for pred, chosen in reversed(pairs):
        otherwise = _chooser(pred, chosen, otherwise)
    return otherwise()


def _chooser(pred: Any, then: Callable, other: Callable) -> Callable:
    return lambda: cond(pred, then, other)


@for_scripts("switch_case")
def switch_case(branch_index: Any, branch_fns: Any, default: Callable | None = None, name: Any = None) -> Any:
    """What the function of a number gives; of a number that has none ``default``'s, or the last one's."""
    pairs = sorted(branch_fns.items()) if isinstance(branch_fns, dict) else list(enumerate(branch_fns))
    if pairs and isinstance(pairs[0][1], tuple):
        pairs = [pair for _, pair in pairs]
    otherwise: Callable = default or pairs[-1][1]
    if not isinstance(branch_index, Tensor) or branch_index.is_eager:
        return dict(pairs).get(int(branch_index), otherwise)()
    return case([(graph.apply("equal", [branch_index, i]), f) for i, f in pairs], otherwise)


# -- loops ----------------------------------------------------------------------------------------------------
@for_scripts("while_loop")
def while_loop(
    cond: Callable, body: Callable, loop_vars: Any, shape_invariants: Any = None, parallel_iterations: int = 10,
    back_prop: bool = True, swap_memory: bool = False, name: Any = None, maximum_iterations: Any = None,
    return_same_structure: bool = False,
) -> Any:  # fmt: skip
    """``loop_vars = body(*loop_vars)`` while ``cond(*loop_vars)``.

    The number of steps has to be known when it begins. That is so where the condition is ``i < n`` (or ``<=``) for a loop
    variable that grows by 1, where it depends on no placeholder, and with ``maximum_iterations``: steps after it is false
    change nothing then.

    Returns:
        The loop variables, as the body gives them.

    Raises:
        ValueError: the number of steps depends on what the loop computes.
    """
    given = list(loop_vars) if isinstance(loop_vars, (list, tuple)) else [loop_vars]
    leaves = [leaf if isinstance(leaf, TensorArray) else tensor(leaf) for leaf in flatten(given)]
    start = pack(given, leaves)
    if all(t.is_eager for t in leaves if isinstance(t, Tensor)):
        return _single(_by_values(cond, body, start, maximum_iterations))
    counted = _counted(cond, start, leaves)
    if counted is not None:
        return _single(_for(body, start, leaves, *counted))
    if maximum_iterations is not None:
        return _single(_at_most(cond, body, start, leaves, maximum_iterations))
    return _single(_unrolled(cond, body, start))


def _single(values: Any) -> Any:
    return values[0] if len(values) == 1 else values


def _counted(cond: Callable, start: Any, leaves: list) -> tuple[int, Any] | None:
    """Which leaf counts, and how many steps there are, if the condition is a comparison of one leaf with a number."""
    marks = [t if isinstance(t, TensorArray) else graph.placeholder(t.shape, t.dtype) for t in leaves]
    test = cond(*pack(start, marks))
    if not isinstance(test, Tensor) or test.op.op not in ("less", "less_equal", "greater", "greater_equal"):
        return None
    low, high = test.op.inputs
    if test.op.op.startswith("greater"):
        low, high = high, low
    at = next((i for i, mark in enumerate(marks) if mark is low), None)
    if at is None or leaves[at].ndim or not leaves[at].dtype.startswith("int") or _reads(high, marks):
        return None
    steps = graph.cast(high, "int32") - graph.cast(leaves[at], "int32") + int(test.op.op.endswith("equal"))
    return at, K.maximum(steps, 0)


def _reads(x: Tensor, marks: list) -> bool:
    """Whether x is computed from one of the marks."""
    nodes = {id(mark.op) for mark in marks if isinstance(mark, Tensor)}
    seen, stack = set(), [x.op]
    while stack:
        node = stack.pop()
        if id(node) in nodes:
            return True
        if id(node) not in seen:
            seen.add(id(node))
            stack += [t.op for t in node.inputs if t is not None]
    return False


def _for(body: Callable, start: Any, leaves: list, counter: int, steps: Any) -> Any:
    """A scan over the numbers of the steps. What the body writes into arrays are the scan's outputs."""
    arrays = [i for i, t in enumerate(leaves) if isinstance(t, TensorArray)]
    states = [i for i, t in enumerate(leaves) if not isinstance(t, TensorArray) and i != counter]
    first = leaves[counter]

    def step(values: list[Tensor], rows: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        number = rows[0] if first.dtype == "int32" else graph.cast(rows[0], first.dtype)
        inner = dict(zip(states, values)) | {i: LoopArray(number, leaves[i]) for i in arrays} | {counter: number}
        result = body(*pack(start, [inner[i] for i in range(len(leaves))]))
        made = flatten(list(result) if isinstance(result, (list, tuple)) else [result])
        if len(made) != len(leaves):
            raise ValueError(f"tf.while_loop: the body takes {len(leaves)} loop variables and gives {len(made)}")
        if not _is_next(made[counter], number):
            raise ValueError("tf.while_loop: the loop variable of the condition has to grow by 1")
        written = [made[i].taken() for i in arrays]
        return written, [made[i] for i in states]

    begin = graph.cast(first, "int32")
    numbers = K.arange(begin, begin + steps)
    scanned = graph.scan(step, [leaves[i] for i in states], [numbers])
    results: dict[int, Any] = dict(zip(states, scanned.finals))
    results |= {i: leaves[i].filled(begin, stacked) for i, stacked in zip(arrays, scanned.outputs)}
    results[counter] = first + graph.cast(steps, first.dtype)
    return pack(start, [results[i] for i in range(len(leaves))])


def _is_next(x: Any, number: Tensor) -> bool:
    return (
        isinstance(x, Tensor)
        and x.op.op == "add"
        and any(t is number and other.ints == (1,) for t, other in (x.op.inputs, x.op.inputs[::-1]))
    )


def _at_most(cond: Callable, body: Callable, start: Any, leaves: list, most: Any) -> Any:
    def step(values: list[Tensor], rows: list[Tensor]) -> tuple[list, list[Tensor]]:
        goes_on = tensor(cond(*pack(start, values)))
        made = body(*pack(start, values))
        made = flatten(list(made) if isinstance(made, (list, tuple)) else [made])
        return [], [graph.apply("select", [goes_on, new, old]) for new, old in zip(made, values)]

    if any(isinstance(t, TensorArray) for t in leaves):
        raise ValueError("tf.while_loop with a TensorArray needs a condition i < n for a loop variable that grows by 1")
    numbers = K.arange(most if isinstance(most, Tensor) else int(most))
    return pack(start, graph.scan(step, leaves, [numbers]).finals)


def _by_values(cond: Callable, body: Callable, values: Any, most: Any) -> Any:
    """Step by step, looking at the condition."""
    left = None if most is None else int(most)
    while left != 0 and cond(*values):
        made = body(*values)
        values = list(made) if isinstance(made, (list, tuple)) else [made]
        left = None if left is None else left - 1
    return values


def _unrolled(cond: Callable, body: Callable, values: Any) -> Any:
    while _holds(cond(*values)):
        made = body(*values)
        values = list(made) if isinstance(made, (list, tuple)) else [made]
    return values


def _holds(test: Any) -> bool:
    if not isinstance(test, Tensor):
        return bool(test)
    try:
        return bool(test.numpy())
    except TypeError as error:
        raise ValueError(
            "tf.while_loop: how often it runs depends on what it computes. Hornbeam has to know that when the loop begins: "
            "count with a loop variable (i < n, i + 1), or give maximum_iterations."
        ) from error


@for_scripts("map_fn")
def map_fn(
    fn: Callable, elems: Any, dtype: Any = None, parallel_iterations: Any = None, back_prop: bool = True,
    swap_memory: bool = False, infer_shape: bool = True, name: Any = None, fn_output_signature: Any = None,
) -> Any:  # fmt: skip
    """``fn`` of each element along the first axis, stacked; elements and results may be lists, tuples or dictionaries.

    ``dtype`` (or ``fn_output_signature``) has the structure of what ``fn`` returns, which is cast to it.
    """
    wanted = dtype if fn_output_signature is None else fn_output_signature
    returned: list[Any] = []
    given = [tensor(t) for t in flatten(elems)]

    def step(states: list[Tensor], rows: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        returned.append(fn(pack(elems, rows)))
        return [tensor(t) for t in flatten(returned[0])], []

    if all(t.is_eager for t in given) and given[0].shape[0]:
        returned = [fn(pack(elems, [t[i] for t in given])) for i in range(given[0].shape[0])]
        outputs = [K.stack([tensor(x) for x in column]) for column in zip(*map(flatten, returned))]
    else:
        outputs = graph.scan(step, [], given).outputs
    if wanted is None:
        return pack(returned[0], outputs)
    dtypes = [dtype_name(getattr(d, "dtype", d)) for d in flatten(wanted)]
    return pack(wanted, [graph.cast(x, d) for x, d in zip(outputs, dtypes, strict=True)])


@for_scripts("scan")
def scan(
    fn: Callable, elems: Any, initializer: Any = None, parallel_iterations: int = 10, back_prop: bool = True,
    swap_memory: bool = False, infer_shape: bool = True, reverse: bool = False, name: Any = None,
) -> Any:  # fmt: skip
    """``a = fn(a, element)`` for each element, beginning with ``initializer`` or the first; all values of a, stacked."""
    rows = [tensor(t) for t in flatten(elems)]
    like = elems if initializer is None else initializer
    edge = -1 if reverse else 0
    if initializer is None:
        initial = [t[edge] for t in rows]
        rows = [t[:-1] if reverse else t[1:] for t in rows]
    else:
        initial = [tensor(t) for t in flatten(initializer)]

    def step(states: list[Tensor], now: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        made = flatten(fn(pack(like, states), pack(elems, now)))
        return [tensor(t) for t in made], made

    if all(t.is_eager for t in (*initial, *rows)):
        stacked = _scanned(step, initial, rows, reverse)
    else:
        stacked = graph.scan(step, initial, rows, reverse=reverse).outputs
    if initializer is None:
        ends = [K.expand_dims(t, 0) for t in initial]
        stacked = [K.concatenate([s, e] if reverse else [e, s], axis=0) for s, e in zip(stacked, ends)]
    return pack(like, stacked)


def _scanned(step: Callable, states: list[Tensor], rows: list[Tensor], reverse: bool) -> list[Tensor]:
    """The stacked outputs of a scan, step by step."""
    count = rows[0].shape[0]
    columns = []
    for i in reversed(range(count)) if reverse else range(count):
        outputs, states = step(states, [t[i] for t in rows])
        columns.append(outputs)
    if not columns:
        return [graph.constant(0, s.dtype, (0, *s.shape)) for s in states]
    return [K.stack([tensor(x) for x in (column[::-1] if reverse else column)]) for column in zip(*columns)]


@for_scripts("vectorized_map")
def vectorized_map(fn: Callable, elems: Any, fallback_to_while_loop: bool = True, warn: bool = True) -> Any:
    """As :func:`map_fn`."""
    return map_fn(fn, elems)


def _fold(reverse: bool) -> Callable:
    def fold(fn: Callable, elems: Any, initializer: Any = None, *other: Any, **more: Any) -> Any:
        """``a = fn(a, element)`` for each element, beginning with ``initializer``, or with the element at the end."""
        rows = [tensor(t) for t in flatten(elems)]
        if not all(t.is_eager for t in rows):
            return (K.foldr if reverse else K.foldl)(fn, elems, initializer)
        places = list(range(rows[0].shape[0]))
        places = places[::-1] if reverse else places
        elements = [pack(elems, [t[i] for t in rows]) for i in places]
        value = elements.pop(0) if initializer is None else nest_map(tensor, initializer)
        for element in elements:
            value = fn(value, element)
        return value

    return fold


foldl = for_scripts("foldl")(_fold(reverse=False))
foldr = for_scripts("foldr")(_fold(reverse=True))


# -- gradients --------------------------------------------------------------------------------------------------
@for_scripts("gradients")
def gradients(
    ys: Any, xs: Any, grad_ys: Any = None, name: Any = None, colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False, aggregation_method: Any = None, stop_gradients: Any = None,
    unconnected_gradients: Any = "none",
) -> list[Tensor | None]:  # fmt: skip
    """Derivatives of the sum of ``ys`` (weighted by ``grad_ys``) with respect to each of ``xs``; None where unconnected.

    Args:
        stop_gradients: tensors that count as constants: derivatives are partial where one of ``xs`` depends on another.
        unconnected_gradients: ``'none'`` or ``'zero'``: what is given where no y depends on an x.
    """
    stopped = {id(t) for t in flatten(stop_gradients)} if stop_gradients is not None else set()
    heads = [tensor(y) for y in (ys if isinstance(ys, (list, tuple)) else [ys])]
    weights = grad_ys if isinstance(grad_ys, (list, tuple)) else [grad_ys] * len(heads)
    total: Any = None
    for y, weight in zip(heads, weights):
        part = K.sum(y if weight is None else y * weight)
        total = part if total is None else total + part
    sources = list(xs) if isinstance(xs, (list, tuple)) else [xs]
    found = graph.gradients(total, sources, inside=lambda node: not any(id(t) in stopped for t in node.outputs))
    return connected(found, sources, unconnected_gradients)


# -- order, names, checks -----------------------------------------------------------------------------------------
@for_scripts("control_dependencies")
def control_dependencies(control_inputs: Any) -> Any:
    return graph.control_dependencies(flatten(control_inputs))


@for_scripts("group")
def group(*inputs: Any, name: Any = None) -> list:
    return flatten(list(inputs))


@for_scripts("tuple")
def tuple_(tensors: Sequence, name: Any = None, control_inputs: Any = None) -> list:
    return list(tensors)


@for_scripts("no_op")
def no_op(name: Any = None) -> None:
    """Nothing to run."""


@for_scripts("name_scope", "variable_scope")
@contextlib.contextmanager
def name_scope(name: Any = None, default_name: Any = None, values: Any = None, **options: Any) -> Iterator[str]:
    with graph.name_scope(str(name or default_name or "scope").rstrip("/")) as scope:
        yield scope


@for_scripts("autograph.experimental.do_not_convert", "contrib.eager.defun")
def unconverted(func: Callable | None = None, *signature: Any, **options: Any) -> Any:
    """A decorator that leaves the function as it is: what it calls makes formulas in any case."""
    return func if callable(func) else lambda decorated: decorated


@for_scripts("Print")
def print_(
    input_: Any, data: Any, message: Any = None, first_n: Any = None, summarize: Any = None, name: Any = None
) -> Tensor:
    """``input_``; each tensor of ``data`` is printed after a run that reads it."""
    x = tensor(input_)
    for shown in data:
        if isinstance(shown, Tensor):
            x = graph.print_value(x, message or "", shown)
    return x
