"""One digest over many: a Merkle tree as in RFC 6962, grown leaf by leaf in little memory."""

import hashlib
from typing import Final

EMPTY_ROOT: Final = hashlib.sha256().hexdigest()
"""The root of a tree without leaves."""


class Tree:
    """Leaves are added in their order; the root tells any other leaf, order or number of them."""

    def __init__(self) -> None:
        self._peaks: list[tuple[int, bytes]] = []
        """Whole subtrees with their numbers of leaves, largest first."""
        self.leaves = 0

    def add(self, leaf: bytes) -> None:
        """Add the next leaf."""
        self.leaves += 1
        size, digest = 1, hashlib.sha256(b"\x00" + leaf).digest()
        while self._peaks and self._peaks[-1][0] == size:
            _, left = self._peaks.pop()
            size, digest = 2 * size, _node(left, digest)
        self._peaks.append((size, digest))

    def root(self) -> str:
        """Return the root over the leaves so far, in hex."""
        if not self._peaks:
            return EMPTY_ROOT
        *above, (_, digest) = self._peaks
        for _, left in reversed(above):
            digest = _node(left, digest)
        return digest.hex()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
