"""A short run of the fuzzer of programs and models; what it found before is in the tests of the rooms."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import numpy as np
from hornbeam import graph as G
from model_checks import check_model
from program_checks import check_program, instruction_sets, slopes
from random_programs import Program
from running_programs import Noise


@pytest.mark.parametrize("first", range(0, 100, 50))
def test_programs(first):
    for seed in range(first, first + 50):
        assert check_program(seed) == "", f"python tests/fuzz/fuzz_programs.py --case program:{seed}"


@pytest.mark.parametrize("first", range(0, 24, 12))
def test_models(first):
    for seed in range(first, first + 12):
        assert check_model(seed) == "", f"python tests/fuzz/fuzz_programs.py --case model:{seed}"


def test_what_depends_on_an_overflow_in_a_sum_of_products_may_be_anything():
    """A cell state of f c + i g = -1e40 + inf."""
    zero = np.zeros((1, 1), "float32")
    feeds = [np.array([[[1e20, 1e20, 1e20, 1.0]]], "float32"), zero, zero - 1e20, np.zeros((1, 4), "float32")]
    inputs = [G.placeholder(a.shape, "float32") for a in feeds]
    made = G.apply("lstm", [*inputs, None, None], activation="linear", recurrent_activation="relu")
    program = Program(inputs, feeds, [G.apply("tanh", [made[2]]), inputs[2]], [], {})
    noise = Noise(program)
    for state in (1.0, -1.0, np.nan):
        assert noise.difference([np.array([[state]], "float32"), feeds[2]]) == ""
    assert noise.difference([zero + 1, feeds[2] * 2])
    assert instruction_sets(program) == ""


def test_what_grows_large_on_the_way_may_differ_from_float64():
    """A GRU with ReLU gates. A state of 1 + 1e-11 is 1 in float32; gates of 1e2, 2e4 and 4e8 make 12,000 of the difference."""
    assert check_program(1796082614000256) == ""


def test_what_one_number_makes_infinite_may_not():
    x = G.placeholder((1,), "float32")
    noise = Noise(Program([x], [np.array([1000.0], "float32")], [G.apply("exp", [x])], [], {}))
    assert noise.difference([np.array([np.inf], "float32")]) == ""
    assert "inf" in noise.difference([np.array([np.nan], "float32")])


def test_a_max_pooling_of_other_numbers_jumps():
    """Where y was not pooled from x, rounding decides where they are equal."""
    values = np.ones((1, 2, 2, 1), "float32")
    x, y, g = inputs = [G.placeholder(values.shape, "float32") for _ in range(3)]
    how = {"size": [1, 1], "strides": [1, 1], "padding": "valid"}
    for pooled, jumps in ((G.apply("max_pool2d", [x], **how), False), (y, True)):
        made = G.apply("max_pool2d_gather", [x, pooled, g], **how)
        noise = Noise(Program(inputs, [values] * 3, [made], [], {}))
        assert bool(noise.difference([values * 0])) != jumps


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_kinks_whose_steps_cancel_each_other(factor):
    """relu(v) - relu(-v) is v, but its gradient at 0 is 0, since relu's is. Away from 0 a wrong one is found."""
    values = np.zeros(3)
    v = G.Variable(values)
    rises, falls = G.apply("relu", [v]), G.apply("relu", [G.apply("neg", [v])])
    loss = G.apply("reduce_sum", [G.apply("sub", [rises, falls])], axes=[0], keepdims=False)
    gradient = G.apply("mul", [G.gradients(loss, [v])[0], G.constant(np.float64(factor))])
    pairs = ((v, gradient),)
    program = Program([], [], [loss, gradient], [], {v: values}, 0, "float64", "float64", 1, loss, pairs)
    assert bool(slopes(program)) == (factor != 1.0)
