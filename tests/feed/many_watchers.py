"""Many watchers in a process of their own: each notes when it was sent which event.

Told on standard input where and with which tokens, it says `ready` when all streams are open. Told
a number then, it reads until each has seen that event, and prints how many of them did not see each
event once and in order, and when each event arrived.
"""

import asyncio
import json
import sys
from time import monotonic
from typing import Any

import grpc
import uvloop

from siklus.v1 import watch_pb2

METHOD = "/siklus.v1.EvaluationService/WatchEvaluations"
STREAMS_OF_A_CHANNEL = 50


async def main() -> None:
    told = json.loads(sys.stdin.readline())
    address, agency, count = told["address"], told["agency"], told["count"]
    bearers = told["tokens"]
    channels = [
        grpc.aio.insecure_channel(address, options=[("siklus.number", number)])
        for number in range(-(-count // STREAMS_OF_A_CHANNEL))
    ]
    calls = await asyncio.gather(
        *(
            opened(channels[each % len(channels)], agency, bearers[each % len(bearers)])
            for each in range(count)
        )
    )
    print(json.dumps("ready"), flush=True)
    until = asyncio.get_running_loop().create_future()
    seen = [asyncio.ensure_future(watch(call, until)) for call in calls]
    until.set_result(int(await asyncio.to_thread(sys.stdin.readline)))
    done = await asyncio.gather(*seen)
    wanted = list(range(1, until.result() + 1))
    wrong = sum([number for number, _ in each] != wanted for each in done)
    print(json.dumps({"wrong": wrong, "arrivals": done}), flush=True)
    for channel in channels:
        await channel.close()


async def opened(channel: grpc.aio.Channel, agency: str, bearer: str) -> Any:
    """Return a stream of plain bytes that has sent its first checkpoint."""
    call: Any = channel.unary_stream(METHOD, watch_pb2.WatchEvaluationsRequest.SerializeToString)(
        watch_pb2.WatchEvaluationsRequest(parent=f"agencies/{agency}"),
        metadata=(("authorization", f"Bearer {bearer}"),),
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
    uvloop.run(main())
