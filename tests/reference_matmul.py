"""matmul in plain NumPy, float64."""

import numpy as np
from reference_elementwise import ACTIVATIONS


def matmul(a, b, bias=None, transpose_a=False, transpose_b=False, activation="linear"):
    a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
    a = a.swapaxes(-1, -2) if transpose_a else a
    b = b.swapaxes(-1, -2) if transpose_b else b
    y = np.matmul(a, b)
    if bias is not None:
        y = y + np.asarray(bias, "float64")
    return ACTIVATIONS[activation](y)
