"""``hornbeam run`` of modules, standard input and notebooks, their processes, and interrupts."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import pytest
from hornbeam.cli import run as run_command
from hornbeam.cli.programs import read_cell
from hornbeam.saving import text


@pytest.fixture
def run(tmp_path):
    def run_program(*arguments, text=None):
        command = [sys.executable, "-m", "hornbeam", "run", *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, input=text)

    return run_program


def check(result, *lines):
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == list(lines)


# -- modules and standard input -------------------------------------------------------------------------------------------
def test_a_module_of_a_package(run, tmp_path):
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "__init__.py").write_text("print('package')")
    (tmp_path / "net" / "size.py").write_text("n = 3")
    (tmp_path / "net" / "train.py").write_text(
        "import sys, keras\nfrom .size import n\nprint(__name__, n, keras.layers.Dense(n).units, sys.argv[1:])\n"
        "print(sys.argv[0] == __file__, sys.path[0])"
    )
    (tmp_path / "net" / "__main__.py").write_text("import tensorflow as tf\nprint(tf.keras.__version__)\n1 / 0")
    check(run("-m", "net.train", "-m", "--tf", "3"), "package", "__main__ 3 3 ['-m', '--tf', '3']", f"True {tmp_path}")
    result = run("-m", "net")
    assert result.stdout.splitlines() == ["package", "2.15.0"]
    assert 'net/__main__.py", line 3' in result.stderr.splitlines()[1]
    assert "runpy" not in result.stderr


def test_a_module_that_is_not_there(run):
    result = run("-m", "nowhere.at_all")
    assert result.returncode == 1 and "nowhere" in result.stderr.splitlines()[-1]


def test_standard_input(run):
    program = "import sys, keras, tensorflow as tf\nprint(__name__, sys.argv, tf.__version__)\n{}"
    check(run("-", "7", text=program.format("tf.Session()")), "__main__ ['-', '7'] 1.15.5")
    result = run("-", text=program.format("1 / 0"))
    assert result.returncode == 1
    assert result.stderr.splitlines()[1:3] == ['  File "<stdin>", line 3, in <module>', "    1 / 0"]


# -- notebooks ------------------------------------------------------------------------------------------------------------
def notebook(path, *cells, language="python"):
    kinds = [("markdown", "# a *title*"), *(("code", cell) for cell in cells)]
    parts = [{"cell_type": kind, "source": text.splitlines(keepends=True)} for kind, text in kinds]
    about = {"kernelspec": {"language": language, "name": "k"}}
    path.write_text(json.dumps({"cells": parts, "metadata": about, "nbformat": 4, "nbformat_minor": 4}))


def test_the_cells_of_a_notebook(run, tmp_path):
    (tmp_path / "beside.py").write_text("size = 4")
    notebook(
        tmp_path / "n.ipynb",
        "%matplotlib inline\nimport keras\nfrom beside import size",
        "!pip install keras\nmodel = keras.Sequential([keras.layers.Dense(size)])\nmodel?",
        "%%bash\nrm -rf somewhere",
        "%%time\ndisplay(model.layers[0].units)\nif size:\n    !ls\nprint(__name__, model.layers[0].units %\n size)",
    )
    result = run("n.ipynb")
    check(result, "4", "__main__ 0")
    told = [line.split(": ", 2) for line in result.stderr.splitlines()]
    assert [where for _, where, _ in told] == [f"n.ipynb, cell {n}" for n in (1, 2, 2, 3, 4, 4)]
    assert [what for *_, what in told][:2] == ["left out: %matplotlib inline", "left out: !pip install keras"]


def test_an_error_in_a_notebook_names_the_cell_and_shows_the_line(run, tmp_path):
    notebook(tmp_path / "n.ipynb", "def f(x):\n    return 1 / x", "x = 0\nf(x)")
    result = run("n.ipynb")
    assert result.returncode == 1
    assert [line.strip() for line in result.stderr.splitlines()[1:5]] == [
        'File "n.ipynb, cell 2", line 2, in <module>', "f(x)", 'File "n.ipynb, cell 1", line 2, in f', "return 1 / x",
    ]  # fmt: skip


def test_what_a_notebook_asks_for_decides_the_tensorflow(run, tmp_path):
    code = "import tensorflow as tf\nprint(tf.__version__)\ntf.keras"
    notebook(tmp_path / "n.ipynb", "%tensorflow_version 1.x\n" + code)
    check(run("n.ipynb"), "1.15.5")


@pytest.mark.parametrize(
    "content, message",
    [("[]", "is not a notebook"), ("{", "is not a notebook"), ('{"cells": [{}]}', "is not a notebook"), (None, "of 'R'")],
)  # fmt: skip
def test_what_is_not_a_notebook_of_python(run, tmp_path, content, message):
    path = tmp_path / "n.ipynb"
    if content is None:
        notebook(path, "x <- 3", language="R")
    else:
        path.write_text(content)
    result = run("n.ipynb")
    assert result.returncode == 2 and message in result.stderr and "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "text, code, ignored",
    [
        ("x = 7\n", "x = 7\n", 0),
        ("x = (7\n % 4)", "x = (7\n % 4)\n", 0),
        ("s = '''\n!not a command\n%nor a magic\n'''", "s = '''\n!not a command\n%nor a magic\n'''\n", 0),
        ("%time f(1)\n!ls $HOME 'it", "f(1)\npass\n", 2),
        ("files = !ls", "pass\n", 1),
        ("for i in x:\n    %cd i\n    f?", "for i in x:\n    pass\n    pass\n", 2),
        ("\n%%capture out\nf()", "\n\nf()\n", 1),
        ("%%writefile a.py\nimport b", "", 1),
        ("def f(:", "def f(:\n", 0),
        ("", "\n", 0),
    ],
)
def test_reading_cells(text, code, ignored):
    cell = read_cell(text)
    assert (cell.text, len(cell.ignored)) == (code, ignored)


# -- processes ------------------------------------------------------------------------------------------------------------
CHILDREN = """
import sys, multiprocessing as mp
from concurrent.futures import ProcessPoolExecutor

def work(n):
    import keras, tensorflow as tf
    return keras.models.Sequential([keras.layers.Dense(n, input_shape=(2,))]).count_params(), tf.__version__

if __name__ == "__main__":
    for kind in ("forkserver", "spawn"):
        with ProcessPoolExecutor(1, mp.get_context(kind)) as pool:
            print(kind, *pool.submit(work, 3).result(60))
"""


@pytest.mark.parametrize("options", [["script.py"], ["--tf", "2", "-m", "script"]])
def test_processes_that_are_not_forked_have_keras(run, tmp_path, options):
    (tmp_path / "script.py").write_text(CHILDREN)
    version = "2.15.0" if "2" in options else "1.15.5"
    check(run(*options), f"forkserver 9 {version}", f"spawn 9 {version}")


def test_a_main_module_that_imports_keras_at_its_top_is_imported_there(run, tmp_path):
    (tmp_path / "script.py").write_text(CHILDREN.replace("\n\ndef", "\nfrom keras.layers import Dense\n\ndef"))
    check(run("script.py"), "forkserver 9 1.15.5", "spawn 9 1.15.5")


# -- interrupts -----------------------------------------------------------------------------------------------------------
def test_what_hornbeam_calls_is_left_out_and_the_scripts_callbacks_are_shown():
    class Interrupted:
        def get_config(self):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        text.model_to_json(SimpleNamespace(get_config=lambda: {"layer": Interrupted()}))  # through the json of Python
    files = [frame.tb_frame.f_code.co_filename for frame in run_command.frames_of(caught.tb)]
    assert any("json" in name for name in files) and any(name.endswith("saving/text.py") for name in files)
    shown = [frame.tb_frame.f_code for frame in run_command.frames_of(run_command.without_own_frames(caught.tb))]
    assert {code.co_filename for code in shown} == {__file__} and shown[-1].co_name == "get_config"


def test_an_interrupt_shows_the_frames_of_the_script_alone_and_ends_by_the_signal(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import numpy as np, keras, signal
            model = keras.models.Sequential([keras.layers.Dense(1, input_shape=(2,))])
            model.compile("sgd", "mse")
            class Tell(keras.callbacks.Callback):
                def on_epoch_end(self, epoch, logs=None):
                    if epoch == 0:
                        print("ready", flush=True)
            def train():
                model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=10**9, verbose=0, callbacks=[Tell()])
            train()
            """
        )
    )
    with subprocess.Popen(
        [sys.executable, "-m", "hornbeam", "run", str(script)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # shells ignore it in the background
    ) as process:  # fmt: skip
        try:
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    files = [line.split('"')[1] for line in errors.splitlines() if line.startswith("  File")]
    assert files and {os.path.basename(name) for name in files} == {"script.py"}, errors
    assert errors.count("KeyboardInterrupt") == 1 and process.returncode == -signal.SIGINT
