"""The sample agency of `siklus dev`: ten people, three zones, a policy, and a year just begun.

Everybody in it is invented. All of it goes through the gRPC API and may be repeated.
"""

import asyncio
from pathlib import Path
from typing import Final

from siklus.services.local.calls import ADMIN, Calls
from siklus.services.local.stack import LocalStack
from siklus.v1 import commands_plan_pb2 as plan
from siklus.v1 import cycle_service_pb2 as cycles
from siklus.v1 import policy_service_pb2 as policies
from siklus.v1 import values_pb2 as values
from siklus.v1.roster_service_pb2 import PersonRow, UnitRow
from siklus.workflows.packs import source_of

AGENCY: Final = "contoh"
HEAD, SUPERVISOR, EMPLOYEE = "p-0001", "p-0002", "p-0005"
PACK: Final = "permenpan-6-2022"
DONE: Final = "sample-agency"
"""Name of the file that says that it is there, so that no restart touches it again."""
LAST_MONTH_TO_START: Final = 9
"""Later in a year the sample is next year's."""
LAUNCH_SECONDS: Final = 60

UNITS: Final = (
    UnitRow(code="dinas", name="Dinas Contoh", zone="Asia/Jakarta"),
    UnitRow(code="makassar", name="UPT Makassar", parent="dinas", zone="Asia/Makassar"),
    UnitRow(code="jayapura", name="UPT Jayapura", parent="dinas", zone="Asia/Jayapura"),
)
# fmt: off
PEOPLE: Final = (
    # number, name, unit, supervisor, post, language
    (1, "Ratna Contoh", "dinas", "TOP", "Kepala Dinas", "id"),
    (2, "Bambang Contoh", "dinas", "p-0001", "Kepala Bidang Layanan", "id"),
    (3, "Andi Contoh", "makassar", "p-0001", "Kepala UPT Makassar", "id"),
    (4, "Yohana Contoh", "jayapura", "p-0001", "Kepala UPT Jayapura", "id"),
    (5, "Siti Contoh", "dinas", "p-0002", "Petugas Loket", "id"),
    (6, "Dewi Contoh", "dinas", "p-0002", "Petugas Arsip", "en"),
    (7, "Baso Contoh", "makassar", "p-0003", "Petugas Loket", "id"),
    (8, "Indah Contoh", "makassar", "p-0003", "Analis Layanan", "id"),
    (9, "Marthen Contoh", "jayapura", "p-0004", "Petugas Loket", "id"),
    (10, "Selvi Contoh", "jayapura", "p-0004", "Analis Layanan", "en"),
)
# fmt: on


async def ensure_sample(stack: LocalStack, data_dir: Path) -> None:
    """Make the sample agency unless it was made before; a run that was interrupted goes on."""
    marker = data_dir / DONE
    if marker.exists():
        return
    async with stack.channel() as channel:
        calls = Calls(stack, channel, AGENCY)
        cycle = await _launched(calls, sample_year(stack))
        await _first_days(calls, cycle)
    marker.write_text(f"{cycle}\n")


def sample_cycle(data_dir: Path) -> str:
    """Return the id of the sample's cycle."""
    return (data_dir / DONE).read_text().strip()


def sample_year(stack: LocalStack) -> int:
    """Return the year the sample is about: this one, or the next when this one is nearly over."""
    today = stack.clock.now()
    return today.year + (today.month > LAST_MONTH_TO_START)


async def _launched(calls: Calls, year: int) -> str:
    admin, cycle = calls.by(HEAD, *ADMIN), str(year)
    await calls.import_roster(UNITS, [_row(*person) for person in PEOPLE], admin)
    await calls.tell_at_any_hour(admin)
    source = source_of(PACK).decode()
    publish = policies.PublishPolicyRequest(
        parent=calls.parent, request_id="sample-policy", yaml=source
    )
    await calls.policies.PublishPolicy(publish, metadata=admin)
    create = cycles.CreateCycleRequest(
        parent=calls.parent,
        request_id=f"sample-cycle-{cycle}",
        cycle_id=cycle,
        year=year,
        policy=PACK,
        title=f"Penilaian kinerja {year}",
    )
    await calls.cycles.CreateCycle(create, metadata=admin)
    await launch(calls, cycle, HEAD, request_id=f"sample-launch-{cycle}")
    return cycle


async def launch(calls: Calls, cycle: str, person: str, *, request_id: str) -> cycles.Cycle:
    """Launch a cycle as an agency admin, and return it once all its evaluations have started."""
    admin = calls.by(person, *ADMIN)
    name = calls.cycle(cycle)
    request = cycles.LaunchCycleRequest(name=name, request_id=request_id)
    await calls.cycles.LaunchCycle(request, metadata=admin)
    async with asyncio.timeout(LAUNCH_SECONDS):
        while True:
            get = cycles.GetCycleRequest(name=name)
            found = (await calls.cycles.GetCycle(get, metadata=admin)).cycle
            shown = sum(stage.count for stage in found.progress.stages)
            if found.state == cycles.CYCLE_STATE_RUNNING and shown >= found.progress.started:
                return found
            await asyncio.sleep(0.05)


async def _first_days(calls: Calls, cycle: str) -> None:
    """Three plans are in; one of them was returned, so a mail is on its way."""
    for number in (5, 6, 9):
        await calls.evaluations.SubmitPlan(
            plan.SubmitPlanRequest(
                name=calls.evaluation(cycle, f"p-{number:04}"),
                request_id="sample-plan",
                indicators=[
                    plan.Indicator(
                        id="antrean",
                        kind=values.INDICATOR_KIND_QUANTITATIVE,
                        description="Waktu tunggu di loket",
                        target="paling lama 10 menit",
                    )
                ],
            ),
            metadata=calls.by(f"p-{number:04}"),
        )
    await calls.evaluations.ReturnPlan(
        plan.ReturnPlanRequest(
            name=calls.evaluation(cycle, "p-0006"),
            request_id="sample-return",
            reason="Tambahkan satu indikator mutu arsip.",
        ),
        metadata=calls.by(SUPERVISOR),
    )


def _row(
    number: int, name: str, unit: str, supervisor: str, position: str, language: str
) -> PersonRow:
    person = f"p-{number:04}"
    return PersonRow(
        person_id=person,
        nip=f"19{70 + number:02}0{1 + number % 9}1520{5 + number % 10:02}01{1 + number % 2}001",
        name=name,
        email=f"{person}@contoh.example",
        unit=unit,
        position=position,
        supervisor=supervisor,
        language=language,
    )
