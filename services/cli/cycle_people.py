"""`siklus cycle add`, `members`, `counts`, `at-risk`: the people of a cycle that was launched."""

from enum import StrEnum
from typing import Annotated, Final

import typer

from siklus.services.cli.cycle_words import CycleId, cohorts, name_of, reason_of, stage_of
from siklus.services.cli.output import AsJson, print_json, print_table
from siklus.services.cli.remote import Api, as_dict, remote
from siklus.services.cli.request_ids import RequestId, request_id_or_new
from siklus.services.cli.sheets import AsCsv, Cell, write_sheet
from siklus.v1 import cohort_pb2 as pb
from siklus.v1.evaluation_pb2 import TaskKind

MEMBERS: Final = (
    "person", "name", "unit", "outcome", "reason", "segment", "from_rating", "started_at",
    "added_at",
)  # fmt: skip
COUNTS: Final = ("stage", "unit", "lateness", "count")
AT_RISK: Final = ("person", "name", "unit", "stage", "task", "holder", "due_at", "late")

Unit = Annotated[str, typer.Option(help="Only this unit and those below it.")]


class Outcome(StrEnum):
    """What became of a member, as an option."""

    WAITING = "waiting"
    STARTED = "started"
    EXCLUDED = "excluded"
    CANCELLED = "cancelled"


@remote
async def add(
    api: Api,
    cycle: CycleId,
    people: Annotated[list[str], typer.Argument(help="Person ids of late joiners and rehires.")],
    from_rating: Annotated[
        bool, typer.Option("--from-rating", help="They join at the rating (study assignment).")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell; add nobody.")] = False,
    request_id: RequestId = "",
    as_json: AsJson = False,
) -> None:
    """Add people to a cycle that was launched; tells of each what came of it."""
    request = pb.AddMembersRequest(
        name=name_of(api, cycle),
        request_id=request_id_or_new(request_id),
        people=people,
        from_rating=from_rating,
        validate_only=dry_run,
    )
    answer: pb.AddMembersResponse = await api.ask(cohorts(api).AddMembers, request)
    if as_json:
        print_json(as_dict(answer))
        return
    print_table(("person", "added", "reason", "segment"), [_added(each) for each in answer.people])


@remote
async def members(
    api: Api,
    cycle: CycleId,
    outcome: Annotated[Outcome | None, typer.Option(help="Only those.")] = None,
    csv: AsCsv = None,
    as_json: AsJson = False,
) -> None:
    """List the people of a launched cycle, each with what became of them."""
    request = pb.ListMembersRequest(name=name_of(api, cycle), page_size=200)
    if outcome is not None:
        request.outcome = pb.MemberOutcome.Value(f"MEMBER_OUTCOME_{outcome.name}")
    listed = [each async for each in api.each(cohorts(api).ListMembers, request, "members")]
    if csv is not None:
        write_sheet(csv, MEMBERS, map(_member, listed))
    elif as_json:
        print_json({"members": [as_dict(each) for each in listed]})
    else:
        print_table(MEMBERS, [_member(each) for each in listed])


@remote
async def counts(
    api: Api,
    cycle: CycleId,
    unit: Unit = "",
    by_unit: Annotated[bool, typer.Option("--by-unit", help="Each unit apart.")] = False,
    soon_days: Annotated[
        int, typer.Option(min=0, max=366, help="Due within so many days is `due_soon`.")
    ] = 7,
    csv: AsCsv = None,
    as_json: AsJson = False,
) -> None:
    """Count evaluations by stage, unit and lateness, as of now."""
    request = pb.GetCohortCountsRequest(
        name=name_of(api, cycle), unit=unit, by_unit=by_unit, soon_days=soon_days
    )
    answer: pb.GetCohortCountsResponse = await api.ask(cohorts(api).GetCohortCounts, request)
    if csv is not None:
        write_sheet(csv, COUNTS, map(_count, answer.counts))
    elif as_json:
        print_json(as_dict(answer))
    else:
        rows = [[str(cell) for cell in _count(each)] for each in answer.counts]
        print_table(COUNTS, [*rows, ["all", "", "", str(answer.total)]])


@remote
async def at_risk(
    api: Api,
    cycle: CycleId,
    days: Annotated[
        int, typer.Option(min=0, max=366, help="Due within so many days; 0: late ones alone.")
    ] = 7,
    unit: Unit = "",
    most: Annotated[int, typer.Option(min=1, help="At most so many, the most urgent first.")] = 50,
    csv: AsCsv = None,
    as_json: AsJson = False,
) -> None:
    """List whose next deadline is near or past, the most urgent first."""
    request = pb.ListAtRiskRequest(
        name=name_of(api, cycle), days=days, unit=unit, page_size=min(most, 200)
    )
    found: list[pb.AtRisk] = []
    async for each in api.each(cohorts(api).ListAtRisk, request, "evaluations"):
        found.append(each)
        if len(found) == most:
            break
    if csv is not None:
        write_sheet(csv, AT_RISK, map(_at_risk, found))
    elif as_json:
        print_json({"evaluations": [as_dict(each) for each in found]})
    else:
        print_table(AT_RISK, [_at_risk(each) for each in found])


def _added(each: pb.MemberAddition) -> tuple[str, ...]:
    segment = str(each.segment) if each.added else ""
    return (each.person, "yes" if each.added else "no", reason_of(each.reason), segment)


def _member(member: pb.Member) -> tuple[str, ...]:
    return (
        member.person,
        member.display_name,
        member.unit,
        pb.MemberOutcome.Name(member.outcome).removeprefix("MEMBER_OUTCOME_").lower(),
        reason_of(member.reason),
        str(member.segment),
        "yes" if member.from_rating else "",
        member.started_at.ToJsonString() if member.HasField("started_at") else "",
        member.added_at.ToJsonString() if member.HasField("added_at") else "",
    )


def _count(each: pb.CohortCount) -> tuple[Cell, ...]:
    lateness = pb.Lateness.Name(each.lateness).removeprefix("LATENESS_").lower()
    return (stage_of(each.stage), each.unit, lateness, each.count)


def _at_risk(each: pb.AtRisk) -> tuple[str, ...]:
    return (
        each.person,
        each.display_name,
        each.unit,
        stage_of(each.stage),
        TaskKind.Name(each.task).removeprefix("TASK_KIND_").lower(),
        each.holder,
        each.due_at.ToJsonString(),
        "yes" if each.late else "",
    )
