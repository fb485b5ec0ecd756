"""How commands about calibrations name them and show them."""

from enum import StrEnum
from typing import Annotated, Any, Final

import typer
from google.protobuf.message import Message

from siklus.services.cli.cycle_words import name_of
from siklus.services.cli.ids import given_id
from siklus.services.cli.output import print_json, print_lines, print_table
from siklus.services.cli.remote import Api, as_dict
from siklus.v1 import calibration_service_pb2 as pb
from siklus.v1 import calibration_service_pb2_grpc, distribution_pb2, values_pb2
from siklus.v1 import calibrations_pb2 as messages

LANGUAGE: Final = "en"
Calibration = Annotated[
    str, typer.Argument(help="The calibration's id; `siklus calibration list` shows them.")
]
PROPOSED: Final = (
    "no",
    "person",
    "name",
    "before",
    "proposed",
    "now",
    "state",
    "votes",
    "received",
    "reason",
)


class Organisation(StrEnum):
    """What an organisation was rated."""

    ISTIMEWA = "istimewa"
    BAIK = "baik"
    BUTUH_PERBAIKAN = "butuh-perbaikan"
    KURANG = "kurang"
    SANGAT_KURANG = "sangat-kurang"


class Predicate(StrEnum):
    """What somebody is rated."""

    SANGAT_BAIK = "sangat-baik"
    BAIK = "baik"
    BUTUH_PERBAIKAN = "butuh-perbaikan"
    KURANG = "kurang"
    SANGAT_KURANG = "sangat-kurang"


def organisation_of(given: Organisation) -> distribution_pb2.OrganisationPredicate.ValueType:
    """Return the contract's number."""
    return distribution_pb2.OrganisationPredicate.Value(f"ORGANISATION_PREDICATE_{given.name}")


def predicate_of(given: Predicate) -> values_pb2.Predicate.ValueType:
    """Return the contract's number."""
    return values_pb2.Predicate.Value(f"PREDICATE_{given.name}")


def stub(api: Api) -> Any:
    """Return the stub of CalibrationService."""
    return calibration_service_pb2_grpc.CalibrationServiceStub(api.channel)


def name_in(api: Api, cycle: str, calibration: str) -> str:
    """Return the resource name of a calibration; raises `Fault` for what can be no id."""
    known_as = given_id("calibration", calibration, "calibration list")
    return f"{name_of(api, cycle)}/calibrations/{known_as}"


async def calibrations(api: Api, parent: str) -> list[messages.Calibration]:
    """Return all calibrations of a cycle, the newest first."""
    found: list[messages.Calibration] = []
    request = pb.ListCalibrationsRequest(parent=parent, page_size=200)
    while True:
        page = await api.ask(stub(api).ListCalibrations, request)
        found += page.calibrations
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


def show(found: messages.Calibration, *, as_json: bool) -> None:
    """Print a calibration: what it looks at, then what was proposed."""
    if as_json:
        print_json(as_dict(found))
        return
    print_lines(
        {
            "calibration": found.name.rpartition("/")[2],
            "unit": found.unit,
            "chair": found.chair,
            "state": word(found, "state"),
            **_panel(found),
            **distribution_lines(found.distribution),
        },
        strong="state",
    )
    if found.proposals:
        print_table(PROPOSED, [_proposal(each) for each in found.proposals])


def _panel(found: messages.Calibration) -> dict[str, str]:
    lines = {}
    if found.members:
        lines["panel"] = f"{', '.join(found.members)} (decided by {found.quorum} equal votes)"
    if found.operation:
        lines["releases by"] = found.operation.rpartition("/")[2]
    return lines


def show_receipt(answer: Any, *, as_json: bool) -> None:
    """Print what became of an evaluation, and for whom it waits now."""
    if as_json:
        print_json(as_dict(answer))
        return
    receipt = answer.receipt
    due = receipt.due_at.ToJsonString() if receipt.HasField("due_at") else ""
    print_lines({"evaluation": receipt.name, "waits for": receipt.holder, "due": due})


def distribution_lines(found: messages.Distribution) -> dict[str, str]:
    """Return how a unit is rated, line by line."""
    counts = ", ".join(
        f"{word(each, 'predicate') or 'not rated'} {each.count}"
        for each in found.counts
        if each.count
    )
    warnings = [getattr(each.text, LANGUAGE) for each in found.warnings]
    return {
        "organisation": word(found, "organisation") or "not said",
        "mode": word(found, "mode") or "no guide",
        "group": f"{found.group_size} (looked at from {found.min_group_size})",
        "ratings": counts or "none",
        "guide": "; ".join(warnings) or "kept",
    }


def word(message: Message, field: str) -> str:
    """Return an enum's value in small letters, nothing for one that is not specified."""
    described = message.DESCRIPTOR.fields_by_name[field].enum_type
    assert described is not None  # noqa: S101 - asked of enums alone
    prefix = described.values_by_number[0].name.removesuffix("UNSPECIFIED")
    name = described.values_by_number[getattr(message, field)].name.removeprefix(prefix)
    return "" if name == "UNSPECIFIED" else name.replace("_", " ").lower()


def _proposal(each: messages.Proposal) -> tuple[str, ...]:
    return (
        str(each.number),
        each.person,
        each.display_name,
        word(each, "before") or "–",
        word(each, "proposed"),
        word(each, "now") or "–",
        word(each, "state"),
        ", ".join(f"{vote.member} {'yes' if vote.agreed else 'no'}" for vote in each.votes),
        word(each, "receipt_kind") or "–",
        each.reason,
    )
