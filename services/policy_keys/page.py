"""The page of all policy keys, in both languages."""

from itertools import groupby

from siklus.services.policy_keys import every_key

_HEAD = """# The keys of a policy

Generated: `siklus policy keys --page`. Every key that a pack may write, with its form, its default
and its meaning; what is not listed is refused with its path (`UNKNOWN_KEY`). `rules` is the section
that an evaluation carries from its start to its end. What must hold between keys is checked as
well: a missing cell of the matrix, bands with a gap or an overlap, a table that falls, weights that
do not sum to 100, stages out of order. `siklus policy check FILE` tells all of it at once.

Dibuat otomatis. Setiap kunci yang dapat ditulis dalam paket kebijakan, dengan bentuk, nilai bawaan,
dan artinya.
"""


def page() -> str:
    """Return the page in Markdown."""
    parts = [_HEAD]
    for shape, found in groupby(every_key(), key=lambda key: key.shape):
        rows = [
            f"| `{key.name}` | {key.form} | {key.default} | {key.meaning.en}<br>{key.meaning.id} |"
            for key in found
        ]
        head = ["| Key | Form | Default | Meaning |", "|---|---|---|---|"]
        parts.append("\n".join([f"## {shape}", *head, *rows, ""]))
    return "\n".join(parts)
