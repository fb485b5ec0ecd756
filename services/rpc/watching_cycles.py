"""WatchCycle: a cycle as it stands, and again whenever its progress has changed."""

from siklus.services.auth.caller import Caller
from siklus.services.clock import Clock
from siklus.services.feed.attendance import Attendance
from siklus.services.feed.boards import Board, Boards
from siklus.services.feed.stream import Ending, Stream
from siklus.services.interceptors.layer import Context
from siklus.services.rpc.names import cycle_id
from siklus.services.rpc.resume import Resume
from siklus.v1 import cycle_service_pb2 as pb

NOTHING_SENT = ""


class CycleWatches:
    """Serves the streams of one process."""

    def __init__(self, boards: Boards, attendance: Attendance, clock: Clock) -> None:
        self._boards = boards
        self._attendance = attendance
        self._clock = clock

    async def watch(self, caller: Caller, request: pb.WatchCycleRequest, context: Context) -> None:
        """Serve one stream of a cycle that is there, to its end.

        Raises RESUME_TOKEN_INVALID, RATE_LIMITED, SHUTTING_DOWN, and what ends a stream early.
        """
        resume = Resume(request, caller)
        token = request.resume_token
        sent = resume.digest(token) if token else NOTHING_SENT
        with self._attendance.stream(caller, self._clock.now()) as stream:
            cycle = cycle_id(request.name)
            with self._boards.watching(caller.agency, cycle, stream) as board:
                await _follow(board, stream, resume, context, sent)


async def _follow(
    board: Board, stream: Stream, resume: Resume, context: Context, sent: str
) -> None:
    async def checkpoint(*, closing: bool = False) -> None:
        stream.beat_due = False
        token = resume.token(sent)
        await context.write(pb.WatchCycleResponse(resume_token=token, closing=closing))

    if sent != NOTHING_SENT:
        await checkpoint()
    while stream.ending is None:
        shown = board.shown
        if shown is not None and shown.digest != sent:
            sent = shown.digest
            await context.write(
                pb.WatchCycleResponse(resume_token=resume.token(sent), cycle=shown.cycle)
            )
        if stream.beat_due:
            await checkpoint()
        await stream.woken()
    await checkpoint(closing=stream.ending is Ending.CLOSING)
