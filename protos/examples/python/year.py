"""One employee's year, from the plan to the final approval: `python year.py`.

Like year.js beside it: the employee is evaluated by Budi, Agus approves, and a program watches.
It reads SIKLUS_ADDRESS, SIKLUS_EVALUATION, and tokens by person from the JSON file SIKLUS_TOKENS.
Months pass between the steps: it prints `{"until": "2027-07-05"}` and goes on when given a line.
"""

import json
import os
import sys
import uuid
from pathlib import Path
from typing import Any

from siklus_client import Refusal, Siklus

from siklus.v1 import commands_plan_pb2 as plan
from siklus.v1 import commands_rating_pb2 as rating
from siklus.v1 import commands_year_pb2 as work
from siklus.v1 import evaluation_reads_pb2 as reads
from siklus.v1 import values_pb2 as v
from siklus.v1 import watch_pb2
from siklus.v1.evaluation_pb2 import Receipt, Stage

ADDRESS, NAME = os.environ["SIKLUS_ADDRESS"], os.environ["SIKLUS_EVALUATION"]
TOKENS = Path(os.environ["SIKLUS_TOKENS"])
_, AGENCY, _, CYCLE, _, PLACE = NAME.split("/")
WHO = PLACE.partition(".")[0]


def caller(person: str) -> Siklus:
    return Siklus(ADDRESS, lambda: str(json.loads(TOKENS.read_text())[person]))


def say(**line: Any) -> None:
    print(json.dumps(line), flush=True)


def until(day: str) -> None:
    say(until=day)
    sys.stdin.readline()


def act(who: Siklus, request: Any, request_id: str = "", revision: int = 0) -> Receipt:
    """Give a command. With an id of ours it applies once, however often it is sent."""
    command = type(request).__name__.removesuffix("Request")
    request.name, request.request_id = NAME, request_id or uuid.uuid4().hex
    request.expected_revision = revision
    receipt: Receipt = who.call(getattr(who.evaluations, command), request).receipt
    say(did=command, stage=Stage.Name(receipt.stage), revision=receipt.revision)
    return receipt


def refused(who: Siklus, request: Any, **how: Any) -> None:
    try:
        act(who, request, **how)
    except Refusal as no:
        say(refused=no.reason, code=no.code.name, facts=no.facts, fields=list(no.fields))
    else:
        raise AssertionError("it was not refused")


def changes(program: Siklus, after: str, up_to: int) -> tuple[list[tuple[int, str]], str]:
    """Return the changes up to a revision, and where to go on; 0 takes the first checkpoint."""
    seen = []
    parent = f"agencies/{AGENCY}"
    for message in program.watch(
        watch_pb2.WatchEvaluationsRequest(
            parent=parent, cycle=CYCLE, person=WHO, resume_token=after
        )
    ):
        if message.HasField("change"):
            seen.append((message.change.seq, message.change.kind))
        if not up_to or (seen and seen[-1][0] >= up_to):
            break
    return seen, message.resume_token


def main() -> None:
    employee, budi, agus, program = callers = [caller(p) for p in (WHO, "budi", "agus", "program")]
    year = int(CYCLE)
    _, token = changes(program, "", 0)

    line = plan.Indicator(
        id="antrean",
        description="Waktu tunggu loket di bawah 10 menit",
        kind=v.INDICATOR_KIND_QUANTITATIVE,
        target="10 menit",
    )
    refused(employee, plan.SubmitPlanRequest(indicators=[line]), request_id="no spaces")
    refused(employee, plan.ApprovePlanRequest())
    act(employee, plan.SubmitPlanRequest(indicators=[line]))
    refused(budi, plan.ApprovePlanRequest(), revision=1)
    act(budi, plan.ReturnPlanRequest(reason="Target belum terukur"))
    act(employee, plan.SubmitPlanRequest(indicators=[line]))
    approved = act(budi, plan.ApprovePlanRequest(note="Setuju"), request_id="approve-1")
    assert act(budi, plan.ApprovePlanRequest(note="Setuju"), request_id="approve-1") == approved
    first, token = changes(program, token, approved.revision)

    until(f"{year}-07-05")
    act(employee, work.SubmitMidyearAccountRequest(account="Antrean turun"))
    act(budi, work.RecordMidyearReviewRequest(dialogue="Lanjutkan"))
    until(f"{year}-12-06")
    levels = {"results": v.LEVEL_AT, "behaviour": v.LEVEL_AT}
    act(employee, work.SubmitSelfEvaluationRequest(account="Tercapai", **levels))
    until(f"{year + 1}-01-05")
    act(budi, rating.RateRequest(note="Baik", **levels))
    act(employee, rating.OpenResultRequest())
    act(employee, rating.AcknowledgeResultRequest(accepted=True))
    ended = act(agus, rating.ApproveEvaluationRequest(note="Disetujui"))

    rest, _ = changes(program, token, ended.revision)
    get = reads.GetEvaluationRequest(name=NAME, min_revision=ended.revision)
    evaluation = employee.call(employee.evaluations.GetEvaluation, get).evaluation
    predicate = v.Predicate.Name(evaluation.predicate)
    say(stage=Stage.Name(evaluation.stage), predicate=predicate, watched=first + rest)
    for each in callers:
        each.close()


if __name__ == "__main__":
    main()
