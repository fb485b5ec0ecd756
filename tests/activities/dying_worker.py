"""Run as a program: workers that deliver one page and die at one step of their first mail.

Each line of the input names one; what it died of is a line of the output. They are forked off a
process that has loaded everything, because loading takes longer than dying.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from email.message import EmailMessage
from typing import Any, ParamSpec, TypeVar

from siklus.activities.delivery import Delivery
from siklus.activities.mail.post import PostOffice, SmtpMailer
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import notices
from siklus.activities.webhooks.digests import DigestPost
from siklus.activities.webhooks.sender import Outcome, Sender
from siklus.activities.webhooks.targets import Targets
from siklus.workflows.domain.values import AgencyId
from siklus.workflows.ports import reminders as ports
from tests.keys import KEYS

P = ParamSpec("P")
T = TypeVar("T")
STEPS = ("taking up", "taken up", "handed over", "given", "noted")
"""Within the transaction that takes up; after it; when it is noted that the mail may have gone out;
when it was taken and nothing says so; when all is said."""


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before(act: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    async def dying(*args: P.args, **kwargs: P.kwargs) -> T:
        die()
        return await act(*args, **kwargs)

    return dying


def after(act: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    async def dying(*args: P.args, **kwargs: P.kwargs) -> T:
        done = await act(*args, **kwargs)
        die()
        return done

    return dying


class DeadlyMailer(SmtpMailer):
    @asynccontextmanager
    async def open(self) -> AsyncIterator[PostOffice]:
        async with super().open() as post:
            yield Deadly(post)


class Deadly:
    def __init__(self, post: PostOffice) -> None:
        self.post = post

    async def send(self, message: EmailMessage) -> None:
        await after(self.post.send)(message)


class DeadlySender(Sender):
    async def post(self, target: str, headers: Mapping[str, str], body: str) -> Outcome:
        return await after(super().post)(target, headers, body)


async def main(step: str, url: str, port: str, agency: str, now: str) -> None:
    match step:
        case "taking up":
            notices.defer = before(notices.defer)
        case "taken up":
            notices.hand_over = before(notices.hand_over)
        case "handed over":
            notices.hand_over = after(notices.hand_over)
        case "noted":
            notices.mark_sent = after(notices.mark_sent)
    deadly = step == "given"
    mailer = (DeadlyMailer if deadly else SmtpMailer)("127.0.0.1", int(port), "s@agency.test")

    def clock() -> datetime:
        return datetime.fromisoformat(now)

    async with (DeadlySender if deadly else Sender)(Targets.of("127.0.0.0/8"), clock) as sender:
        digests = DigestPost(KEYS, sender, clock)
        delivery = Delivery(Store(url), mailer, clock, digests=digests, at_once=1)
        await delivery.deliver_page(ports.DeliveryPage(agency=AgencyId(agency)))


def bury(given: list[str]) -> int:
    """Let one live and die; return its exit code, negative for a signal."""
    child = os.fork()
    if not child:
        asyncio.run(main(*given))
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    for line in sys.stdin:
        print(bury(json.loads(line)), flush=True)
