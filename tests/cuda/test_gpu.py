"""A device with streams of its own: a GPU, or the simulated one (docs/cuda.md says how to build it)."""

import sys
import threading
from pathlib import Path

import hornbeam
import numpy as np
import pytest
from dlpack import Foreign
from fresh_process import run_python
from hornbeam import _core, callbacks, layers, models
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


@pytest.mark.parametrize("is_mapped", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_what_is_small_is_read_and_written_in_the_hosts_memory(gpu, seed, is_mapped):
    out = output_of(
        """
        import os, numpy as np, hornbeam
        from hornbeam import backend as K, graph as G
        gpu = os.environ["HORNBEAM_DEVICE"]
        x, w = K.placeholder((None, 4)), K.variable(np.arange(12).reshape(4, 3))
        n, total = K.random_uniform((3,), seed=1), K.variable(0.0)
        y = K.dot(x, w) + n
        data = [np.random.RandomState(run).rand(2, 4) for run in range(6)]
        results = {}
        for device in ("cpu", gpu):
            total.set_value(0.0)
            f = G.Function([x], [y, K.sum(y)], updates=[total.assign(total + K.sum(y))], counter=G.RunCounter())
            with hornbeam.device(device):
                results[device] = [f([rows]) for rows in data]
                there = hornbeam.DeviceArray(data[0].astype("float32")) if device == gpu else data[0]
                results[device].append(f([there]))
                results[device].append(f([data[1]]))
                results[device].append([total.get_value()])
        for a, b in zip(*results.values()):
            for one, other in zip(a, b):
                np.testing.assert_allclose(one, other, rtol=1e-5)
        with hornbeam.device(gpu):
            print(*str(f.program().bind([(2, 4)])).splitlines()[0].split(", ")[2:])
            large = np.ones((5000, 4))
            f([large])
            print(*str(f.program().bind([large.shape])).splitlines()[0].split(", ")[2:])
        """,
        HORNBEAM_DEVICE=gpu,
        HORNBEAM_MAPPED=str(int(is_mapped)),
        HORNBEAM_SIM_SEED=str(seed),
    )
    assert out.splitlines() == ["mapped recorded" if is_mapped else "recorded", ""]


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


PREFETCH = """
    import hashlib, numpy as np
    from hornbeam import callbacks, graph as G, layers, models
    rng = np.random.RandomState(0)
    np.random.seed(0)
    model = models.Sequential([layers.Dense(8, "tanh", input_shape=(6,)), layers.Dropout(0.3, seed=1), layers.Dense(3)])
    model.compile("adam", "mse", metrics=["mae"])
    x, y = rng.normal(size=(52, 6)), rng.normal(size=(52, 3))
    runs = []
    G.Function.run_ahead = lambda *args, run=G.Function.run_ahead: runs.append(args[2]) or run(*args)
    rates = np.linspace(0.1, 1e-3, 30)
    schedule = callbacks.LearningRateScheduler(lambda epoch: rates[epoch])
    watch = [callbacks.LambdaCallback(on_batch_end=lambda batch, logs: None)] if {watched} else []
    fit = dict(batch_size=8, epochs=3, verbose=0, callbacks=[schedule, callbacks.TerminateOnNaN(), *watch])
    history = model.fit(x, y, validation_split=0.2, **fit).history
    model.fit(x[:24], y[:24], shuffle=False, **fit)
    parts = [*model.get_weights(), model.predict(x, batch_size=7), *(np.array(v) for v in history.values())]
    print(hashlib.sha256(b"".join(p.tobytes() for p in parts)).hexdigest())
    print(len(runs), sum(following is not None for following in runs))
"""


@pytest.mark.parametrize("mapped", ["1", "0"])
def test_the_next_batch_goes_to_the_device_while_a_step_computes_and_changes_nothing(gpu, mapped):
    """Under each order of streams; a batch that nobody may touch yet, or not any more, would make other weights."""
    if gpu != "sim" and mapped == "1":
        pytest.skip("the time of tests/run_on_gpu.sh is for what large batches do")
    seeds = "0123" if gpu == "sim" else "0"
    ahead, plain = PREFETCH.replace("{watched}", "False"), PREFETCH.replace("{watched}", "True")
    environment = {"HORNBEAM_DEVICE": gpu, "HORNBEAM_MAPPED": mapped}
    runs = [output_of(ahead, HORNBEAM_SIM_SEED=seed, **environment).split() for seed in seeds]
    digest, steps, early = output_of(plain, **environment).split()
    assert (steps, early) == ("14", "10")  # validation and prediction, which no callback of the script watches
    assert runs == [[digest, "41", "31"]] * len(seeds)


def test_a_callback_that_changes_the_data_between_batches_is_heard(gpu):
    class Halved(callbacks.Callback):
        def on_batch_end(self, batch, logs=None):
            x[:] /= 2

    results = {}
    for device in ("cpu", gpu):
        model, x = models.Sequential([layers.Dense(1, kernel_initializer="ones", input_shape=(2,))]), np.ones((12, 2))
        model.compile("sgd", "mae")
        with hornbeam.device(device):
            model.fit(x, np.zeros(12), batch_size=4, verbose=0, callbacks=[Halved()])
        results[device] = model.get_weights()
    close(results["cpu"], results[gpu])


TURNS = """
    import numpy as np, hornbeam
    from hornbeam import _core, backend as K, graph as G
    rng = np.random.RandomState(0)
    x, w = K.placeholder((None, 4)), K.variable(rng.normal(size=(4, 3)))
    kept = G.apply("tanh", [K.variable(rng.normal(size=(4, 3)))])
    y = K.dot(x, w * kept) + K.random_normal((3,), seed=1)
    f = G.Function([x], [y, K.sum(x)], updates=[w.assign(w * 0.9)], counter=G.RunCounter())
    batches, rooms = list(rng.normal(size=(24, 5, 4)).astype("float32")), [_core.EarlyFeeds(), _core.EarlyFeeds()]
    for n, kind in enumerate("ppptptetpeeteeppttppette"):
        if _core.device() == "cpu" or kind == "p":
            results = f([batches[n]])
        elif kind == "t":
            results = f.run_there([hornbeam.DeviceArray(batches[n]) if n % 2 else batches[n]])
        else:
            now, following = rooms[n % 2], rooms[(n + 1) % 2]
            if not now.arrays or now.arrays[0] is not batches[n]:
                now.set([batches[n]])
            following.set([batches[(n + 1) % 24]])
            results = f.run_ahead(now, following)
        print(*np.concatenate([np.asarray(r).ravel() for r in results]).tolist())
    print(*w.get_value().ravel())
"""


@pytest.mark.parametrize("mapped", ["1", "0"])
def test_runs_with_copies_of_each_kind_take_turns(gpu, mapped):
    """From the host and to it; from the device and to it; from where a batch was sent before."""
    seeds = "0123" if gpu == "sim" else "0"
    runs = [output_of(TURNS, HORNBEAM_DEVICE=gpu, HORNBEAM_MAPPED=mapped, HORNBEAM_SIM_SEED=seed) for seed in seeds]
    assert len(set(runs)) == 1
    want, got = (np.array(" ".join(out.split()).split(), float) for out in (output_of(TURNS), runs[0]))
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mapped", ["1", "0"])
def test_only_what_is_copied_is_read_ahead(gpu, mapped):
    out = output_of(
        """
        import numpy as np
        from hornbeam import _core, backend as K, graph as G
        x = K.placeholder((2,))
        f = G.Function([x], [K.sum(x)])
        now, following, data = _core.EarlyFeeds(), _core.EarlyFeeds(), np.ones(2, "float32")
        for _ in range(3):
            now.set([np.ones(2, "float32")]), following.set([data])
            f.run_ahead(now, following)
            data *= 2  # which a read ahead does not see
            print(f.run_ahead(following, None)[0])
        """,
        HORNBEAM_DEVICE=gpu,
        HORNBEAM_MAPPED=mapped,
    )
    assert [float(line) for line in out.splitlines()] == ([4, 8, 16] if mapped == "1" else [2, 4, 8])


def test_a_batch_that_is_wrong_is_an_error_of_its_own_step(gpu):
    x, seen = K.placeholder((None, 2)), K.variable(0.0)
    f = G.Function([x], [K.sum(x)], updates=[seen.assign(seen + 1.0)])
    now, following = _core.EarlyFeeds(), _core.EarlyFeeds()
    with hornbeam.device(gpu):
        for wrong in ([(np.ones((4, 2)), np.array([3, 4]))], [np.ones((2, 3))], [], ["x"]):
            now.set([np.ones((2, 2))])
            following.set(wrong)
            assert f.run_ahead(now, following)[0] == 4
            with pytest.raises((ValueError, TypeError)):
                f.run_ahead(following, None)
            following.set([np.full((2, 2), 2.0)])
            assert f.run_ahead(now, following)[0] == 4
            assert f.run_ahead(following, now)[0] == 8
            following.set([np.full((2, 2), 3.0)])  # what was sent and not used makes room
            assert f.run_ahead(now, following)[0] == 4
            following.set([np.full((2, 2), 5.0)])
            assert f.run_ahead(following, None)[0] == 20
        with pytest.raises(ValueError, match="the same room"):
            f.run_ahead(now, now)
    assert seen.get_value() == 4 * 5


def test_arrays_of_other_libraries_come_while_another_thread_records(gpu):
    """CUDA refuses to wait for a device while something is recorded there, and the recording is lost."""
    x, w, rows = K.placeholder((None, 3)), K.variable(np.eye(3)), range(1, 25)
    y = x
    for _ in range(100):
        y = K.dot(y, w)
    f = G.Function([x], [y])
    are_over = threading.Event()

    def predict():
        try:
            with hornbeam.device(gpu):
                return [f([np.ones((n, 3))])[0].sum() / n for n in rows for _ in range(3)]
        finally:
            are_over.set()

    def share():
        shared = 0
        with hornbeam.device(gpu):
            theirs = Foreign(hornbeam.DeviceArray(np.ones(3)))
            while not are_over.is_set():
                shared += hornbeam.DeviceArray(theirs).shape[0]
        return shared

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        results, *shared = at_once(predict, share, share)
    finally:
        sys.setswitchinterval(interval)
    assert all(shared) and results == [3.0] * len(results)
    assert all("recorded" in plan_of(f, [(n, 3)], gpu) for n in rows)


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


def test_where_the_host_has_no_memory_for_copies_it_is_a_memory_error(gpu):
    if gpu != "sim":
        pytest.skip("it would take the machine's whole memory")
    out = output_of(
        """
        import numpy as np, hornbeam
        from hornbeam import backend as K
        f = K.function([], [K.sum(K.variable(np.ones(100)))])
        with hornbeam.device("sim"):
            try:
                f([])
            except MemoryError as error:
                print(error)
        print(f([])[0])
        """,
        HORNBEAM_SIM_MEMORY=str(512 << 10),
    )
    assert out.splitlines() == ["device 'sim': the host has too little memory left", "100.0"]


def test_memory_that_others_keep_for_later_is_given_up_for_what_is_wanted_now(gpu):
    if gpu != "sim":
        pytest.skip("it would take a GPU's whole memory")
    out = output_of(
        """
        import numpy as np, hornbeam
        from hornbeam import backend as K, graph as G
        a = K.placeholder((None, 600))
        w = K.variable(np.ones((600, 500)))
        first, second = (K.function([a], [K.sum(K.dot(a, G.apply("tanh", [w * scale])))]) for scale in (1e-9, 2e-9))
        with hornbeam.device("sim"):
            for f in (first, second, first):
                for rows in (550, 600):  # there is not room for the plans of both
                    print(f"{f([np.ones((rows, 600))])[0] / rows:.3g}")
        """,
        HORNBEAM_SIM_MEMORY=str(12 << 20),
    )
    assert out.split() == ["0.0003"] * 2 + ["0.0006"] * 2 + ["0.0003"] * 2


def test_weights_go_from_one_gpu_to_another(gpu):
    if gpu != "sim":
        pytest.skip("there may be one alone")
    out = output_of(
        """
        import numpy as np, hornbeam
        from hornbeam import _core, backend as K, graph as G
        from together import at_once
        x, w = K.placeholder((None, 3)), K.variable(np.eye(3))
        train = G.Function([x], [K.sum(K.dot(x, w))], updates=[w.assign(w + 1.0)])
        for device in ("sim", "sim:1", "cpu", "sim:1", "sim:0") * 3:  # runs are recorded from the second on
            with hornbeam.device(device):
                print(train([np.ones((2, 3))])[0])
        print(w.get_value().sum())
        print(*(name for name, _ in _core.devices() if name.startswith("sim")))

        y = G.Function([x], [K.tanh(K.dot(x, w) / 100)])
        def predict(device):
            with hornbeam.device(device):
                return [y([np.ones((n, 3))])[0].sum() / n for n in range(1, 20)]
        one, two = at_once(lambda: predict("sim"), lambda: predict("sim:1"))
        print(np.allclose(one, two) and np.allclose(one, one[0]))
        """,
        HORNBEAM_SIM_DEVICES="2",
        PYTHONPATH=str(Path(__file__).parents[1]),
    ).splitlines()
    assert [float(line) for line in out[:16]] == [6 + 18 * n for n in range(15)] + [3 + 9 * 15]
    assert out[16:] == ["sim sim:1", "True"]


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
