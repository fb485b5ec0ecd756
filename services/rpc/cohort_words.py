"""What a new cycle says of its cohort, from the contract."""

from siklus.activities.store.pool import Connection
from siklus.activities.store.queries import cohort, roster
from siklus.activities.store.queries.cycles import Said
from siklus.v1 import cycle_service_pb2 as pb
from siklus.v1 import values_pb2
from siklus.workflows.domain.commands import ExclusionGround
from siklus.workflows.domain.errors import Reason, Refusal
from siklus.workflows.domain.values import AgencyId, PersonId


def said(request: pb.CreateCycleRequest) -> list[Said]:
    """Return what is said of single people, each once."""
    grounds = {each.person: _ground(each.ground) for each in request.exclusions}
    named, from_rating = set(request.people), set(request.from_rating)
    return [
        Said(PersonId(person), person in named, grounds.get(person), person in from_rating)
        for person in sorted(named | grounds.keys() | from_rating)
    ]


def _ground(ground: values_pb2.ExclusionGround.ValueType) -> ExclusionGround:
    named = values_pb2.ExclusionGround.Name(ground)
    return ExclusionGround(named.removeprefix("EXCLUSION_GROUND_"))


async def must_be_known(
    connection: Connection, agency: AgencyId, request: pb.CreateCycleRequest
) -> None:
    """Refuse units and people that the roster does not have, and a title nobody can read."""
    wrong: dict[str, str] = {}
    if not request.title.strip() or not request.title.isprintable():
        wrong["title"] = "write a title without control characters"
    units = {unit.code for unit in await roster.units(connection, agency)} if request.units else ()
    for number, code in enumerate(request.units):
        if code not in units:
            wrong[f"units[{number}]"] = "there is no such unit"
    if request.top_rater:
        rater = await roster.person(connection, agency, PersonId(request.top_rater))
        if rater is None or not rater.active:
            wrong["top_rater"] = "this is nobody who works in the agency now"
    wrong |= await _unknown_people(connection, agency, request)
    if wrong:
        path, problem = next(iter(wrong.items()))
        raise Refusal(Reason.FIELD_INVALID, f"{path}: {problem}", fields=wrong)


async def _unknown_people(
    connection: Connection, agency: AgencyId, request: pb.CreateCycleRequest
) -> dict[str, str]:
    paths = [(f"people[{n}]", person) for n, person in enumerate(request.people)]
    paths += [(f"from_rating[{n}]", person) for n, person in enumerate(request.from_rating)]
    excluded = [each.person for each in request.exclusions]
    paths += [(f"exclusions[{n}].person", person) for n, person in enumerate(excluded)]
    known = await cohort.known(connection, agency, {PersonId(person) for _, person in paths})
    wrong = {path: "there is no such person" for path, person in paths if person not in known}
    for number, person in enumerate(excluded):
        if person in excluded[:number]:
            wrong[f"exclusions[{number}].person"] = "name each person once"
    return wrong
