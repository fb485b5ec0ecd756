"""Run as a program: a worker that dies at once when the server has taken its first mail."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from email.message import EmailMessage

from siklus.activities.delivery import Delivery
from siklus.activities.mail.post import PostOffice, SmtpMailer
from siklus.activities.store.pool import Store
from siklus.workflows import ports
from siklus.workflows.domain.values import AgencyId


class DeadlyMailer(SmtpMailer):
    @asynccontextmanager
    async def open(self) -> AsyncIterator[PostOffice]:
        async with super().open() as post:
            yield Deadly(post)


class Deadly:
    def __init__(self, post: PostOffice) -> None:
        self.post = post

    async def send(self, message: EmailMessage) -> None:
        await self.post.send(message)
        os.kill(os.getpid(), 9)


async def main(url: str, port: str, agency: str, now: str) -> None:
    mailer = DeadlyMailer("127.0.0.1", int(port), "siklus@agency.test")
    delivery = Delivery(Store(url), mailer, lambda: datetime.fromisoformat(now))
    await delivery.deliver_page(ports.DeliveryPage(agency=AgencyId(agency)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
