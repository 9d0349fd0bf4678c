"""Recurrent layers run as one kernel over the sequence, whatever surrounds them: what their programs hold."""

import inspect

import pytest
from hornbeam import backend as K
from hornbeam import graph as G
from hornbeam.layers import GRU, LSTM, Bidirectional, CuDNNGRU, CuDNNLSTM, Embedding, Input, Masking, SimpleRNN

KERNELS = {SimpleRNN: "simple_rnn", GRU: "gru", LSTM: "lstm", CuDNNGRU: "gru", CuDNNLSTM: "lstm"}
PAIRS = [(a, r) for a in ("tanh", "relu", "linear") for r in ("sigmoid", "hard_sigmoid")]


def program_of(inputs, y, phase):
    """The lines of the program for outputs and the gradient of the inputs."""
    y = y if isinstance(y, list) else [y]
    gradients = [g for g in G.gradients(y, inputs) if g is not None]
    return str(G.Function(inputs, [*y, *gradients], phase=phase).program())


def count(program, op):
    return program.count(f"= {op}(")


def check_one_kernel(cls, program, times=1):
    op = KERNELS[cls]
    assert count(program, op) == count(program, f"{op}_grad") == times
    assert "scan(" not in program


@pytest.mark.parametrize("phase", [0, 1])
@pytest.mark.parametrize("implementation", [1, 2])
@pytest.mark.parametrize("cls", [GRU, LSTM])
@pytest.mark.parametrize("activation, recurrent_activation", PAIRS)
def test_activations(cls, activation, recurrent_activation, implementation, phase):
    x = Input((5, 4))
    layer = cls(
        3,
        activation=activation,
        recurrent_activation=recurrent_activation,
        implementation=implementation,
        dropout=0.2,
        recurrent_dropout=0.3,
    )
    program = program_of([x], layer(Masking()(x)), phase)
    check_one_kernel(cls, program)
    assert f"activation={activation} recurrent_activation={recurrent_activation}" in program
    assert ("random_bernoulli" in program) == bool(phase)


OPTIONS = ("return_sequences", "return_state", "go_backwards", "stateful", "unroll", "reset_after")


@pytest.mark.parametrize(
    "cls, option", [(c, o) for c in KERNELS for o in OPTIONS if o in inspect.signature(c).parameters or o == OPTIONS[2]]
)
def test_options(cls, option):
    options = {option: True}
    x = Input(batch_shape=(2, 5, 4))
    check_one_kernel(cls, program_of([x], cls(3, **options)(x), 1))


@pytest.mark.parametrize("steps", [5, None])
@pytest.mark.parametrize("cls", [SimpleRNN, GRU, LSTM])
def test_masks_of_an_embedding(cls, steps):
    x = Input((steps,), dtype="int32")
    layer = cls(3)
    embedding = Embedding(7, 4, mask_zero=True)
    y = layer(embedding(x))
    gradients = G.gradients([y], layer.trainable_weights)
    check_one_kernel(cls, str(G.Function([x], [y, *gradients]).program()))


@pytest.mark.parametrize("cls", [SimpleRNN, GRU, LSTM])
def test_states_and_stacks(cls):
    x, states = Input((5, 4)), [Input((3,)) for _ in range(2 if cls is LSTM else 1)]
    check_one_kernel(cls, program_of([x, *states], cls(3)(x, initial_state=states), 0))
    stacked = cls(3)(cls(3, return_sequences=True, dropout=0.1)(cls(3, return_sequences=True)(x)))
    check_one_kernel(cls, program_of([x], stacked, 1), times=3)


@pytest.mark.parametrize("phase", [0, 1])
@pytest.mark.parametrize("merge_mode", ["concat", "sum", None])
@pytest.mark.parametrize("cls", [SimpleRNN, GRU, LSTM])
def test_bidirectional(cls, merge_mode, phase):
    x = Input((5, 4))
    y = Bidirectional(cls(3, return_sequences=True, recurrent_dropout=0.2), merge_mode=merge_mode)(Masking()(x))
    program = program_of([x], y, phase)
    check_one_kernel(cls, program, times=2)
    assert f"{KERNELS[cls]}(" in program and "go_backwards=1" in program and "go_backwards=0" in program


def test_other_activations_run_step_by_step():
    x = Input((5, 4))
    program = program_of([x], LSTM(3, activation=K.softsign)(x), 0)
    assert "scan(" in program and "lstm(" not in program
