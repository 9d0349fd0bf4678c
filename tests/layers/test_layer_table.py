"""docs/layers.md says what runs each layer, and it is so."""

import inspect

import pytest
from hornbeam import layers as L

from . import layer_table


def test_each_layer_has_a_row():
    text = layer_table.PAGE.read_text()
    abstract = {L.Layer, L.InputLayer, L.Wrapper, L.RNN, L.ConvRNN2D}
    for name, value in vars(L).items():
        is_cell = name.endswith(("Cell", "Cells"))
        if inspect.isclass(value) and issubclass(value, L.Layer) and value not in abstract and not is_cell:
            kind, rank = value.__name__[:-2], value.__name__[-2:]
            in_family = f"{kind}1D" in text and rank in ("2D", "3D") and f" {rank}" in text
            assert value.__name__ in text or in_family, f"{name} has no row in docs/layers.md"


@pytest.mark.cpu_kernels(reason="the page names the CPU's kernels")
@pytest.mark.parametrize("row", [*layer_table.ROWS, *layer_table.LATER_ROWS], ids=lambda row: row[0])
def test_the_page_is_what_plans_say(row):
    assert layer_table.row_of(*row) in layer_table.PAGE.read_text(), (
        "python tests/layers/layer_table.py writes it again"
    )
