"""A device with streams of its own: a GPU, or the simulated one (docs/cuda.md says how to build it)."""

import hornbeam
import numpy as np
import pytest
from fresh_process import run_python
from hornbeam import _core, layers, models
from hornbeam import backend as K
from hornbeam import graph as G
from together import at_once

GPUS = [name for name, _ in _core.devices() if name in ("cuda", "sim")]
pytestmark = [
    pytest.mark.skipif(not GPUS, reason="this machine has no GPU, and the simulated one is not built"),
    pytest.mark.host_only(reason="each test names the devices that it compares"),
]


@pytest.fixture(params=GPUS)
def gpu(request):
    return request.param


def output_of(code, **environment):
    run = run_python(code, **environment)
    assert run.returncode == 0, run.stderr
    return run.stdout


def plan_of(function, shapes, device):
    with hornbeam.device(device):
        return str(function.program().bind(shapes))


def close(a, b):
    for x, y in zip(a, b, strict=True):
        np.testing.assert_allclose(x, y, rtol=2e-5, atol=2e-6)


def runs_on(device, function, *runs):
    with hornbeam.device(device):
        return [function(list(feeds)) for feeds in runs]


def test_runs_after_the_first_are_played_from_a_recording(gpu, rng):
    x, w = K.placeholder((None, 4)), K.variable(rng.normal(size=(4, 3)))
    loss = K.mean(K.tanh(K.dot(x, w)))
    (slope,) = K.gradients(loss, [w])
    start, data = w.get_value(), [[rng.normal(size=(5, 4))] for _ in range(5)]
    results = {}
    for device in ("cpu", gpu):
        w.set_value(start)
        train = G.Function([x], [loss], updates=[w.assign(w - 0.5 * slope)])
        results[device] = [*runs_on(device, train, *data), [w.get_value()]]
        assert ("recorded" in plan_of(train, [(5, 4)], device)) == (device == gpu)
    for a, b in zip(results["cpu"], results[gpu], strict=True):
        close(a, b)


def test_a_recording_draws_other_numbers_in_each_run(gpu):
    x = K.placeholder((None, 6))
    y = K.foldl(lambda total, row: total + K.dropout(row, 0.5, seed=3), x) + K.random_normal((6,), seed=4)
    results = {}
    for device in ("cpu", gpu):
        f = G.Function([x], [y], phase=1, counter=G.RunCounter())
        results[device] = [run[0] for run in runs_on(device, f, *[[np.ones((20, 6))]] * 4)]
    close(results["cpu"], results[gpu])
    assert len({run.tobytes() for run in results[gpu]}) == 4


def test_what_is_kept_of_weights_follows_them_through_a_recording(gpu, rng):
    x, w = G.placeholder((32, 64)), G.Variable(np.ones((64, 48), "float32"))
    f = G.Function([x], [G.apply("matmul", [x, G.apply("tanh", [w])])])
    for n in range(6):
        if n % 2 == 0:
            w.set_value(rng.normal(size=(64, 48)))
        data = rng.normal(size=(32, 64)) / 8  # of results up to 1, which may be added up in another order
        close(*(runs_on(device, f, [data])[0] for device in ("cpu", gpu)))


def test_steps_of_the_host_are_part_of_a_recording(gpu, rng):
    x = K.placeholder((None, 5000))
    values, indices = G.apply("top_k", [K.tanh(x)], k=3)
    f = G.Function([x], [K.sum(values), indices])
    runs = [[rng.permutation(10000).reshape(2, 5000) / 10000] for _ in range(4)]
    for a, b in zip(*(runs_on(device, f, *runs) for device in ("cpu", gpu)), strict=True):
        close(a, b)
    plan = plan_of(f, [(2, 5000)], gpu)
    assert "top_k [heap] on the host" in plan and "recorded" in plan


def test_a_branch_that_depends_on_data_is_chosen_in_each_run(gpu):
    x = K.placeholder((3,))
    f = G.Function([x], [K.switch(K.sum(x) > 0, lambda: K.square(x), lambda: K.exp(x))])
    runs = [[np.full(3, value)] for value in (1, 2, -1, -2, 3)]
    for a, b in zip(*(runs_on(device, f, *runs) for device in ("cpu", gpu)), strict=True):
        close(a, b)
    assert "recorded" not in plan_of(f, [(3,)], gpu)


def test_shapes_that_depend_on_data(gpu):
    n = K.placeholder((), dtype="int32")
    f = G.Function([n], [K.cumsum(K.cast(K.arange(n * 2), "float32"))])
    for a, b in zip(*(runs_on(device, f, [3], [5], [3]) for device in ("cpu", gpu)), strict=True):
        close(a, b)


def test_feeds_without_elements_and_runs_without_results(gpu):
    x, v = K.placeholder((None, 2)), K.variable(np.zeros(2))
    f = G.Function([x], [], updates=[v.assign(v + K.sum(x, axis=0) + 1)])
    with hornbeam.device(gpu):
        for rows in (0, 3, 0):
            f([np.ones((rows, 2))])
    assert v.get_value().tolist() == [6, 6]


def small_model():
    model = models.Sequential(
        [
            layers.Conv2D(4, 3, activation="relu", input_shape=(8, 8, 2)),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.2, seed=1),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model


def test_a_model_trains_evaluates_and_predicts_in_turn(gpu, rng):
    x, y = rng.normal(size=(40, 8, 8, 2)), np.eye(3)[rng.randint(3, size=40)]
    model, results = small_model(), {}
    start = model.get_weights()
    for device in ("cpu", gpu):
        with hornbeam.device(device):
            model = small_model()
            model.set_weights(start)
            history = model.fit(x, y, batch_size=16, epochs=3, shuffle=False, validation_data=(x, y), verbose=0)
            results[device] = [history.history["val_loss"], model.predict(x), *model.evaluate(x, y, verbose=0)]
    close(results["cpu"], results[gpu])


def test_many_threads_predict_with_one_model(gpu, rng):
    model, x = small_model(), rng.normal(size=(6, 8, 8, 2))
    want = model.predict(x)

    def predict():
        with hornbeam.device(gpu):
            return [model.predict_on_batch(x) for _ in range(8)]

    for answers in at_once(*[predict] * 4):
        for answer in answers:
            np.testing.assert_allclose(answer, want, rtol=1e-5, atol=1e-6)


TRAIN = """
    import numpy as np
    from hornbeam import backend as K, graph as G
    rng = np.random.default_rng(0)
    x, w = K.placeholder((None, 12)), K.variable(rng.normal(size=(12, 12)))
    h = K.foldl(lambda a, row: K.tanh(K.sum(w * row, axis=1) + a), x)
    loss = K.sum(K.dropout(h, 0.3, seed=1))
    (slope,) = K.gradients(loss, [w])
    train = G.Function([x], [loss], updates=[w.assign(w - 0.01 * slope)], phase=1)
    for rows in (3, 3, 3, 5, 3):
        print(float(train([rng.normal(size=(rows, 12))])[0]))
"""


def test_recorded_and_plain_runs_under_every_order_of_streams_give_the_same_bits(gpu):
    if gpu != "sim":
        pytest.skip("a GPU orders its streams itself")
    runs = [
        output_of(TRAIN, HORNBEAM_DEVICE=gpu, HORNBEAM_SIM_SEED=seed, HORNBEAM_GRAPHS=graphs)
        for seed, graphs in (("0", "1"), ("1", "1"), ("2", "1"), ("3", "1"), ("1", "0"))
    ]
    assert len(runs[0].split()) == 5 and set(runs) == {runs[0]}
    np.testing.assert_allclose(*(np.fromstring(run, sep="\n") for run in (runs[0], output_of(TRAIN))), rtol=1e-5)


def test_where_there_is_no_room_the_error_says_how_much_and_the_process_goes_on(gpu):
    if gpu != "sim":
        pytest.skip("it would take a GPU's whole memory")
    out = output_of(
        """
        import numpy as np, hornbeam
        from hornbeam import backend as K
        x = K.placeholder((None,))
        f = K.function([x], [K.sum(K.dot(K.expand_dims(x, 1), K.expand_dims(x, 0)))])
        with hornbeam.device("sim"):
            for n in (10, 5000, 20):
                try:
                    print(f([np.ones(n)])[0])
                except MemoryError as error:
                    print(error)
        """,
        HORNBEAM_SIM_MEMORY=str(8 << 20),
    )
    small, refusal, after = out.splitlines()
    assert (small, after) == ("100.0", "400.0") and "bytes, for which there is no memory" in refusal


def test_children_of_a_process_that_has_only_imported_hornbeam_have_the_device(gpu):
    out = output_of(
        """
        import os, hornbeam, numpy as np
        from hornbeam import _core, graph as G, layers, models
        model = models.Sequential([layers.Dense(3, input_shape=(2,))])
        for _ in range(2):
            if os.fork() == 0:
                print(_core.device(), model.predict(np.zeros((2, 2))).tolist(), flush=True)
                os._exit(0)
            os.wait()
        """,
        HORNBEAM_DEVICE=gpu,
    )
    assert out.splitlines() == [f"{gpu} [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]"] * 2
