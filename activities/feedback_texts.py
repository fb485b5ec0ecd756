"""The texts of feedback, sealed with those about the person they speak of."""

import secrets
from collections.abc import Sequence
from typing import Final

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries import texts
from siklus.activities.vault import Erased, Vault
from siklus.workflows.domain.audit import prose_digest
from siklus.workflows.domain.feedback.texts import texts_about
from siklus.workflows.domain.values import AgencyId, Digest, PersonId
from siklus.workflows.ports.evaluation import Text

FIELD: Final = "text"


async def keep_text(
    vault: Vault, connection: Connection, agency: AgencyId, about: PersonId, text: str
) -> Digest:
    """Seal a text in the caller's transaction; return the digest under which it is found."""
    key, salt, fields = texts_about(agency, about), secrets.token_hex(16), {FIELD: text}
    digest = Digest(prose_digest(salt, fields))
    form = Text(digest=digest, salt=salt, fields=fields)
    data_key = await vault.key_for(connection, key)
    if not await texts.keep(connection, key, data_key.id, [vault.seal(data_key, key, form)]):
        # Another process erased it since we last sealed for this person.
        vault.forget(key)
        data_key = await vault.key_for(connection, key)
        await texts.keep(connection, key, data_key.id, [vault.seal(data_key, key, form)])
    return digest


async def read_texts(
    vault: Vault,
    connection: Connection,
    agency: AgencyId,
    about: PersonId,
    digests: Sequence[str],
) -> dict[str, str | None]:
    """Return the texts by digest; None where one was erased."""
    if not digests:
        return {}
    found = await vault.open(connection, texts_about(agency, about), digests)
    return {
        digest: None if isinstance(text, Erased) else text.fields[FIELD]
        for digest, text in found.items()
    }
