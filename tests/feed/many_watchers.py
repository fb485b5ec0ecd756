"""Many watchers in a process of their own: each notes when it was sent which event.

Says `ready` when all streams are open; told a number on standard input, it reads until each of
them has seen that event, and prints who missed one or saw it twice, and when each arrived.
"""

import asyncio
import json
import sys
from time import monotonic
from typing import Any

import grpc
import uvloop

from siklus.v1 import watch_pb2
from tests.services.desk import token

METHOD = "/siklus.v1.EvaluationService/WatchEvaluations"
STREAMS_OF_A_CHANNEL = 50


async def main(address: str, agency: str, count: int) -> None:
    channels = [
        grpc.aio.insecure_channel(address, options=[("siklus.number", number)])
        for number in range(-(-count // STREAMS_OF_A_CHANNEL))
    ]
    calls = await asyncio.gather(
        *(opened(channels[number % len(channels)], agency, number) for number in range(count))
    )
    print("ready", flush=True)
    until = asyncio.get_running_loop().create_future()
    seen = [asyncio.ensure_future(watch(call, until)) for call in calls]
    until.set_result(int(await asyncio.to_thread(sys.stdin.readline)))
    done = await asyncio.gather(*seen)
    wanted = list(range(1, until.result() + 1))
    wrong = sum([number for number, _ in each] != wanted for each in done)
    print(json.dumps({"wrong": wrong, "arrivals": done}), flush=True)
    for channel in channels:
        await channel.close()


async def opened(channel: grpc.aio.Channel, agency: str, number: int) -> Any:
    """Return a stream of plain bytes that has sent its first checkpoint."""
    call: Any = channel.unary_stream(METHOD, watch_pb2.WatchEvaluationsRequest.SerializeToString)(
        watch_pb2.WatchEvaluationsRequest(parent=f"agencies/{agency}"),
        metadata=(("authorization", f"Bearer {token(agency, f'a-{number % 100}', 'auditor')}"),),
    )
    await call.read()
    return call


async def watch(call: Any, until: "asyncio.Future[int]") -> list[tuple[int, float]]:
    """Return number and instant of each event; the last one ends it."""
    seen: list[tuple[int, float]] = []
    while not (until.done() and seen and seen[-1][0] >= until.result()):
        told, at = await call.read(), monotonic()
        message = watch_pb2.WatchEvaluationsResponse.FromString(told)
        if message.HasField("change"):
            seen.append((message.change.seq, at))
    return seen


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
