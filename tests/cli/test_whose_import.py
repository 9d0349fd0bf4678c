"""The stand-in for TensorFlow serves the user's code and libraries for Keras; others find what is installed."""

import os
import subprocess
import sys
import textwrap

import pytest

LOOKS = """
import importlib, importlib.util

def look():
    found = []
    try:
        import tensorflow.version
        found.append(tensorflow.version.__name__)
    except ImportError as error:
        found.append(type(error).__name__)
    try:
        found.append(importlib.import_module("tensorflow").__version__)
    except ImportError as error:
        found.append(error.name)
    found.append(importlib.util.find_spec("tensorflow") is not None)
    return found

at_import = look()
"""


@pytest.fixture
def run(tmp_path):
    """A function that runs a script beside packages, whose files it is given by path, installed in site-packages."""

    def run_script(source, **packages):
        site = tmp_path / "site-packages"
        for name, text in {"tensorboardish/__init__.py": LOOKS, **packages}.items():
            path = site / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        (tmp_path / "script.py").write_text(textwrap.dedent(source))
        return subprocess.run(
            [sys.executable, "-m", "hornbeam", "run", "--tf", "2", "script.py"],
            capture_output=True, text=True, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(site)},
        )  # fmt: skip

    return run_script


def check(result, *lines):
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == list(lines)


SERVED = "['tensorflow.version', '2.15.0', True]"
NOTHING = "['ModuleNotFoundError', 'tensorflow', False]"


@pytest.mark.parametrize("first", ["tensorboardish", "tensorflow"])
def test_a_library_finds_nothing_where_nothing_is_installed(run, first):
    """Whether it is imported before the script's own import or after it, when it is imported and when it is called."""
    source = f"import {first}\nimport tensorboardish, tensorflow as tf\nprint(tf.__version__)"
    check(run(source + "\nprint(tensorboardish.at_import)\nprint(tensorboardish.look())"), "2.15.0", NOTHING, NOTHING)


@pytest.mark.parametrize(
    "package, files",
    [
        ("keras_contribish", {}),
        ("tf_explainish", {}),
        ("boardish.integration.keras", {"boardish/__init__.py": "", "boardish/integration/__init__.py": ""}),
        ("nets", {"nets-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: nets\nRequires-Dist: Keras (>=2.2)\n"}),
        ("nets", {"other_nets-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: other-nets\nRequires-Dist: "
                  "tensorflow-gpu\n", "other_nets-1.0.dist-info/top_level.txt": "nets"}),
    ],
)  # fmt: skip
def test_a_library_for_keras_is_served(run, package, files):
    result = run(
        f"import {package} as p\nprint(p.at_import)", **files, **{package.replace(".", "/") + "/__init__.py": LOOKS}
    )
    check(result, SERVED)


def test_a_module_that_cannot_do_without_keras_is_served(run):
    layers = "import tensorflow as tf\nfrom keras.layers import Dense\nversion = tf.__version__"
    maybe = "try:\n    import keras, tensorflow\nexcept ImportError:\n    tensorflow = None"
    result = run(
        "import nets.layers, nets.maybe\nprint(nets.layers.version, nets.maybe.tensorflow)",
        **{"nets/__init__.py": "", "nets/layers.py": layers, "nets/maybe.py": maybe},
    )
    check(result, "2.15.0 None")


def test_an_extra_is_not_a_requirement(run):
    about = 'Metadata-Version: 2.1\nName: hub\nRequires-Dist: numpy\nRequires-Dist: tensorflow>=2.4; extra == "tf"\n'
    result = run("import hub\nprint(hub.at_import)", **{"hub/__init__.py": LOOKS, "hub-1.0.dist-info/METADATA": about})
    check(result, NOTHING)


REAL = {
    "tensorflow/__init__.py": """
        from . import version
        __version__ = "9.0"
        def late():
            import keras, tensorflow.more
            return keras.real, tensorflow.more.number, tensorflow.__version__
        """,
    "tensorflow/version.py": "",
    "tensorflow/more.py": "number = 3",
    "keras/__init__.py": "real = True",
}


def test_a_library_finds_the_tensorflow_that_is_installed_and_the_script_the_stand_in(run):
    user = """
        import tensorflow as tf, keras, tensorboardish
        from realish import tf as real
        print(tf.__version__, tensorboardish.look(), keras.__name__)
        print(real.__version__, real.late(), real is tf)
        import tensorflow.keras.layers, tensorflow as again, sys
        print(tensorflow.keras is keras, again is tf, sys.modules["tensorflow"] is tf, hasattr(keras, "real"))
        """
    result = run(user, **REAL, **{"realish/__init__.py": "import tensorflow as tf"})
    check(
        result, "2.15.0 ['tensorflow.version', '9.0', True] keras", "9.0 (True, 3, '9.0') False", "True True True False"
    )  # fmt: skip


def test_the_traceback_of_a_failed_import_shows_the_script_alone(run):
    result = run("def f():\n    import nowhere_at_all\nf()")
    assert result.returncode == 1
    assert [line.split('"')[1] for line in result.stderr.splitlines() if line.startswith("  File")] == ["script.py"] * 2


def test_installing_it_again_adds_nothing():
    code = (
        "import hornbeam, builtins, importlib, importlib.util, sys\n"
        "for _ in range(3): hornbeam.install_as_keras()\n"
        "functions = builtins.__import__, importlib.import_module, importlib.util.find_spec\n"
        "print([hasattr(f.__wrapped__, '__wrapped__') for f in functions])\n"
        "print(sum(type(f).__module__.startswith('hornbeam') for f in sys.meta_path))\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "[False, False, False]\n3\n", result.stderr
