"""docs/seeds.md names the tests that there are."""

import re
from pathlib import Path

HERE = Path(__file__).parent


def test_every_test_is_listed_and_every_listed_test_is_there():
    listed = set()
    for section in (HERE.parent.parent / "docs" / "seeds.md").read_text().split("\n## ")[1:]:
        number = re.match(r"(\d{3}): ", section)
        if number:
            listed |= {(number[1], name) for name in re.findall(r"`(test_\w+)`", section)}
    there = {
        (path.stem[-3:], name)
        for path in HERE.glob("test_note_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    assert listed - there == set()
    assert there - listed == {("001", "test_a_misspelt_activation_is_named")}  # of "Read as they were meant"
