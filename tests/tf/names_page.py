"""The lists and the table of docs/tensorflow.md, read from the code. ``python tests/tf/names_page.py`` writes them."""

from pathlib import Path

from hornbeam import tf
from hornbeam.dialect import RULES, TF1, TF2

PAGE = Path(__file__).parents[2] / "docs" / "tensorflow.md"
BEGIN = "<!-- written by tests/tf/names_page.py -->\n"
BEGIN_RULES, END_RULES = "<!-- rules: written by tests/tf/names_page.py -->\n", "<!-- end of the rules -->\n"

TITLES = {
    "elementwise": "Elementwise", "reduce": "Reductions and norms", "layout": "Shapes", "create": "Contents",
    "select": "Choosing and sorting", "index": "Indices", "linalg": "Products and diagonals", "nn": "Networks",
    "losses": "Losses", "image": "Images", "random": "Random numbers", "control": "Control flow, gradients, order",
    "eager": "Tapes and traced functions", "arrays": "Arrays of tensors", "gfile": "Files", "nest": "Structures", "state": "Variables and placeholders",
    "checkpoints": "Checkpoints", "summary": "Summaries", "training_ops": "Steps of optimizers",
    "dataset": "Data sets", "records": "Files of records", "lines": "Files of lines",
    "example": "Examples in records", "files": "Files as strings", "pictures": "Pictures as strings", "audio": "Sounds as strings",
    "strings": "Strings", "ragged": "Ragged tensors", "specs": "Specs of tensors", "lookup": "Tables", "python_functions": "Python functions",
    "names": "Dtypes, classes, errors, Keras's optimizers and initializers",
}  # fmt: skip


def lists() -> str:
    """A paragraph for each module; names of one function stand together, those that model files may hold have a star."""
    paragraphs = []
    for module, title in TITLES.items():
        entries: dict[int, list[str]] = {}
        for name, thing in tf.NAMES.items():
            origin = getattr(thing, "__module__", "") if callable(thing) else ""
            own = origin.rpartition(".")[2] if origin.startswith("hornbeam.tf.") else "names"
            own = "dataset" if name.startswith("data.") and own not in TITLES else own
            if own == module and not name.startswith("__"):
                entries.setdefault(id(thing), []).append(name)
        words = [" = ".join(f"`{n}`" for n in names) + "*" * (names[0] in tf.PURE) for names in entries.values()]
        paragraphs.append(f"**{title}** ({tf.__name__}.{module}): {', '.join(words)}\n")
    return "\n".join(paragraphs)


def rules() -> str:
    """The table of what scripts of TensorFlow 1 and 2 mean by the same words."""
    rows = [("", "TensorFlow 1", "TensorFlow 2"), ("---",) * 3]
    rows += [("`tf.__version__`", TF1.tensorflow, TF2.tensorflow), ("`keras.__version__`", TF1.keras, TF2.keras)]
    return "".join(f"| {' | '.join(row)} |\n" for row in [*rows, *RULES.values()])


if __name__ == "__main__":
    head, _, rest = PAGE.read_text().partition(BEGIN_RULES)
    between = rest.partition(END_RULES)[2].partition(BEGIN)[0]
    PAGE.write_text(head + BEGIN_RULES + rules() + END_RULES + between + BEGIN + "\n" + lists())
