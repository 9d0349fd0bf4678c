"""``hornbeam run``: a script that is not touched at all."""

import os
import subprocess
import sys
import textwrap

import pytest


@pytest.fixture
def run(tmp_path):
    """A function that runs a script by ``hornbeam run`` in a fresh process."""

    def run_script(source, *args, tf=None):
        script = tmp_path / "script.py"
        script.write_text(textwrap.dedent(source))
        command = [sys.executable, "-m", "hornbeam", "run", *(["--tf", tf] if tf else []), str(script), *args]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)

    return run_script


def check(result, *lines):
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == list(lines)


def test_the_script_is_main_with_its_arguments_and_folder(run, tmp_path):
    (tmp_path / "beside.py").write_text("name = __name__")
    result = run(
        """
        import sys, beside
        print(__name__, sys.argv[1:], beside.name, __file__ == sys.argv[0])
        """,
        "--epochs", "3", "-v",
    )  # fmt: skip
    check(result, "__main__ ['--epochs', '3', '-v'] beside True")


def test_keras_modules_are_hornbeams(run):
    result = run(
        """
        import hornbeam, keras, keras.layers as layers
        from keras.utils import np_utils
        from keras import backend as K
        import tensorflow as tf
        import tensorflow.keras.backend
        from tensorflow.keras.utils import np_utils as again
        from tensorflow.python.keras import regularizers
        print(keras is hornbeam, layers is hornbeam.layers, np_utils is hornbeam.utils.np_utils, np_utils is again)
        print(tf.keras is hornbeam, tensorflow.keras.backend is K, regularizers is hornbeam.regularizers)
        print(hornbeam.__spec__.name, layers.__spec__.name, layers.__name__)
        """
    )
    check(result, "True True True True", "True True True", "hornbeam hornbeam.layers hornbeam.layers")


def test_keras_says_which_of_the_two_kerases_it_is(run):
    result = run(
        """
        import keras
        from hornbeam import bench
        print(keras.__name__, bench.__name__)
        """
    )
    check(result, "keras hornbeam.bench")


def test_what_came_along_with_keras_is_there_where_it_is_not_installed(run, tmp_path):
    (tmp_path / "keras_preprocessing").mkdir()
    (tmp_path / "keras_preprocessing" / "__init__.py").write_text("mine = True")
    result = run(
        """
        import keras, keras_applications, keras_preprocessing
        from keras_applications.imagenet_utils import _obtain_input_shape
        backend, layers, models, utils = keras_applications.get_submodules_from_kwargs({"layers": "given"})
        print(keras_applications is keras.applications, layers, models is keras.models, keras_preprocessing.mine)
        print(keras_applications.vgg16.VGG16(weights=None, backend=backend, layers=keras.layers).name)
        keras_applications.set_keras_submodules(backend=backend, layers=layers, models=models, utils=utils)
        own = keras.applications.keras_modules_injection(lambda size, layers=None, models=None, **rest: (size, layers, models, *rest))
        print(own(3) == (3, keras.layers, models, "backend", "utils"))
        try:
            keras_applications.get_submodules_from_kwargs({"engine": 1})
        except TypeError as error:
            print(error)
        """
    )
    check(result, "True given True True", "vgg16", "True", "Invalid keyword argument: engine")


def test_a_keras_module_that_never_was_is_an_import_error_by_its_own_name(run):
    result = run("import keras.nonsense")
    assert result.returncode == 1
    assert "No module named 'keras.nonsense'" in result.stderr


def test_preamble_of_tensorflow_scripts(run):
    result = run(
        """
        import tensorflow as tf
        from tensorflow.compat.v1 import ConfigProto, InteractiveSession
        import tensorflow.compat.v1 as tf1
        from keras import backend as K
        tf.logging.set_verbosity(tf.logging.ERROR)
        tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
        tf.get_logger().setLevel('ERROR')
        tf.set_random_seed(1)
        tf.random.set_seed(1)
        tf1.disable_eager_execution()
        config = tf.ConfigProto(allow_soft_placement=True, gpu_options=tf.GPUOptions(allow_growth=True))
        config.gpu_options.per_process_gpu_memory_fraction = 0.4
        sess = tf.Session(config=config)
        sess.run(tf.global_variables_initializer())
        K.set_session(sess)
        print(sess.run({'sum': K.constant(1.) + 2.})['sum'], K.get_session() is tf.get_default_session())
        with tf.Session() as s, tf.get_default_graph().as_default(), tf.device('/gpu:0'):
            pass
        InteractiveSession(config=ConfigProto())
        for gpu in tf.config.experimental.list_physical_devices('GPU'):
            tf.config.experimental.set_memory_growth(gpu, True)
        print(tf.test.is_gpu_available(), tf.__version__[:2])
        """
    )
    check(result, "3.0 True", "False 1.")


def test_options_of_tensorflows_runs_change_nothing(run):
    result = run(
        """
        import numpy as np, tensorflow as tf
        from tensorflow.core.protobuf import config_pb2, rewriter_config_pb2
        from keras import backend as K
        from keras.layers import Dense
        from keras.models import Sequential
        config = config_pb2.ConfigProto()
        config.graph_options.optimizer_options.global_jit_level = tf.OptimizerOptions.ON_1
        config.graph_options.rewrite_options.memory_optimization = rewriter_config_pb2.RewriterConfig.OFF
        tf.config.optimizer.set_jit(True)
        session = tf.Session(config=config)
        options = tf.RunOptions(report_tensor_allocations_upon_oom=True, trace_level=tf.RunOptions.FULL_TRACE)
        extra = {'options': options, 'run_metadata': tf.RunMetadata()}
        model = Sequential([Dense(1, kernel_initializer='ones', input_shape=(2,))])
        model.compile('sgd', 'mse', **extra)
        print(model.evaluate(np.ones((4, 2)), np.zeros(4), verbose=0))
        x = K.placeholder(())
        print(K.function([x], [x + 1.], **extra)([2.])[0], session.run(x + 1., {x: 3.}, **extra))
        try:
            model.compile('sgd', 'mse', optoins=options)
        except ValueError as error:
            print(error)
        """
    )
    check(result, "4.0", "3.0 4.0", "Invalid argument 'optoins' passed to `compile`.")


def test_the_names_that_a_script_uses_say_which_tensorflow_it_means(run, tmp_path):
    (tmp_path / "net.py").write_text("import tensorflow as tf\nstrategy = tf.distribute.MirroredStrategy()")
    versions = "import tensorflow as tf, keras\nprint(tf.__version__, tf.version.VERSION, keras.__version__, {}{})\n"
    two, one = versions.format("tf.keras.", "__version__"), versions.format("len(tf.ConfigProto.__name__", ")")
    check(run(two), "2.15.0 2.15.0 2.15.0 2.15.0")
    check(run(one), "1.15.5 1.15.5 2.3.1 7")
    check(run("import net\n" + versions.format("1", "")), "2.15.0 2.15.0 2.15.0 1")


def test_which_tensorflow_can_be_said_and_asked(tmp_path):
    (tmp_path / "s.py").write_text("import tensorflow as tf\nprint(tf.__version__)\ntf.keras")

    def run_with(*options, **environment):
        return subprocess.run(
            [sys.executable, "-m", "hornbeam", "run", *options, "s.py"],
            capture_output=True, text=True, cwd=tmp_path, env=os.environ | environment,
        )  # fmt: skip

    check(run_with("--tf", "1"), "1.15.5")
    check(run_with(HORNBEAM_TF="1"), "1.15.5")
    check(run_with("--tf", "2", HORNBEAM_TF="1"), "2.15.0")
    assert run_with("-v").stderr == "hornbeam run: TensorFlow 2.15.0: s.py:3 uses tf.keras\n"
    assert run_with("-v", HORNBEAM_TF="1").stderr == "hornbeam run: TensorFlow 1.15.5: HORNBEAM_TF=1\n"
    wrong = run_with(HORNBEAM_TF="3")
    assert wrong.returncode == 2 and "HORNBEAM_TF is '3'" in wrong.stderr


def test_what_tf_where_means_is_the_scripts(run):
    source = """
        import tensorflow as tf, numpy as np
        rows = tf.where([True, False], tf.ones((2, 2)), tf.zeros((2, 2)))
        print(tf.keras.backend.eval(rows).tolist(), tf.executing_eagerly()) {}
        """
    check(run(source.format("")), "[[1.0, 0.0], [1.0, 0.0]] True")
    check(run(source.format("if True else tf.Session")), "[[1.0, 1.0], [0.0, 0.0]] False")


def test_a_program_of_ones_own_installs_it(tmp_path):
    def run_with(code, as_file=True, **environment):
        (tmp_path / "own.py").write_text(code)
        command = [sys.executable, "own.py"] if as_file else [sys.executable, "-c", code]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=os.environ | environment)

    code = "import hornbeam\nhornbeam.install_as_keras({})\nimport tensorflow as tf, keras\nprint(tf.__version__, {})"
    check(run_with(code.format("", "tf.placeholder.__name__")), "1.15.5 placeholder")
    check(run_with(code.format("", "tf.keras.__version__")), "2.15.0 2.15.0")
    check(run_with(code.format("", "tf.keras.__version__"), HORNBEAM_TF="1"), "1.15.5 2.3.1")
    check(run_with(code.format("tf=1", "tf.keras.__version__")), "1.15.5 2.3.1")
    check(run_with(code.format("", 1), as_file=False), "2.15.0 1")  # as in a notebook
    assert "is 1 or 2" in run_with(code.format("tf=3", 1)).stderr


def test_the_file_that_installs_it_is_read_not_the_one_that_runs(tmp_path):
    (tmp_path / "conftest.py").write_text("import hornbeam\nhornbeam.install_as_keras()\nimport tensorflow.keras")
    (tmp_path / "main.py").write_text("import conftest, tensorflow as tf\nprint(tf.__version__)\ntf.Session")
    result = subprocess.run([sys.executable, "main.py"], capture_output=True, text=True, cwd=tmp_path)
    check(result, "2.15.0")


def test_files_say_the_same_keras_whatever_the_script_means(run):
    result = run("import json, keras\nprint(json.loads(keras.models.Sequential().to_json())['keras_version'])", tf="2")
    check(result, "2.3.1")


def test_threads_of_a_session_are_threads_here(run):
    result = run(
        """
        import tensorflow as tf
        from hornbeam import _core
        tf.Session(config=tf.ConfigProto(intra_op_parallelism_threads=3))
        print(_core.num_threads())
        tf.config.threading.set_intra_op_parallelism_threads(num_threads=1)
        print(_core.num_threads())
        tf.config.threading.set_intra_op_parallelism_threads(0)  # lets TensorFlow choose
        print(_core.num_threads())
        """
    )
    check(result, "3", "1", "1")


def test_tensorflows_seed_reaches_numpy_only_where_the_script_did_not_seed_it(run):
    source = """
        import numpy as np, tensorflow as tf
        {}
        tf.set_random_seed(5)
        print(np.random.rand() == np.random.RandomState({}).rand())
        """
    check(run(source.format("", 5)), "True")
    check(run(source.format("np.random.seed(7)", 7)), "True")


def test_functions_of_tensorflow_in_a_script(run):
    """In the spellings of both versions, imported in each way, on tensors that answer as TensorFlow's do."""
    result = run(
        """
        import numpy as np, tensorflow as tf
        import tensorflow.compat.v1 as tf1
        from tensorflow.nn import softmax
        from tensorflow.python.ops import array_ops, math_ops
        from tensorflow.python.client import device_lib
        from keras import backend as K
        from keras.layers import Dense, Input, Lambda
        from keras.models import Model

        def loss(y_true, y_pred):
            error = tf.reduce_mean(tf.square(y_true - y_pred), axis=-1)
            return tf.where(tf.greater(error, 0.5), error, tf1.log(1.0 + error))

        x = Input((3,))
        out = Lambda(lambda t: tf.cast(tf.nn.l2_normalize(t, 1), tf.float32))(Dense(2)(x))
        assert out.get_shape().as_list() == [None, 2] and out.shape[1].value == 2 and out.dtype.base_dtype.name == 'float32'
        model = Model(x, out)
        model.compile(tf.train.AdamOptimizer(0.01), loss)
        model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
        print(isinstance(out, tf.Tensor), K.eval(softmax(tf.zeros((1, 2)))).tolist(), K.tf is K.tensorflow_backend.tf is tf)
        print(K.eval(math_ops.square(3.0)), K.eval(array_ops.shape(tf.ones([2, 3]))), len(device_lib.list_local_devices()))
        print(K.eval(tf1.where([True, False], tf.ones((2, 2)), tf.zeros((2, 2)))).tolist())
        print(tf.losses.mean_squared_error(tf.zeros(3), tf.ones(3)).eval(), tf.losses.MeanSquaredError.__module__)
        """
    )
    check(
        result, "True [[0.5, 0.5]] True", "9.0 [2 3] 1", "[[1.0, 1.0], [0.0, 0.0]]", "1.0 hornbeam.losses"
    )  # fmt: skip


def test_gradients_are_overridden_as_libraries_of_heat_maps_write_it(run):
    result = run(
        """
        import tensorflow as tf
        from keras import backend as K
        from tensorflow.python.framework import ops
        from tensorflow.python.ops import gen_nn_ops
        ops.reset_default_graph()
        if "Guided" not in ops._gradient_registry._registry:
            @ops.RegisterGradient("Guided")
            def guided(op, grad):
                return 5. * gen_nn_ops._relu_grad(grad, op.outputs[0])
        x = K.placeholder((2,))
        with tf.get_default_graph().gradient_override_map({"Relu": "Guided"}):
            y = tf.nn.relu(x)
        print(K.function([x], tf.gradients(y, x))([[-1., 1.]])[0].tolist())
        """
    )
    check(result, "[0.0, 5.0]")


def test_tensorflow_is_not_there_without_hornbeam_run():
    source = (
        "import sys, hornbeam, hornbeam.tf\n"
        "print([m for m in sys.modules if m.startswith('tensorflow')])\n"
        "print([f for f in sys.meta_path if type(f).__module__.startswith('hornbeam')])"
    )
    result = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True)
    assert result.stdout == "[]\n[]\n", result.stderr


def test_nothing_of_it_is_loaded_before_it_is_used(run):
    check(
        run("import sys, keras, tensorflow as tf; tf.set_random_seed(1); print('hornbeam.tf' in sys.modules)"), "False"
    )


@pytest.mark.parametrize(
    "line, advice",
    [
        ("tf.batch_flatten", "K.batch_flatten"),
        ("tf.reduce_meen", "tf.reduce_mean"),
        ("tf.get_variable", "self.add_weight in a layer"),
        ("tf.train.Coordinator", "model.compile, model.fit, and keras.callbacks"),
        ("tf.compat.v1.nn.local_conv2d", "K.local_conv2d"),
        ("import tensorflow.estimator", "keras.models.Model"),
    ],
)
def test_the_refusal_names_what_does_the_same(run, line, advice):
    result = run(f"import tensorflow as tf\n{line}")
    assert result.returncode == 1
    assert result.stderr.rstrip().endswith(f"Here: {advice}.")


@pytest.mark.parametrize(
    "line, name",
    [
        ("tf.nn.conv3d_backprop_filter", "tensorflow.nn.conv3d_backprop_filter"),
        ("tf.compat.v1.wholly_unknown", "tensorflow.compat.v1.wholly_unknown"),
        ("from tensorflow import estimator", "tensorflow"),
        ("import tensorflow.estimator", "tensorflow.estimator"),
        ("tf.Session().run([1])", "Session.run"),
    ],
)
def test_anything_else_of_tensorflow_is_refused_by_name(run, line, name):
    result = run(f"import tensorflow as tf\n{line}")
    assert result.returncode == 1
    assert name in result.stderr.splitlines()[-1]
    if "Session" not in line and not line.startswith("from"):
        assert "Hornbeam runs Keras, not TensorFlow" in result.stderr


def test_numpy_names_of_the_time(run):
    check(
        run("import numpy as np\nprint(np.int is int, np.float is float, np.object is object, np.bool(1) == True)"),
        "True True True True",
    )


def test_a_traceback_begins_in_the_script(run):
    result = run("def f():\n    return 1 / 0\nf()")
    assert result.returncode == 1
    lines = result.stderr.splitlines()
    assert lines[0].startswith("Traceback") and "script.py" in lines[1]
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert "runpy" not in result.stderr


def test_a_misspelt_name_is_guessed(run):
    result = run("import keras.layers as L\nL.Densee(3)")
    assert result.returncode == 1 and "Did you mean: 'Dense'?" in result.stderr


def test_a_syntax_error_shows_the_script_alone(run):
    result = run("def f(:\n    pass")
    assert result.returncode == 1 and "SyntaxError" in result.stderr
    assert result.stderr.count("File ") == 1


def test_exit_codes(run):
    assert run("import sys; sys.exit(3)").returncode == 3
    assert run("def broken(:").returncode == 1
    missing = subprocess.run([sys.executable, "-m", "hornbeam", "run", "nowhere.py"], capture_output=True, text=True)
    assert missing.returncode == 2
    assert "no such file: nowhere.py" in missing.stderr
