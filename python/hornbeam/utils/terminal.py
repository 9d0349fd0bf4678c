"""Questions to whoever sits at the terminal."""

from __future__ import annotations


def ask_to_proceed_with_overwrite(filepath):
    """Ask on the terminal whether a file may be overwritten."""
    answer = input(f"[WARNING] {filepath} already exists - overwrite? [y/n]").strip().lower()
    while answer not in ("y", "n"):
        answer = input("Enter y (overwrite) or n (cancel).").strip().lower()
    if answer == "n":
        return False
    print("[TIP] Next time specify overwrite=True!")
    return True
