"""What is done with values: printing, at once or whenever a traced function runs."""

import sys

import numpy as np
import pytest
from hornbeam import graph as G
from hornbeam.tf import NAMES
from hornbeam.tf.eager import function

pytestmark = pytest.mark.usefixtures("eager")
tf_print = NAMES["print"]


@pytest.mark.parametrize(
    "shown, text",
    [
        (("loss:", 0.5, 3), "loss: 0.5 3\n"),
        ((G.constant(0.1),), "0.1\n"),
        ((G.constant(1 / 3),), "0.333333343\n"),
        ((G.constant(2.0),), "2\n"),
        ((G.constant([True, False]),), "[1 0]\n"),
        ((G.constant([1, 2, 3]),), "[1 2 3]\n"),
        ((G.constant(np.arange(9)),), "[0 1 2 ... 6 7 8]\n"),
        ((G.constant([[1.5, 2.0], [3.0, 4.0]]),), "[[1.5 2]\n [3 4]]\n"),
        (({"a": G.constant(1)}, [G.constant(2), "x"]), "{'a': 1} [2, x]\n"),
    ],
)
def test_prints_to_standard_error_as_tensorflow_does(shown, text, capsys):
    tf_print(*shown)
    assert capsys.readouterr().err == text


def test_all_items_are_shown_on_request(capsys):
    tf_print(G.constant(np.arange(9)), summarize=-1)
    assert capsys.readouterr().err == "[0 1 2 3 4 5 6 7 8]\n"


def test_streams_ends_and_separators(capsys, tmp_path):
    tf_print(1, G.constant(2), sep="-", end="!", output_stream=sys.stdout)
    assert capsys.readouterr().out == "1-2!"
    for _ in range(2):
        tf_print("line", output_stream=f"file://{tmp_path}/log")
    assert (tmp_path / "log").read_text() == "line\nline\n"


def test_a_traced_function_prints_at_each_run(capsys):
    @function
    def double(x):
        tf_print("x is", x, "of", x.shape)
        return 2 * x

    for i in range(3):
        double(G.constant(float(i)))
    assert double.experimental_get_tracing_count() == 1
    assert capsys.readouterr().err == "".join(f"x is {i} of ()\n" for i in range(3))


def test_a_branch_prints_where_it_is_taken(capsys):
    @function
    def f(x):
        def above():
            tf_print("above")
            return x

        def below():
            tf_print("below")
            return -x

        y = NAMES["cond"](x > 0, above, below)
        if x > 1:
            tf_print("far above", y)
        return y

    assert [float(f(G.constant(v))) for v in (2.0, 0.5, -1.0)] == [2.0, 0.5, 1.0]
    assert f.experimental_get_tracing_count() == 1
    assert capsys.readouterr().err == "above\nfar above 2\nabove\nbelow\n"
