"""`siklus demo`: the year of a small agency, reckoned in the end."""

import re
from collections import Counter

import pytest

from siklus.services.demo.kelurahan import KELURAHAN
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
    by_numbers_beside_the_quadrant(lines)


def by_numbers_beside_the_quadrant(lines: list[str]) -> None:
    """The small agency: scores explained in both languages, citizens heard, what follows."""
    own = re.fullmatch(rf"{KELURAHAN.agency}: 4 evaluations, 4 completed, .* 0 lost", lines[-2])
    assert own, lines[-2:]
    rows = {row[:6]: re.split(r" {2,}", row)[2:] for row in map(str.strip, lines)}
    said = "4.67 of 5 from 3 contacts, "
    assert rows["p-0103"][0].startswith(said)
    assert rows["p-0103"][1:3] == ["117.1284", "SANGAT_BAIK"]
    assert rows["p-0103"][3] == "Credit points of functional posts 18.75, Reward for the best"
    assert rows["p-0105"][1:3] == ["77.36", "BUTUH_PERBAIKAN"]
    assert rows["p-0102"][0] == "nobody said anything"
    told = "\n".join(lines)
    assert "  Score: 119.112 × 70 / 100 + 112.5 × 30 / 100 = 117.1284" in told
    assert "  Nilai kinerja: 119,112 × 70 / 100 + 112,5 × 30 / 100 = 117,1284" in told
    assert "by the rule outcomes.pelatihan: The score 77.36 < 90" in told
    assert "Pelatihan melayani warga: Nilai 77,36 < 90" in told
    assert "a second word with the same ticket: TICKET_USED" in told
