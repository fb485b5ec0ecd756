"""Plays the year, day by day, shows it, and reckons in the end."""

from time import monotonic

from siklus.services.demo import tables
from siklus.services.demo.count import Reckoning, mails_by_kind, reckon
from siklus.services.demo.office import Office
from siklus.services.demo.people import PEOPLE
from siklus.services.demo.tables import Screen
from siklus.services.demo.year import DAYS, RAISED, Day
from siklus.services.local.stack import LocalStack
from siklus.v1 import cycle_service_pb2 as cycles


async def play(screen: Screen) -> Reckoning:
    """Run the demo from an empty folder to its reckoning; leaves nothing behind."""
    started = monotonic()
    async with (
        LocalStack(time_skipping=True) as stack,
        stack.channel(patient=True) as channel,
    ):
        office = Office(stack, channel, stack.clock.now().year + 1)
        launched = await office.open()
        screen.say(
            f"{office.today}  The cycle of {office.year} is launched for {len(PEOPLE)} people:"
            f" {launched.progress.started} evaluations, {launched.progress.excluded} excluded"
            f" (the head, whom nobody rates)  [{monotonic() - started:.0f} s]"
        )
        for day in DAYS:
            await _live(office, day, screen)
            screen.say(f"    {_where(await office.progress())}  [{monotonic() - started:.0f} s]")
        await office.send_mail()
        await tables.evaluations(office, screen)
        await tables.timeline(office, screen, RAISED)
        tables.mails(mails_by_kind(stack.mailbox.messages()), screen)
        reckoning = await reckon(stack, office)
    _conclude(reckoning, office, screen)
    return reckoning


async def _live(office: Office, day: Day, screen: Screen) -> None:
    instant = day.starts_at(office.year)
    with screen.busy(f"{instant:%Y-%m-%d}: time passes"):
        await office.to(instant)
    screen.say(f"{office.today}  {day.title}", style=tables.STRONG)
    with screen.busy(f"{instant:%Y-%m-%d}: people act"):
        await day.play(office)
        await office.note_why_it_waits(RAISED)
        await office.send_mail()


def _where(cycle: cycles.Cycle) -> str:
    return tables.stages([(each.stage, each.count) for each in cycle.progress.stages])


def _conclude(reckoning: Reckoning, office: Office, screen: Screen) -> None:
    screen.say("")
    for refused in office.refused:
        screen.say(f"Refused, as it should be: {refused}")
    screen.say(
        f"{reckoning.acknowledged} commands were acknowledged to their callers;"
        f" each is looked for in the event table"
    )
    for problem in reckoning.disagreements():
        screen.say(f"does not agree: {problem}", style=tables.BAD)
    screen.say(reckoning.line, style=tables.GOOD)
