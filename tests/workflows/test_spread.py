"""One midnight for many, on the real server: done over the window, dated to the same instant."""

import asyncio
import os
from datetime import timedelta
from typing import Final

from temporalio.client import Client
from temporalio.worker import Worker

from siklus.workflows.domain.decide.clock import spread_of
from siklus.workflows.domain.evolve import begin
from siklus.workflows.domain.stages import TaskKind
from tests.workflows.desk import Desk, make_start
from tests.workflows.memory import Memory

SIZE: Final = 200 if os.environ.get("SIKLUS_PROVE") else 6


async def test_the_timers_part_and_the_legal_instant_does_not(
    client: Client, memory: Memory, worker: Worker
) -> None:
    desks = [
        await Desk.open(client, make_start("permenpan-6-2022", person=f"p-spread-{number}"))
        for number in range(SIZE)
    ]
    for desk in desks:
        await desk.is_idle()
    (due,) = {
        task.due.expires_at
        for desk in desks
        for entry in memory.entries(desk.key)
        for task in entry.event.opens
        if task.kind is TaskKind.SUBMIT_PLAN and task.due is not None
    }

    await asyncio.gather(*(desk.at(due + timedelta(minutes=61)) for desk in desks))

    done_after = []
    for desk in desks:
        flagged = next(e for e in memory.entries(desk.key) if e.event.kind == "task_flagged")
        assert flagged.occurred_at == due
        own_place = spread_of(begin(desk.start))
        late_by = flagged.recorded_at - due - own_place
        assert timedelta(0) <= late_by < timedelta(seconds=20)
        done_after.append(own_place)
    # Of many, a few have the same second of the hour.
    assert len(set(done_after)) >= SIZE * 9 // 10
    assert max(done_after) - min(done_after) > timedelta(minutes=10)
