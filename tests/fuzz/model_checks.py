"""A random model: its prediction and a step of its training as programs, and what the engine makes of it."""

from __future__ import annotations

import warnings

import numpy as np
from hornbeam import backend as K
from hornbeam.graph.variable import write_state
from hornbeam.models import Model
from hornbeam.optimizers import SGD
from program_checks import away_from, instruction_sets, listed, memory, outcome, reduced
from random_models import grow_model
from random_programs import REFUSED, Program
from running_programs import Noise, graph_of, same_bits


def check_model(seed: int) -> str:
    """What is wrong with the model of a seed; empty if nothing is."""
    K.clear_session()
    dtype = str(np.random.default_rng([seed, 4]).choice(["float32", "float64"], p=[0.75, 0.25]))
    K.set_floatx(dtype)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _checked(seed, dtype)
    finally:
        K.set_floatx("float32")


def _checked(seed: int, dtype: str) -> str:
    try:
        model, feeds, targets, is_random = grow_model(seed)
    except REFUSED as error:
        if not 10 <= len(str(error)) <= 1500:
            raise
        return ""
    programs = {"prediction": prediction(model, feeds, dtype), "training": training(model, feeds, targets, dtype)}
    for what, program in programs.items():
        for check in (memory, instruction_sets):
            wrong = outcome(check, program)
            if wrong:
                return f"{what}, {check.__name__}: {wrong}\n{_layers(model)}\n{reduced(program, check)}"
    wrong = engine(model, feeds, targets, programs["prediction"])
    if wrong:
        return f"{wrong}\n{_layers(model)}"
    if dtype == "float32" and not is_random:
        K.set_floatx("float64")
        twin, feeds, targets, _ = grow_model(seed)
        exact = [prediction(twin, feeds, "float64"), training(twin, feeds, targets, "float64")]
        for what, program, double in zip(programs, programs.values(), exact):
            wrong = away_from(double, program)
            if wrong:
                return f"{what} in float64: {wrong}\n{_layers(model)}\n{listed(program)}"
    return ""


def prediction(model: Model, feeds: list[np.ndarray], dtype: str) -> Program:
    return with_variables(Program(list(model.inputs), feeds, list(model.outputs), [], {}, 0, dtype, dtype))


def training(model: Model, feeds: list[np.ndarray], targets: list[np.ndarray], dtype: str) -> Program:
    """The loss, its gradients, and the updates of one step."""
    given = [K.placeholder([None, *y.shape[1:]]) for y in targets]
    loss = sum(K.mean(K.square(y - t)) for y, t in zip(model.outputs, given))
    weights = model.trainable_weights
    gradients = [g for g in K.gradients(loss, weights) if g is not None] if weights else []
    updates = [] if len(gradients) < len(weights) else SGD(0.1, momentum=0.5).get_updates(loss, weights)
    updates = [u for u in [*updates, *model.updates]]
    return with_variables(
        Program([*model.inputs, *given], [*feeds, *targets], [loss, *gradients], updates, {}, 1, dtype, dtype)
    )


def with_variables(program: Program) -> Program:
    """Let a program begin with the values that its variables have now."""
    graph = graph_of(program)
    read = [value.payload for value in graph.values if value.kind == "variable"]
    program.variables = {v: np.asarray(v.numpy()) for v in [*read, *(variable for variable, _ in graph.updates)]}
    return program


def engine(model: Model, feeds: list[np.ndarray], targets: list[np.ndarray], program: Program) -> str:
    """predict gives what the program does; the same training gives the same weights; so does a model made of its config."""
    write_state(list(program.variables.items()))
    got = model.predict(feeds, batch_size=len(feeds[0]))
    wrong = Noise(program).difference(got if isinstance(got, list) else [got])
    if wrong:
        return f"predict: {wrong}"
    start = model.get_weights()
    trained = []
    for _ in range(2):
        model.set_weights(start)
        model.compile("adam", "mse")
        model._run_counter.value = 0
        for _ in range(2):
            model.train_on_batch(feeds, targets)
        trained.append(model.get_weights())
    wrong = same_bits(*trained)
    return wrong and f"trained again: {wrong}"


def _layers(model: Model) -> str:
    lines = []
    for layer in model.layers:
        given = {k: v for k, v in layer.get_config().items() if isinstance(v, (int, float, str, tuple))}
        lines.append(f"{type(layer).__name__} {layer.input_shape} {given}"[:300])
    return "\n".join(lines)
