"""`siklus calibration`: how ratings are spread over a unit, and the session that looks at it."""

from typing import Annotated, Final

import typer

from siklus.services.cli.calibration_words import (
    LANGUAGE,
    Calibration,
    Organisation,
    Predicate,
    calibrations,
    distribution_lines,
    name_in,
    organisation_of,
    predicate_of,
    show,
    show_receipt,
    stub,
    word,
)
from siklus.services.cli.consent import Yes, confirm
from siklus.services.cli.cycle_words import CycleId, evaluation_in, name_of
from siklus.services.cli.output import AsJson, Fault, print_json, print_lines, print_table
from siklus.services.cli.remote import Api, as_dict, remote
from siklus.services.cli.request_ids import RequestId, request_id_or_new
from siklus.v1 import calibration_service_pb2 as pb
from siklus.v1 import calibrations_pb2 as messages
from siklus.v1 import commands_calibration_pb2 as acts

app = typer.Typer(
    help="Look at how a unit is rated, propose, and send ratings back.", add_completion=False
)
Reason = Annotated[str, typer.Option(help="Why; it stays in the record.")]
Unit = Annotated[str, typer.Option(help="The unit's code.")]
Number = Annotated[int, typer.Argument(min=1, help="The proposal's number.")]
Person = Annotated[str, typer.Argument(help="The employee's person id.")]
Segment = Annotated[int, typer.Option(min=1, help="Which stretch of the year.")]
LISTED: Final = ("calibration", "unit", "chair", "state", "opened", "closed")


@app.callback()
def _calibration() -> None:
    """Keep `siklus calibration` a group."""


@app.command()
@remote
async def organisation(
    api: Api,
    cycle: CycleId,
    rating: Annotated[Organisation, typer.Argument(help="What the organisation was rated.")],
    reason: Reason,
    unit: Annotated[str, typer.Option(help="For this unit and those below it. Default: all.")] = "",
    yes: Yes = False,
    request_id: RequestId = "",
    as_json: AsJson = False,
) -> None:
    """Say what the organisation was rated: which guide applies to its people follows from it."""
    whom = f"unit {unit} and those below it" if unit else "the whole agency"
    confirm(
        f"For {whom}, in the cycle {cycle}: {rating.replace('-', ' ')}. Ratings that are given from"
        " now on are held against its guide.",
        yes=yes,
        question="Write it down?",
    )
    request = pb.SetOrganisationRatingRequest(
        parent=name_of(api, cycle),
        unit=unit,
        request_id=request_id_or_new(request_id),
        predicate=organisation_of(rating),
        reason=reason,
    )
    said = (await api.ask(stub(api).SetOrganisationRating, request)).rating
    if as_json:
        print_json(as_dict(said))
        return
    print_lines({"unit": said.unit or "(all)", "rated": word(said, "predicate")})


@app.command()
@remote
async def ratings(api: Api, cycle: CycleId, as_json: AsJson = False) -> None:
    """List what was said of the organisation, the newest first."""
    request = pb.ListOrganisationRatingsRequest(parent=name_of(api, cycle), page_size=200)
    listed = api.each(stub(api).ListOrganisationRatings, request, "ratings")
    found = [each async for each in listed]
    if as_json:
        print_json({"ratings": [as_dict(each) for each in found]})
        return
    rows = [
        (each.unit or "(all)", word(each, "predicate"), each.set_by, each.reason) for each in found
    ]
    print_table(("unit", "rated", "by", "reason"), rows)


@app.command()
@remote
async def unit(
    api: Api,
    cycle: CycleId,
    code: Annotated[str, typer.Argument(help="The unit's code.")],
    as_json: AsJson = False,
) -> None:
    """Show how a unit is rated, against the guide that applies to it."""
    request = pb.GetDistributionRequest(parent=name_of(api, cycle), unit=code)
    found = (await api.ask(stub(api).GetDistribution, request)).distribution
    if as_json:
        print_json(as_dict(found))
        return
    print_lines(distribution_lines(found))


@app.command()
@remote
async def guide(
    api: Api, cycle: CycleId, person: Person, segment: Segment = 1, as_json: AsJson = False
) -> None:
    """Show what each predicate would mean for the group, before somebody is rated."""
    request = pb.GetRatingGuideRequest(name=evaluation_in(api, cycle, person, segment))
    found = await api.ask(stub(api).GetRatingGuide, request)
    if as_json:
        print_json(as_dict(found))
        return
    if not found.options:
        print_lines({"guide": "none applies"})
        return
    rows = [
        (
            word(each, "predicate"),
            getattr(each.text, LANGUAGE),
            "refused" if each.blocked else "warned of" if each.warnings else "",
        )
        for each in found.options
    ]
    print_table(("predicate", "would be", "then"), rows)


@app.command("open")
@remote
async def open_(
    api: Api,
    cycle: CycleId,
    unit: Unit,
    chair: Annotated[str, typer.Option(help="Person id of who leads it.")],
    reason: Reason,
    member: Annotated[
        list[str] | None, typer.Option(help="Person id of a member of its panel; for each again.")
    ] = None,
    request_id: RequestId = "",
    as_json: AsJson = False,
) -> None:
    """Open a calibration of a unit."""
    request = pb.OpenCalibrationRequest(
        parent=name_of(api, cycle),
        request_id=request_id_or_new(request_id),
        unit=unit,
        chair=chair,
        reason=reason,
        members=member or (),
    )
    show((await api.ask(stub(api).OpenCalibration, request)).calibration, as_json=as_json)


@app.command("list")
@remote
async def list_(api: Api, cycle: CycleId, as_json: AsJson = False) -> None:
    """List the calibrations of a cycle, the newest first."""
    found = await calibrations(api, name_of(api, cycle))
    if as_json:
        print_json({"calibrations": [as_dict(each) for each in found]})
        return
    rows = [
        (
            each.name.rpartition("/")[2],
            each.unit,
            each.chair,
            word(each, "state"),
            each.opened_at.ToJsonString(),
            each.closed_at.ToJsonString() if each.HasField("closed_at") else "",
        )
        for each in found
    ]
    print_table(LISTED, rows)


@app.command("show")
@remote
async def show_(
    api: Api, cycle: CycleId, calibration: Calibration, as_json: AsJson = False
) -> None:
    """Show a calibration: how the unit is rated, what was proposed, what came of it."""
    show(await _read(api, name_in(api, cycle, calibration)), as_json=as_json)


@app.command()
@remote
async def propose(
    api: Api,
    cycle: CycleId,
    calibration: Calibration,
    person: Person,
    predicate: Annotated[Predicate, typer.Argument(help="What is proposed.")],
    reason: Reason,
    segment: Segment = 1,
    request_id: RequestId = "",
    as_json: AsJson = False,
) -> None:
    """Propose another predicate for somebody, whom the rater then rates anew, or to keep theirs."""
    request = pb.ProposeRatingRequest(
        name=name_in(api, cycle, calibration),
        request_id=request_id_or_new(request_id),
        evaluation=evaluation_in(api, cycle, person, segment),
        predicate=predicate_of(predicate),
        reason=reason,
    )
    show((await api.ask(stub(api).ProposeRating, request)).calibration, as_json=as_json)


@app.command()
@remote
async def agree(
    api: Api,
    cycle: CycleId,
    calibration: Calibration,
    number: Number,
    reason: Reason,
    yes: Yes = False,
    request_id: RequestId = "",
    as_json: AsJson = False,
) -> None:
    """Agree to a proposal; where a panel decides, with one vote."""
    name = name_in(api, cycle, calibration)
    await _confirm_decision(api, name, number, "Agree to it?", yes=yes)
    await _decide(api, name, number, reason, request_id, agreed=True, as_json=as_json)


@app.command()
@remote
async def decline(
    api: Api,
    cycle: CycleId,
    calibration: Calibration,
    number: Number,
    reason: Reason,
    yes: Yes = False,
    request_id: RequestId = "",
    as_json: AsJson = False,
) -> None:
    """Decline a proposal; where a panel decides, with one vote."""
    name = name_in(api, cycle, calibration)
    await _confirm_decision(api, name, number, "Decline it?", yes=yes)
    await _decide(api, name, number, reason, request_id, agreed=False, as_json=as_json)


@app.command("send-back")
@remote
async def send_back(
    api: Api,
    cycle: CycleId,
    calibration: Calibration,
    person: Person,
    reason: Reason,
    segment: Segment = 1,
    yes: Yes = False,
    request_id: RequestId = "",
    as_json: AsJson = False,
) -> None:
    """Send a rating back to its rater; the new one shows here by itself."""
    confirm(
        f"The rating of {person} goes back to its rater. If it was delivered, that is void; the new"
        " rating is delivered in its turn, and may be appealed then.",
        yes=yes,
        question="Send it back?",
    )
    request = acts.SendBackRatingRequest(
        name=evaluation_in(api, cycle, person, segment),
        request_id=request_id_or_new(request_id),
        calibration=calibration,
        reason=reason,
    )
    show_receipt(await api.ask(stub(api).SendBackRating, request), as_json=as_json)


@app.command()
@remote
async def release(
    api: Api,
    cycle: CycleId,
    person: Person,
    reason: Reason,
    segment: Segment = 1,
    yes: Yes = False,
    request_id: RequestId = "",
    as_json: AsJson = False,
) -> None:
    """Let a rating that waits in calibration go on to its delivery."""
    confirm(
        f"The rating of {person} is delivered, and may be appealed from its receipt on.",
        yes=yes,
        question="Release it?",
    )
    request = acts.ReleaseRatingRequest(
        name=evaluation_in(api, cycle, person, segment),
        request_id=request_id_or_new(request_id),
        reason=reason,
    )
    show_receipt(await api.ask(stub(api).ReleaseRating, request), as_json=as_json)


@app.command()
@remote
async def close(
    api: Api,
    cycle: CycleId,
    calibration: Calibration,
    reason: Annotated[str, typer.Option(help="What came of it.")],
    yes: Yes = False,
    request_id: RequestId = "",
    as_json: AsJson = False,
) -> None:
    """Close a calibration in which nothing waits; what waits to be delivered is released."""
    name = name_in(api, cycle, calibration)
    found = await _read(api, name)
    warnings = [getattr(each.text, LANGUAGE) for each in found.distribution.warnings]
    kept = "The guide is kept." if not warnings else "Not kept: " + "; ".join(warnings) + "."
    confirm(
        f"Proposals: {len(found.proposals)}. {kept} No rating is changed by it.",
        yes=yes,
        question="Close the calibration?",
    )
    request = pb.CloseCalibrationRequest(
        name=name, request_id=request_id_or_new(request_id), closing=reason
    )
    show((await api.ask(stub(api).CloseCalibration, request)).calibration, as_json=as_json)


async def _read(api: Api, name: str) -> messages.Calibration:
    request = pb.GetCalibrationRequest(name=name)
    found: messages.Calibration = (await api.ask(stub(api).GetCalibration, request)).calibration
    return found


async def _confirm_decision(api: Api, name: str, number: int, question: str, *, yes: bool) -> None:
    found = await _read(api, name)
    proposal = next((each for each in found.proposals if each.number == number), None)
    if proposal is None:
        raise Fault("FIELD_INVALID", f"there is no proposal {number}", "`siklus calibration show`")
    before = word(proposal, "before") or "not rated"
    confirm(
        f"{proposal.display_name or proposal.person}: {before} → {word(proposal, 'proposed')}."
        f" {proposal.reason}",
        yes=yes,
        question=question,
    )


async def _decide(
    api: Api,
    name: str,
    number: int,
    reason: str,
    request_id: str,
    *,
    agreed: bool,
    as_json: bool,
) -> None:
    request = pb.DecideProposalRequest(
        name=name,
        request_id=request_id_or_new(request_id),
        number=number,
        agreed=agreed,
        reason=reason,
    )
    show((await api.ask(stub(api).DecideProposal, request)).calibration, as_json=as_json)
