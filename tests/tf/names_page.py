"""The lists of docs/tensorflow.md, read from the table. ``python tests/tf/names_page.py`` writes them."""

from pathlib import Path

from hornbeam import tf

PAGE = Path(__file__).parents[2] / "docs" / "tensorflow.md"
BEGIN = "<!-- written by tests/tf/names_page.py -->\n"

TITLES = {
    "elementwise": "Elementwise", "reduce": "Reductions and norms", "layout": "Shapes", "create": "Contents",
    "select": "Choosing and sorting", "index": "Indices", "linalg": "Products and diagonals", "nn": "Networks",
    "losses": "Losses", "image": "Images", "random": "Random numbers", "control": "Control flow, gradients, order",
    "arrays": "Arrays of tensors", "nest": "Structures", "state": "Variables and placeholders", "checkpoints": "Checkpoints",
    "summary": "Summaries",
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
            if own == module and not name.startswith("__"):
                entries.setdefault(id(thing), []).append(name)
        words = [" = ".join(f"`{n}`" for n in names) + "*" * (names[0] in tf.PURE) for names in entries.values()]
        paragraphs.append(f"**{title}** ({tf.__name__}.{module}): {', '.join(words)}\n")
    return "\n".join(paragraphs)


if __name__ == "__main__":
    head = PAGE.read_text().partition(BEGIN)[0]
    PAGE.write_text(head + BEGIN + "\n" + lists())
