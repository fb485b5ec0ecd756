"""A receiver with a certificate, and an agency whose events go there."""

import ssl
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import trustme

from siklus.activities.store.pool import Store
from siklus.services.local.postgres import LocalPostgres
from siklus.workflows.domain.values import AgencyId
from tests.webhooks.mailroom import Mailroom
from tests.webhooks.receiver import Receiver


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Who signs the receivers' certificates."""
    return trustme.CA()


@pytest.fixture(scope="session")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    """What a sender trusts: that authority alone."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
async def receiver(authority: trustme.CA) -> AsyncIterator[Receiver]:
    """A receiver that takes everything."""
    async with Receiver(authority) as receiver:
        yield receiver


@pytest.fixture
async def mailroom(
    database: LocalPostgres, store: Store, tls: ssl.SSLContext
) -> AsyncIterator[Mailroom]:
    """An agency of its own."""
    mailroom = Mailroom(database, store, AgencyId(f"a-{uuid4().hex[:12]}"), tls)
    yield mailroom
    await mailroom.closed()
