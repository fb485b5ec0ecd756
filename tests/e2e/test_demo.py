"""`siklus demo`: the year of a small agency, reckoned in the end."""

import re
from collections import Counter

import pytest

from siklus.services.demo.people import EVALUATED
from tests.e2e.processes import siklus

LAST_LINE = re.compile(
    r"demo: (\d+) evaluations, (\d+) completed, (\d+) appeals, (\d+) mails, (\d+) lost"
)


@pytest.mark.timeout(240)
async def test_the_year_is_played_to_its_end_and_all_counts_agree() -> None:
    async with siklus("demo") as demo:
        output, complaint = await demo.process.communicate()

    lines = output.decode().splitlines()
    told = LAST_LINE.fullmatch(lines[-1])
    assert told, lines[-5:]
    evaluations, completed, appeals, mails, lost = map(int, told.groups())
    assert evaluations == completed == len(EVALUATED)
    assert (appeals, lost) == (2, 0)
    # Everybody is told of the rating and of its approval, and hardly both by one mail.
    assert mails > evaluations
    assert demo.process.returncode == 0
    assert complaint.decode() == ""

    predicates = Counter(part for line in lines for part in re.findall(r"KURANG → BAIK", line))
    assert predicates["KURANG → BAIK"] == 1
    paths = "\n".join(line for line in lines if "COMPLETED" in line)
    for happened in (
        "plan returned",
        "plan set by the team",
        "escalated",
        "no self-evaluation",
        "rating returned",
        "appealed, changed",
        "appealed, rater silent, upheld",
        "deemed received, window lapsed",
    ):
        assert happened in paths
    notices = dict(line.split() for line in lines if re.fullmatch(r"  [A-Z_]+ +\d+", line))
    assert notices["APPROVED"] == str(len(EVALUATED))
    assert {"REMINDER", "ESCALATED", "PLAN_RETURNED", "RATED", "APPEAL_DECIDED"} <= set(notices)
