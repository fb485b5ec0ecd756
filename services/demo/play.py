"""Plays the year, day by day, shows it, and reckons in the end."""

from time import monotonic

from siklus.services.demo import kelurahan_tables, kelurahan_year, tables, year
from siklus.services.demo.count import Reckoning, mails_by_kind, mails_to, reckon
from siklus.services.demo.days import Day
from siklus.services.demo.kelurahan import KELURAHAN
from siklus.services.demo.office import Office
from siklus.services.demo.people import DINAS
from siklus.services.demo.policies import BY_NUMBERS, QUADRANT
from siklus.services.demo.tables import Screen
from siklus.services.demo.year import RAISED
from siklus.services.local.stack import LocalStack
from siklus.v1 import cycle_service_pb2 as cycles


async def play(screen: Screen) -> list[Reckoning]:
    """Run the demo from an empty folder to its reckonings; leaves nothing behind."""
    started = monotonic()
    async with (
        LocalStack(time_skipping=True) as stack,
        stack.channel(patient=True) as channel,
    ):
        coming = stack.clock.now().year + 1
        office = Office(stack, channel, coming, DINAS)
        beside = Office(stack, channel, coming, KELURAHAN)
        _launched(office, await office.open(QUADRANT), screen, started)
        _launched(beside, await beside.open(BY_NUMBERS), screen, started)
        for day in year.SCRIPT.days:
            await _live(office, day, screen)
            screen.say(f"    {_where(await office.progress())}  [{monotonic() - started:.0f} s]")
            await _live_beside(beside, kelurahan_year.SCRIPT.at(day.place), screen)
        for each in (office, beside):
            await each.send_mail()
        await tables.evaluations(office, screen)
        await tables.timeline(office, screen, RAISED)
        tables.mails(mails_by_kind(mails_to(stack, office)), screen)
        await kelurahan_tables.results(beside, screen)
        await kelurahan_tables.a_rating(beside, screen)
        await kelurahan_tables.a_reason(beside, screen)
        reckonings = [
            await reckon(stack, beside, KELURAHAN.agency),
            await reckon(stack, office),
        ]
    _conclude(reckonings, [*office.refused, *beside.refused], screen)
    return reckonings


def _launched(office: Office, cycle: cycles.Cycle, screen: Screen, started: float) -> None:
    screen.say(
        f"{office.today}  The cycle of {office.year} is launched for {len(office.cast.people)}"
        f" people: {cycle.progress.started} evaluations, {cycle.progress.excluded} excluded"
        f" (the head, whom nobody rates)  [{monotonic() - started:.0f} s]"
    )


async def _live(office: Office, day: Day, screen: Screen) -> None:
    instant = day.starts_at(office.year)
    with screen.busy(f"{instant:%Y-%m-%d}: time passes"):
        await office.to(instant)
    screen.say(f"{office.today}  {day.title}", style=tables.STRONG)
    with screen.busy(f"{instant:%Y-%m-%d}: people act"):
        await day.play(office)
        await office.note_why_it_waits(RAISED)
        await office.send_mail()


async def _live_beside(office: Office, day: Day | None, screen: Screen) -> None:
    """Live the same day in the small agency, which is told of in the end alone."""
    if day is not None:
        with screen.busy(f"{office.cast.agency}: people act"):
            await office.to(day.starts_at(office.year))
            await day.play(office)
        screen.say(f"    {office.cast.agency}: {day.title}")


def _where(cycle: cycles.Cycle) -> str:
    return tables.stages([(each.stage, each.count) for each in cycle.progress.stages])


def _conclude(reckonings: list[Reckoning], refused: list[str], screen: Screen) -> None:
    screen.say("")
    for each in refused:
        screen.say(f"Refused, as it should be: {each}")
    acknowledged = sum(each.acknowledged for each in reckonings)
    screen.say(
        f"{acknowledged} commands were acknowledged to their callers;"
        f" each is looked for in the event table"
    )
    for reckoning in reckonings:
        for problem in reckoning.disagreements():
            screen.say(f"does not agree: {reckoning.name}: {problem}", style=tables.BAD)
        screen.say(reckoning.line, style=tables.GOOD)
