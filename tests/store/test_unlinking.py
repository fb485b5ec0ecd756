"""What the database itself keeps of each row leads from no word to whoever said it.

Read as the superuser: which transaction wrote a row, where it lies, and every column there is.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Final

import psycopg
import pytest
from temporalio.testing import ActivityEnvironment

from siklus.activities.feedback_texts import keep_text, read_texts
from siklus.activities.keyring import Keyring
from siklus.activities.store.pool import Connection, Store
from siklus.activities.store.queries import colleagues, contacts, erasures, tickets, unlinking
from siklus.activities.store.queries.colleagues import RoundRow
from siklus.activities.store.queries.contacts import RatingRow
from siklus.activities.unlinking import Unlinking
from siklus.activities.vault import TextUnreadable, Vault
from siklus.services.local.postgres import LocalPostgres
from siklus.workflows.domain.feedback.colleagues import Answer, Group
from siklus.workflows.domain.feedback.contacts import CommentState
from siklus.workflows.domain.feedback.tickets import Contact, hashed
from siklus.workflows.domain.values import AgencyId, CycleId, Digest, EvaluationKey, PersonId
from tests.store.test_walls import tables
from tests.workflows.desk import eventually

SITI: Final = PersonId("siti")
PEERS: Final = tuple(PersonId(f"p{number}") for number in range(8))
NOW: Final = datetime(2026, 9, 30, 8, tzinfo=UTC)
DAY: Final = date(2026, 9, 28)

Lying = list[dict[str, Any]]
"""Rows in the order in which they lie, with `xmin` and `block` beside their columns."""


class Office:
    """An agency's people say something, each in a transaction of their own."""

    def __init__(self, store: Store, vault: Vault, database: LocalPostgres, agency: AgencyId):
        self.store, self.vault, self.database, self.agency = store, vault, database, agency
        self.transactions: set[str] = set()

    async def answer(self, round_: str, by: PersonId, score: int, on: date) -> None:
        async with self.store.agency(self.agency) as connection, connection.transaction():
            said = await keep_text(self.vault, connection, self.agency, SITI, f"dari {by}")
            await colleagues.add(
                connection,
                self.agency,
                round_,
                Answer(score=score, comment=said),
                invitee=by,
                mark=Digest(f"mark of {by}"),
                week_on=on,
            )
            await self.note(connection)

    async def rate(self, number: int, on: date) -> None:
        hash_ = hashed(self.agency, f"{number}")
        async with self.store.agency(self.agency) as connection, connection.transaction():
            await tickets.use(connection, self.agency, hash_, on=on, request=Digest("of it"))
            said = await keep_text(self.vault, connection, self.agency, SITI, f"warga {number}")
            row = RatingRow(
                rating=f"c-{Random(number).getrandbits(64):x}",
                person=SITI,
                unit="loket",
                service="KTP",
                served_on=DAY,
                score=1 + number % 5,
                rated_on=on,
                comment=said,
                comment_state=CommentState.PENDING,
            )
            await contacts.add(connection, self.agency, row)
            await self.note(connection)

    async def note(self, connection: Connection) -> None:
        row = await (await connection.execute("SELECT pg_current_xact_id()::xid::text")).fetchone()
        assert row is not None
        self.transactions.add(row[0])

    async def upkeep(self, at: datetime = NOW) -> int:
        activity = Unlinking(self.store, self.vault, lambda: at).unlink_answers
        return await ActivityEnvironment().run(activity, self.agency)

    async def somebody_waits_for(self, connection: Connection) -> None:
        waiting = "SELECT FROM pg_locks WHERE NOT granted AND %s = ANY(pg_blocking_pids(pid))"

        async def in_line() -> bool:
            async with self.store.agency(self.agency) as looking:
                found = await looking.execute(waiting, (connection.info.backend_pid,))
                return found.rowcount > 0

        await eventually(in_line)

    async def lying(self, table: str) -> Lying:
        query = f"""
            SELECT to_jsonb(t) || jsonb_build_object('xmin', xmin::text,
                'block', (ctid::text::point)[0])
            FROM {table} AS t WHERE agency = %s ORDER BY ctid
        """
        async with await psycopg.AsyncConnection.connect(self.database.superuser_url) as reader:
            rows = await (await reader.execute(query.encode(), (self.agency,))).fetchall()
        return [row for (row,) in rows]

    async def still_of_them(self) -> set[str]:
        """Return the tables with a row that one of those transactions wrote or locked."""
        found = set()
        async with await psycopg.AsyncConnection.connect(self.database.superuser_url) as reader:
            for table, *_ in await tables(self.database):
                query = f"""
                    SELECT FROM {table} WHERE agency = %s
                    AND (xmin::text = ANY(%s) OR xmax::text = ANY(%s))
                """
                given = (self.agency, [*self.transactions], [*self.transactions])
                if (await reader.execute(query.encode(), given)).rowcount:
                    found.add(table)
        return found


@pytest.fixture
def office(store: Store, vault: Vault, database: LocalPostgres, agency: AgencyId) -> Office:
    return Office(store, vault, database, agency)


@pytest.fixture
async def round_(office: Office) -> str:
    """A round about Siti that eight peers answered, in an order of chance, over three weeks."""
    row = RoundRow(
        round="f-1",
        person=SITI,
        grouping=Group.PEERS,
        anonymous=True,
        invited=len(PEERS),
        min_answers=3,
        closes_at=NOW - timedelta(minutes=1),
    )
    key = EvaluationKey(agency=office.agency, cycle=CycleId("c"), person=SITI)
    async with office.store.agency(office.agency) as connection:
        assert await colleagues.open_round(connection, key, row, PEERS, by="budi", on=DAY)
    answering = list(PEERS)
    Random("giliran").shuffle(answering)
    for place, peer in enumerate(answering[:6]):
        await office.answer(row.round, peer, 1 + place % 5, DAY - timedelta(weeks=place % 3))
    return row.round


def same_but(rows: Lying, *told: str) -> None:
    """Every column says the same of all rows, those aside that were said or are of chance."""
    for column in rows[0]:
        if column not in {*told, "block"}:
            assert len({str(row[column]) for row in rows}) == 1, column


def in_order_of(rows: Lying, column: str) -> None:
    """They lie by a column that has nothing to do with when they came."""
    for block in {row["block"] for row in rows}:
        there = [row[column] for row in rows if row["block"] == block]
        assert there == sorted(there)


async def comments(office: Office, digests: Sequence[str]) -> set[str | None]:
    async with office.store.agency(office.agency) as connection:
        found = await read_texts(office.vault, connection, office.agency, SITI, digests)
    return set(found.values())


async def test_the_upkeep_closes_a_round_and_its_rows_tell_nothing(
    office: Office, round_: str
) -> None:
    before = {row["answer"] for row in await office.lying("feedback_answer")}
    assert "prose" in await office.still_of_them()

    assert await office.upkeep() == 1

    answers = await office.lying("feedback_answer")
    same_but(answers, "answer", "score", "comment")
    in_order_of(answers, "answer")
    assert not before & {row["answer"] for row in answers}
    texts = await office.lying("prose")
    same_but(texts, "digest", "nonce", "ciphertext")
    in_order_of(texts, "digest")
    asked = await office.lying("feedback_invitation")
    same_but(asked, "invitee", "answered")
    in_order_of(asked, "invitee")
    assert (len(asked), sum(row["answered"] for row in asked)) == (8, 6)
    assert asked[0]["request_mark"] is None
    # The key of Siti's texts is as old as the first word about her, whosever that was.
    assert await office.still_of_them() == {"data_key"}
    assert len(await comments(office, [row["comment"] for row in answers])) == 6


async def test_what_is_closed_is_left_and_what_is_open_too(office: Office, round_: str) -> None:
    assert await office.upkeep(NOW - timedelta(hours=1)) == 0
    assert "feedback_answer" in await office.still_of_them()
    await office.upkeep()
    closed = await office.lying("feedback_answer")

    assert await office.upkeep() == 0

    assert await office.lying("feedback_answer") == closed


async def test_rows_lie_in_an_order_of_their_own_whichever_way_they_were_found(
    office: Office, round_: str
) -> None:
    async with office.store.agency(office.agency) as connection, connection.transaction():
        for way in ("indexscan", "bitmapscan"):
            await connection.execute(f"SET LOCAL enable_{way} = off".encode())
        assert await unlinking.close_round(connection, office.agency, round_, NOW)

    in_order_of(await office.lying("feedback_invitation"), "invitee")
    in_order_of(await office.lying("feedback_answer"), "answer")
    in_order_of(await office.lying("prose"), "digest")


async def test_an_answer_under_way_is_waited_for_and_parted_with_the_others(
    office: Office, round_: str
) -> None:
    asked = await office.lying("feedback_invitation")
    late = next(row["invitee"] for row in asked if not row["answered"])

    async with office.store.agency(office.agency) as connection, connection.transaction():
        assert await colleagues.get(connection, office.agency, round_)
        closing = asyncio.create_task(office.upkeep())
        await office.somebody_waits_for(connection)
        await colleagues.add(
            connection,
            office.agency,
            round_,
            Answer(score=5),
            invitee=late,
            mark=Digest("mark"),
            week_on=DAY,
        )
        await office.note(connection)
    assert await closing == 1

    answers = await office.lying("feedback_answer")
    assert len(answers) == 7
    same_but(answers, "answer", "score", "comment")
    assert await office.still_of_them() == {"data_key"}


async def issue(office: Office, many: int) -> None:
    asked = {
        hashed(office.agency, f"{number}"): Contact(
            reference=f"a-{number}", person=SITI, unit="loket", service="KTP", served_on=DAY
        )
        for number in range(many)
    }
    async with office.store.agency(office.agency) as connection:
        await tickets.issue(connection, office.agency, asked, by="antrean", at=NOW, expires_at=NOW)


async def test_a_day_later_no_rating_leads_to_its_ticket(office: Office) -> None:
    await issue(office, 9)
    citizens = list(range(8))
    Random("antrean").shuffle(citizens)
    for number in citizens:
        await office.rate(number, DAY)
    assert "contact_rating" in await office.still_of_them()

    assert await office.upkeep() == 1

    ratings = await office.lying("contact_rating")
    same_but(ratings, "rating", "score", "comment")
    in_order_of(ratings, "rating")
    in_order_of(await office.lying("prose"), "digest")
    assert await office.still_of_them() == {"data_key"}
    issued = await office.lying("service_ticket")
    used = [row for row in issued if row["used_on"]]
    assert len({row["xmin"] for row in used}) == 1
    assert (len(issued), len(used), {row["request_digest"] for row in used}) == (9, 8, {None})
    assert len(await comments(office, [row["comment"] for row in ratings])) == 8


async def test_a_day_that_goes_on_somewhere_waits(office: Office) -> None:
    await issue(office, 2)
    await office.rate(0, DAY)
    over = datetime(2026, 9, 29, 12, tzinfo=UTC)

    assert await office.upkeep(over - timedelta(seconds=1)) == 0
    assert await office.upkeep(over) == 1
    before = await office.lying("contact_rating")
    assert await office.upkeep(over) == 0
    assert await office.lying("contact_rating") == before


async def test_a_reason_that_was_kept_in_plain_text_is_sealed(office: Office) -> None:
    await issue(office, 1)
    await office.rate(0, DAY)
    async with office.store.agency(office.agency) as connection:
        await connection.execute("UPDATE contact_rating SET moderation_reason = 'Kata kasar'")

    await office.upkeep()

    (row,) = await office.lying("contact_rating")
    assert row["moderation_reason"] is None
    assert await comments(office, [row["moderated_because"]]) == {"Kata kasar"}


async def test_a_key_that_is_missing_leaves_nothing_linked(office: Office, round_: str) -> None:
    await issue(office, 1)
    await office.rate(0, DAY)
    async with office.store.agency(office.agency) as connection:
        await connection.execute("UPDATE contact_rating SET moderation_reason = 'Kata kasar'")
    office.vault = Vault(Keyring.generate())

    with pytest.raises(TextUnreadable):
        await office.upkeep()

    assert await office.still_of_them() == {"data_key"}


async def test_a_plain_reason_is_not_sealed_where_they_were_erased_since(
    office: Office,
) -> None:
    await issue(office, 2)
    await office.rate(0, DAY)
    await office.rate(1, DAY)
    moderate = """
        UPDATE contact_rating SET moderation_reason = 'Kata kasar', moderated_at = %s
        WHERE score = %s
    """
    async with office.store.agency(office.agency) as connection, connection.transaction():
        for score, moderated_at in ((1, NOW - timedelta(days=1)), (2, NOW + timedelta(days=1))):
            await connection.execute(moderate, (moderated_at, score))
        await erasures.keep(
            connection, office.agency, SITI, evaluations=0, actor="admin", reason="minta", at=NOW
        )

    await office.upkeep()

    rows = {row["score"]: row for row in await office.lying("contact_rating")}
    assert {row["moderation_reason"] for row in rows.values()} == {None}
    assert rows[1]["moderated_because"] is None
    assert await comments(office, [rows[2]["moderated_because"]]) == {"Kata kasar"}


async def test_a_comment_is_moderated_though_it_is_written_anew_meanwhile(office: Office) -> None:
    await issue(office, 1)
    await office.rate(0, DAY)
    (row,) = await office.lying("contact_rating")

    async def moderate() -> None:
        async with office.store.agency(office.agency) as connection:
            await contacts.moderate(
                connection,
                office.agency,
                row["rating"],
                state=CommentState.HIDDEN,
                by="admin",
                at=NOW,
                because=Digest("sebab"),
            )

    async with office.store.agency(office.agency) as connection, connection.transaction():
        assert await unlinking.unlink_oldest_day(connection, office.agency, NOW.date())
        moderated = asyncio.create_task(moderate())
        await office.somebody_waits_for(connection)
    await moderated

    (row,) = await office.lying("contact_rating")
    assert row["comment_state"] == CommentState.HIDDEN
