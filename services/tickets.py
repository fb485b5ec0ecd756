"""Citizens' tickets, made so that the same request shows the same ones again.

A ticket is what a key of the agency makes of a random seed. Seed and key id stand in the answer
that is kept, the ticket nowhere: without the keyring nobody makes it from them.
"""

import secrets
from typing import Final

from siklus.activities.keyring import Keys
from siklus.workflows.domain.feedback.tickets import TICKET_BYTES, written
from siklus.workflows.domain.values import AgencyId

SEED_BYTES: Final = 12
"""What AES-GCM takes as a nonce: as no seed comes twice, what it makes of zeros is random."""
ZEROS: Final = bytes(TICKET_BYTES)


class TicketMaker:
    """Makes tickets, and makes them again."""

    def __init__(self, keyring: Keys) -> None:
        self._keyring = keyring

    def seed(self) -> str:
        """Return from what a new ticket is made."""
        return f"{self._keyring.current}/{secrets.token_hex(SEED_BYTES)}"

    def made(self, agency: AgencyId, seed: str) -> str:
        """Return the ticket of a seed; empty where its key is in the keyring no more."""
        key, _, nonce = seed.partition("/")
        try:
            cipher = self._keyring.cipher(key, f"tickets of {agency}")
        except KeyError:
            return ""
        return written(cipher.encrypt(bytes.fromhex(nonce), ZEROS, None)[:TICKET_BYTES])
