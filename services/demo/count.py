"""The reckoning: what callers were told, what the record holds, what the mail server was given."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from siklus.activities.store.queries import tally as queries
from siklus.activities.store.queries.tally import Acknowledged, Tally
from siklus.services.demo.office import Office
from siklus.services.local.mailbox import Mail
from siklus.services.local.stack import LocalStack
from siklus.services.rpc.names import evaluation_key
from siklus.workflows.domain.values import AgencyId, CycleId, Digest


@dataclass(frozen=True)
class Reckoning:
    """All counts, each from its own source."""

    name: str
    """What its line begins with."""
    expected: int
    """How many people are to be evaluated."""
    record: Tally
    lost: int
    """Receipts handed to callers that are not in the event table."""
    acknowledged: int
    appeals_filed: int
    """By the callers' own count."""
    mails: int
    """By the mail server's count."""
    notices: int
    """What those mails say they tell."""

    @property
    def line(self) -> str:
        """What came of it; the last line of the demo."""
        record = self.record
        return (
            f"{self.name}: {record.evaluations} evaluations, {record.completed} completed,"
            f" {record.appeals} appeals, {self.mails} mails, {self.lost} lost"
        )

    def disagreements(self) -> list[str]:
        """Tell which counts do not agree; empty when all is well."""
        record = self.record
        pairs = {
            "evaluations in the record, people to evaluate": (record.evaluations, self.expected),
            "evaluations in the record, started by the launch": (
                record.evaluations,
                record.members,
            ),
            "completed, all": (record.completed, record.evaluations),
            "appeals in the record, filed by callers": (record.appeals, self.appeals_filed),
            "mails in the ledger, at the mail server": (record.mails, self.mails),
            "notices in the ledger, in the mails": (record.notices, self.notices),
            "notices that still wait, none": (record.waiting, 0),
            "receipts that are lost, none": (self.lost, 0),
        }
        return [
            f"{what}: {one} and {other}" for what, (one, other) in pairs.items() if one != other
        ]


async def reckon(stack: LocalStack, office: Office, name: str = "demo") -> Reckoning:
    """Count everything of one agency anew from the database and the mail server."""
    agency, cycle = AgencyId(office.cast.agency), CycleId(office.cycle)
    told = [
        Acknowledged(evaluation_key(receipt.name), receipt.revision, Digest(receipt.digest))
        for receipt in office.receipts
    ]
    async with stack.store.agency(agency) as connection:
        record = await queries.tally(connection, agency, cycle)
        lost = await queries.lost(connection, agency, cycle, told)
    mails = mails_to(stack, office)
    return Reckoning(
        name=name,
        expected=len(office.cast.evaluated),
        record=record,
        lost=lost,
        acknowledged=len(told),
        appeals_filed=office.given["FileAppeal"],
        mails=len(mails),
        notices=sum(mails_by_kind(mails).values()),
    )


def mails_to(stack: LocalStack, office: Office) -> list[Mail]:
    """Return the mails that the mail server was given for the people of one agency."""
    domain = f"@{office.cast.agency}.example"
    return [mail for mail in stack.mailbox.messages() if mail.to[0].endswith(domain)]


def mails_by_kind(mails: Sequence[Mail]) -> Counter[str]:
    """Return how often each kind of notice was told, by the mails' own headers."""
    told = Counter[str]()
    for mail in mails:
        for part in mail.siklus.get("x-siklus-kinds", "").split(", "):
            kind, _, times = part.partition("=")
            told[kind] += int(times or 1)
    return told
