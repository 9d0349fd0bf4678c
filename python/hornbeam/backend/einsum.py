"""Einstein's summation convention on reshapes, transposes and one matrix product."""

from __future__ import annotations

import functools
import operator
import string
from typing import Any

from .. import graph
from ..graph import Tensor
from .linalg import _tensors
from .shapes import dims_of, permute_dimensions, reshape


def einsum(equation: str, *operands: Any) -> Tensor:
    """``einsum("abc,cd->abd", x, y)``: products summed over the letters that the output lacks.

    Args:
        equation: letters for the axes of each operand and (behind ``->``) of the output; ``...`` stands for any leading
            or inner axes, of the same number in each operand that has it. Without an output, it is all letters that
            appear once, in alphabetical order.
        operands: tensors or arrays, of which at least one is a tensor.

    Raises:
        ValueError: an equation that does not fit the operands, a letter twice in one operand, or lengths that differ.
    """
    inputs, output = _parse(equation, [x.ndim if isinstance(x, Tensor) else graph.convert(x).ndim for x in operands])
    if len(inputs) == 1:
        return _single(graph.convert(operands[0]), inputs[0], output)
    result, labels = operands[0], inputs[0]
    for i in range(1, len(operands)):
        needed = output if i == len(operands) - 1 else "".join([output, *inputs[i + 1 :]])
        result, labels = _pair(result, labels, operands[i], inputs[i], needed, output)
    return _arranged(result, labels, output)


def _parse(equation: str, ranks: list[int]) -> tuple[list[str], str]:
    """The letters of each operand and of the output, with letters of their own for the axes of ``...``."""
    text = equation.replace(" ", "").replace("...", ".")
    left, arrow, output = text.partition("->")
    inputs = left.split(",")
    if len(inputs) != len(ranks):
        raise ValueError(f"einsum({equation!r}) names {len(inputs)} operands, got {len(ranks)}.")
    lengths = {rank - len(part) + 1 for part, rank in zip(inputs, ranks) if "." in part}
    if len(lengths) > 1:
        raise ValueError(f"einsum({equation!r}): `...` would be of different numbers of axes: ranks {ranks}.")
    hidden = [c for c in string.ascii_letters if c not in text][: max(lengths, default=0)]
    inputs = [part.replace(".", "".join(hidden)) for part in inputs]
    letters = "".join(inputs)
    if not arrow:
        output = "".join([*hidden, *sorted(c for c in set(letters) if letters.count(c) == 1 and c not in hidden)])
    output = output.replace(".", "".join(hidden))
    for part, rank in zip(inputs, ranks):
        if len(part) != rank:
            raise ValueError(f"einsum({equation!r}): {part!r} does not name the axes of an operand of rank {rank}.")
        if len(set(part)) != rank:
            raise ValueError(f"einsum({equation!r}): a letter twice in one operand (a diagonal) is not supported.")
    if not set(output) <= set(letters) or len(set(output)) != len(output):
        raise ValueError(f"einsum({equation!r}): the output's letters must be letters of the operands, once each.")
    return inputs, output


def _single(x: Tensor, labels: str, output: str) -> Tensor:
    return _arranged(*_summed(x, labels, output), output)


def _summed(x: Tensor, labels: str, needed: str) -> tuple[Tensor, str]:
    """Summed over what nothing else needs."""
    axes = [i for i, c in enumerate(labels) if c not in needed]
    if not axes:
        return x, labels
    return graph.apply("reduce_sum", [x], axes=axes, keepdims=False), "".join(c for c in labels if c in needed)


def _arranged(x: Tensor, labels: str, order: str) -> Tensor:
    return permute_dimensions(x, [labels.index(c) for c in order])


def _pair(a: Any, in_a: str, b: Any, in_b: str, needed: str, output: str) -> tuple[Tensor, str]:
    """The product of two operands, summed over what is not needed any more, and the letters of its axes."""
    a, b = _tensors(a, b)
    a, in_a = _summed(a, in_a, needed + in_b)
    b, in_b = _summed(b, in_b, needed + in_a)
    dims = _dims(a, in_a, b, in_b)
    batch = "".join(c for c in in_a if c in in_b and c in needed)
    inner = "".join(c for c in in_a if c in in_b and c not in needed)
    rows, columns = "".join(c for c in in_a if c not in in_b), "".join(c for c in in_b if c not in in_a)
    if batch + rows + columns != output and batch + columns + rows == output:  # the other way round nothing has to move
        a, in_a, b, in_b, rows, columns = b, in_b, a, in_a, columns, rows
    result = batch + rows + columns
    if not inner:
        left = reshape(_arranged(a, in_a, batch + rows), [dims[c] for c in batch + rows] + [1] * len(columns))
        right = _arranged(b, in_b, batch + columns)
        right = reshape(right, [dims[c] for c in batch] + [1] * len(rows) + [dims[c] for c in columns])
        return left * right, result
    if not batch and rows and len(inner) == 1:
        left = _arranged(a, in_a, rows + inner)  # a product takes several axes of rows as they are
    else:
        left = _grouped(_arranged(a, in_a, batch + rows + inner), batch, rows, inner, dims)
    flipped = in_b == batch + columns + inner
    if flipped:
        right = _grouped(b, batch, columns, inner, dims)
    else:
        right = _grouped(_arranged(b, in_b, batch + inner + columns), batch, inner, columns, dims)
    product = graph.apply("matmul", [left, right], transpose_b=flipped)
    if product.ndim == len(result) and len(rows) >= 1 and len(columns) == 1:
        return product, result
    return reshape(product, [dims[c] for c in result]), result


def _grouped(x: Tensor, batch: str, first: str, second: str, dims: dict[str, Any]) -> Tensor:
    """x as matrices: the axes of ``batch`` stay, each of the others becomes one."""
    if len(first) == len(second) == 1:
        return x
    sizes = [_product([dims[c] for c in part]) for part in (first, second)]
    return reshape(x, [*(dims[c] for c in batch), *sizes])


def _product(sizes: list) -> Any:
    return functools.reduce(operator.mul, sizes, 1)


def _dims(a: Tensor, in_a: str, b: Tensor, in_b: str) -> dict[str, Any]:
    """The length of each axis: a number where one of the operands knows it, else a scalar tensor."""
    dims: dict[str, Any] = {}
    for labels, sizes in ((in_a, dims_of(a)), (in_b, dims_of(b))):
        for c, size in zip(labels, sizes):
            known = dims.get(c)
            if isinstance(known, int) and isinstance(size, int) and known != size:
                raise ValueError(f"einsum: axis {c!r} has length {known} in one operand and {size} in another.")
            if not isinstance(known, int):
                dims[c] = size
    return dims
