"""Which TensorFlow a script means, from its names."""

import textwrap

import pytest
from hornbeam.cli.which_tensorflow import Source, choose


def chosen(text, folder="/nowhere", notes=()):
    return choose(Source("s.py", textwrap.dedent(text), str(folder), list(notes)))


TF = "import tensorflow as tf\n"


@pytest.mark.parametrize(
    "text",
    [
        TF + "x = tf.placeholder(tf.float32)",
        TF + "from tensorflow import keras\nconfig = tf.ConfigProto()\nkeras.layers.Dense(1)",
        TF + "tf.Session(config=None)\ntf.data.Dataset",
        TF + "y = tf.layers.dense(x, 3)",
        TF + "tf.enable_eager_execution()\nwith tf.GradientTape() as t: pass",
        TF + "tf.train.AdamOptimizer(1e-3)\ntf.keras.layers.Dense(1)",
        "from tensorflow.contrib import rnn",
        "import tensorflow.contrib.slim as slim",
        "import tensorflow.compat.v1 as tf\ntf.disable_v2_behavior()\nimport tensorflow.keras",
        "from keras import backend as K\nK.set_session(None)\nimport tensorflow.keras",
        "import keras\nkeras.backend.tf.log(1)",
        "import keras",
        "import keras\nimport tensorflow as tf\ntf.reduce_mean(x)",
        "print('GradientTape')",
        "class M:\n    def train_step(self): pass",  # of another library
        TF + "assert tf.__version__.startswith('1.')\nimport tensorflow.keras",
        TF + "assert tf.__version__ < '2'\nimport tensorflow.keras",
    ],
)
def test_scripts_of_tensorflow_1(text):
    assert chosen(text).dialect.number == 1


@pytest.mark.parametrize(
    "text",
    [
        TF + "with tf.GradientTape() as tape: pass\ntf.Session()",
        TF + "@tf.function\ndef f(x): return x",
        TF + "tf.data.Dataset.from_tensor_slices(x)",
        TF + "m = tf.keras.Sequential()",
        TF + "tf.random.set_seed(1)",
        TF + "gpus = tf.config.list_physical_devices('GPU')\nimport keras",
        TF + "assert tf.__version__ >= '2.0'",
        TF + "if int(tf.__version__.split('.')[0]) < 2:\n    s = tf.Session()",
        TF + "if tf.__version__.startswith('2'): pass\nelse: tf.Session()",
        TF + "from distutils.version import LooseVersion\nassert LooseVersion(tf.__version__) >= LooseVersion('2.1')",
        TF + "print(tf.matmul(a, b))",
        "from tensorflow.keras.layers import Dense",
        "from tensorflow import keras as k\nk.layers.Dense(3)",
        "import keras\nclass M(keras.Model):\n    def train_step(self, data): pass",
        "from keras.layers import Dense, TextVectorization",
        "import tensorflow.compat.v1 as tf1, tensorflow as tf\ntf1.placeholder\ntf.keras.Model",
    ],
)
def test_scripts_of_tensorflow_2(text):
    assert chosen(text).dialect.number == 2


def test_the_reason_names_file_line_and_name():
    assert chosen("import tensorflow as tf\n\ntf.keras.Model\nx = tf.Session()").why == "s.py:4 uses tf.Session"
    assert chosen("import tensorflow as t\n\n\nt.keras.Model").why == "s.py:4 uses tf.keras.Model"


def test_local_imports_count_and_the_script_comes_first(tmp_path):
    package = tmp_path / "nets" / "deep"
    package.mkdir(parents=True)
    (tmp_path / "nets" / "__init__.py").write_text("from . import layers")
    (tmp_path / "nets" / "layers.py").write_text("from .deep.steps import *")
    (package / "steps.py").write_text("from ..layers import x\n" + TF + "tf.GradientTape()")
    (tmp_path / "old.py").write_text("raise SystemExit\n" + TF + "tf.placeholder")
    assert chosen("import keras\nfrom nets import layers", tmp_path).why == "nets/deep/steps.py:3 uses tf.GradientTape"
    assert chosen("import keras, old\nimport nets", tmp_path).why == "old.py:3 uses tf.placeholder"
    assert chosen(TF + "tf.function\nimport old", tmp_path).dialect.number == 2
    assert chosen("import keras\nimport numpy", tmp_path).dialect.number == 1


def test_reading_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("hornbeam.cli.which_tensorflow.MOST_FILES", 3)
    for i in range(9):
        (tmp_path / f"m{i}.py").write_text(f"import m{i + 1}\n" + (TF + "tf.function" if i == 8 else ""))
    assert chosen("import keras, m0", tmp_path).dialect.number == 1
    assert chosen("import keras, m5", tmp_path).dialect.number == 1
    assert chosen("import keras, m7", tmp_path).dialect.number == 2
    monkeypatch.setattr("hornbeam.cli.which_tensorflow.MOST_BYTES", 10)
    assert chosen("import keras, m8", tmp_path).dialect.number == 1


@pytest.mark.parametrize("text", ["def (", "x = " + "(" * 500 + ")" * 500, "\0"])
def test_what_does_not_parse_says_nothing(text):
    assert chosen(text).dialect.number == 1


def test_lines_of_a_notebook_count():
    assert chosen("import keras", notes=["%tensorflow_version 2.x"]).dialect.number == 2
    assert chosen(TF + "tf.function", notes=["!pip install -q tensorflow-gpu==1.15.0"]).dialect.number == 1
    assert chosen(TF + "tf.function", notes=["!pip install tensorflow-hub==0.9"]).dialect.number == 2
