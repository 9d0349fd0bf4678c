"""What README and docs/migrating.md tell people to type does what they say."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hornbeam import _core
from hornbeam import backend as K
from hornbeam.cli import main
from hornbeam.layers import Dense, Layer
from hornbeam.models import Sequential, load_model

ROOT = Path(__file__).parent.parent
SCRIPT = "import sys, keras; print(keras.__version__, sys.argv[1:])"


class MyLayer(Layer):
    def call(self, x):
        return K.relu(x)


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), flags=re.S)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The files that the pages name."""
    monkeypatch.chdir(tmp_path)
    model = Sequential([Dense(5, input_shape=(8,)), Dense(3, activation="softmax")])
    model.compile("adam", "categorical_crossentropy")
    model.save("model.h5")
    model.save_weights("weights.h5")
    Path("model.json").write_text(model.to_json())
    for name in ("script.py", "train.py"):
        Path(name).write_text(SCRIPT)
    return tmp_path


@pytest.mark.parametrize("page", ["README.md", "docs/migrating.md"])
def test_python(page, folder):
    code = "import numpy as np\nx, y = np.ones((20, 8)), np.eye(3)[np.arange(20) % 3]\n" + "\n".join(
        blocks(page, "python")
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", ["README.md", "docs/migrating.md"])
def test_commands(page, folder):
    lines = [line.split("#")[0] for block in blocks(page, "sh") for line in block.splitlines()]
    lines = [line for line in lines if line.split() and line.split()[0] != "pip"]
    assert lines
    for line in lines:
        words = [word for word in shlex.split(line) if "=" not in word]
        assert words.pop(0) == "hornbeam"
        done = subprocess.run([sys.executable, "-m", "hornbeam", *words], capture_output=True, text=True, cwd=folder)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_table_of_files(folder):
    for call in (
        'load_model(f, custom_objects={"MyLayer": MyLayer})',
        'load_model(f, lambdas={"lambda_1": lambda x: x * 2})',
        "load_model(f, safe_mode=False)",
        "model.load_weights(f, by_name=True, skip_mismatch=True)",
        "load_model(f, verify=True)",
    ):
        assert f"`{call}`" in (ROOT / "docs/migrating.md").read_text()
    x = np.ones((2, 4))
    Sequential([MyLayer(input_shape=(4,))]).save("own.h5")
    np.testing.assert_array_equal(
        load_model("own.h5", custom_objects={"MyLayer": MyLayer}, compile=False).predict(x), x
    )
    code = "from hornbeam.layers import *; from hornbeam.models import *; " \
           "Sequential([Lambda(lambda x: x * 2, input_shape=(4,), name='lambda_1')]).save('lambda.h5')"  # fmt: skip
    subprocess.run([sys.executable, "-c", code], check=True, cwd=folder)  # elsewhere: here the function would be known
    with pytest.raises(ValueError, match="lambdas="):
        load_model("lambda.h5", compile=False)
    for arguments in ({"lambdas": {"lambda_1": lambda x: x * 2}}, {"safe_mode": False}):
        np.testing.assert_array_equal(load_model("lambda.h5", compile=False, **arguments).predict(x), 2 * x)
    model = load_model("model.h5")
    model.save("checked.h5", sample=np.ones((2, 8)))
    load_model("checked.h5", verify=True)
    model.load_weights("weights.h5", by_name=True, skip_mismatch=True)


def test_version(capsys):
    with pytest.raises(SystemExit) as done:
        main(["--version"])
    assert done.value.code == 0 and re.match(r"hornbeam \d+\.\d+", capsys.readouterr().out)


@pytest.mark.parametrize(
    "page",
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "bench" / "README.md",
        *(ROOT / "docs").glob("*.md"),
    ],
    ids=lambda page: page.name,
)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert link.startswith("http") or (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_inputs_of_the_ops():
    """docs/ops.md names each op's inputs, and marks the optional ones, as the core does."""
    page = (ROOT / "docs/ops.md").read_text()
    compared = set()
    for name in _core.op_names():
        found = re.search(rf"(?<!\w){name}\((.*)", page, flags=re.S)
        inputs = _core.op_info(name).inputs
        if found is None or _core.op_info(name).elementwise or _core.op_info(name).bodies:
            assert not any(what.endswith("?") for what in inputs) or name.startswith("conv3d"), name
            continue
        text = found.group(1)
        while "(" in text[: text.index(")")]:  # what is said of shapes
            text = re.sub(r"\([^()]*\)", "", text, count=1)
        listed = re.split(r"[;)]", text, maxsplit=1)[0].split(",")
        assert [words.split()[0].removesuffix("...").rstrip(":") for words in listed] == inputs, name
        compared.add(name)
    assert len(compared) > 50
