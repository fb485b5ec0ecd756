"""What is shown of the small agency: evidence and score side by side, one rating, what follows."""

from siklus.services.demo import citizens
from siklus.services.demo.kelurahan import BEST, KELURAHAN, SLOW, rater_of
from siklus.services.demo.kelurahan_year import what_follows
from siklus.services.demo.office import Office
from siklus.services.demo.tables import FAINT, STRONG, Screen
from siklus.v1 import evaluation_pb2 as pb
from siklus.v1 import ratings_pb2
from siklus.v1 import values_pb2 as v
from siklus.v1.feedback_service_pb2 import GetContactSummaryResponse


async def results(office: Office, screen: Screen) -> None:
    """Show of everybody what citizens said, the score, its predicate and what follows."""
    rows = []
    for person in KELURAHAN.evaluated:
        found = await office.evaluation(person)
        heard = await citizens.evidence(office, rater_of(person), person)
        drawn = await what_follows(office, person)
        rows.append(
            (
                person,
                KELURAHAN.named(person).name,
                _said(heard),
                found.ratings[-1].numbers.combined or found.ratings[-1].numbers.score,
                v.Predicate.Name(found.ratings[-1].combined).removeprefix("PREDICATE_"),
                ", ".join(_told(each.title.en, each.points) for each in drawn),
            )
        )
    columns = ("person", "name", "citizens (evidence, no part of the score)", "score", "predicate")
    screen.table("Beside it, by numbers: Kelurahan Contoh", (*columns, "what follows"), rows)


async def a_rating(office: Office, screen: Screen) -> None:
    """Show how one score came about, in both languages, so that it can be checked by hand."""
    found = await office.evaluation(BEST)
    screen.say("")
    screen.say(f"How the score of {KELURAHAN.named(BEST).name} came about", style=STRONG)
    for line in _lines(found):
        screen.say(f"  {line.text.en}")
        screen.say(f"    {line.text.id}  [{line.source}]", style=FAINT)


async def a_reason(office: Office, screen: Screen) -> None:
    """Show what the rater of one of them read, and why something follows."""
    name = KELURAHAN.named(SLOW).name
    heard = await citizens.evidence(office, rater_of(SLOW), SLOW)
    screen.say("")
    screen.say(f"What citizens said of {name}, and what follows", style=STRONG)
    for comment in heard.comments:
        screen.say(
            f"  {comment.served_on}, {comment.service}: {comment.score} of 5, “{comment.text}”"
        )
    for each in await what_follows(office, SLOW):
        screen.say(f"  {each.title.en}, by the rule {each.rule}: {each.because.en}")
        screen.say(f"    {each.title.id}: {each.because.id}", style=FAINT)


def _lines(found: pb.Evaluation) -> list[ratings_pb2.RatingStep]:
    return list(found.ratings[-1].explanation)


def _said(heard: GetContactSummaryResponse) -> str:
    scores = heard.scores
    if not scores.count:
        return "nobody said anything"
    times = "1 contact" if scores.count == 1 else f"{scores.count} contacts"
    first, last = scores.first_on, scores.last_on
    days = first if first == last else f"{first} to {last}"
    return f"{scores.mean} of 5 from {times}, {days}"


def _told(title: str, points: str) -> str:
    return f"{title} {points}" if points else title
