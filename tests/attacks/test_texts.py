"""SQL, templates and webhooks' targets: what is written is only ever written down."""

from random import Random
from time import monotonic
from typing import Any, Final

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor

from siklus.activities.store.queries import evaluations
from siklus.v1 import subscription_service_pb2 as subscriptions
from siklus.workflows.domain.values import Role
from tests.attacks.conftest import Field
from tests.e2e.calls import bearer, outcome, refusal_of, refused
from tests.e2e.world import tells_nothing_of_the_inside
from tests.fuzz.messages import Messages
from tests.fuzz.methods import Method, methods
from tests.fuzz.pool import Pool

Code = grpc.StatusCode
SOON: Final = 5.0
SQL: Final = (
    "'; SELECT pg_sleep(20); --",
    "' OR '1'='1' --",
    "\\'; DROP TABLE evaluation; --",
    "') UNION SELECT nip FROM person --",
    "$$; COPY person TO PROGRAM 'sh' $$",
    "%' ESCAPE '\\",
    "{0}{1} %(agency)s :agency $1 ?",
)
INSIDE_TARGETS: Final = (
    "http://127.0.0.1:5432/",
    "https://127.0.0.1/",
    "https://localhost/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://0.0.0.0/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://017700000001/",
    "https://127.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[fe80::1]/",
    "https://10.1.2.3/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://user:pass@127.0.0.1/",
    "https://127.0.0.1\\@example.com/",
    "https://\u2460\u2461\u2466.0.0.1/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:25/_QUIT",
    "ftp://127.0.0.1/",
    "javascript:alert(1)",
    "//127.0.0.1/",
    "https:///",
    "https://",
    "http://example.com/",
    "https://example.com:22/\r\nHost: 127.0.0.1",
)


@pytest.mark.parametrize("sql", SQL)
async def test_sql_is_only_a_text_in_every_field_of_every_method(field: Field, sql: str) -> None:
    """The attacker is in the team, and writes SQL wherever a text belongs."""
    before = await rows(field)
    started, sent = monotonic(), 0
    for method in methods():
        for request in poisoned(method, sql):
            token = field.served.stack.token("rumah", field.somebody(), Role.AGENCY_ADMIN)
            refusal = await told(field, method, request, token)
            sent += 1
            if refusal is not None:
                assert refusal.code not in {Code.INTERNAL, Code.UNKNOWN}, (method.path, request)
                said = refusal.everything.replace(sql, "")
                if "SELECT" not in sql and "UNION" not in sql:
                    tells_nothing_of_the_inside(said)

    assert sent > len(methods())
    # One pg_sleep alone would take longer than all of them.
    assert monotonic() - started < SOON + sent * 0.2
    assert await rows(field) == before


def poisoned(method: Method, sql: str) -> list[Any]:
    """Return good requests, each with the SQL in another one of its texts."""
    pool = Pool("rumah", "2001", ("siti",), "seberang")
    found = []
    for field in method.request.DESCRIPTOR.fields:
        if field.type != FieldDescriptor.TYPE_STRING or field.name in {"name", "parent"}:
            continue
        request = Messages(Random(method.name), pool).valid(method)
        if field.is_repeated:
            getattr(request, field.name).append(sql)
        else:
            setattr(request, field.name, sql)
        found.append(request)
    named: Any = method.request()
    through = "name" if hasattr(named, "name") else "parent"
    setattr(named, through, f"agencies/rumah{sql}")
    return [*found, named]


async def told(field: Field, method: Method, request: Any, token: str) -> Any:
    """Return the refusal of a call, None for a good answer."""
    kind = "unary_stream" if method.streams_out else "unary_unary"
    call = getattr(field.home.agency.channel, kind)(method.path)(
        request.SerializeToString(), metadata=bearer(token), timeout=12
    )
    try:
        await (call.read() if method.streams_out else call)
    except grpc.aio.AioRpcError as error:
        return refusal_of(error)
    finally:
        call.cancel()
    return None


async def rows(field: Field) -> set[str]:
    """Return what stands in the record of both agencies, by a connection of our own."""
    found = set()
    for agency in (field.home.agency, field.away):
        people = agency.people("siti", "wayan", "yos", "budi", "rina", "agus")
        async with field.served.stack.store.agency(agency.key(people[0]).agency) as connection:
            for person in people:
                row = await evaluations.get(connection, agency.key(person))
                found.add(f"{agency.id} {person.person} {row is not None}")
    return found


@pytest.mark.parametrize("url", INSIDE_TARGETS)
async def test_a_webhook_is_not_sent_to_what_lies_inside(field: Field, url: str) -> None:
    """The attacker has the server fetch for them what they cannot reach themselves."""
    admin = field.home.agency.person(field.somebody(), Role.AGENCY_ADMIN)
    request = subscriptions.CreateSubscriptionRequest(
        parent="agencies/rumah", request_id="ke-dalam", subscription_id="ke-dalam", url=url
    )

    with refused(Code.INVALID_ARGUMENT, "TARGET_NOT_ALLOWED") as expected:
        await admin.sends(request)
    tells_nothing_of_the_inside(expected.refusal.everything.replace(url, ""))


async def test_the_secret_of_a_webhook_is_told_once_and_to_its_maker_alone(field: Field) -> None:
    """The attacker repeats the request by which another made a webhook, to be told its secret."""
    agency = field.home.agency
    request = subscriptions.CreateSubscriptionRequest(
        parent=agency.name,
        request_id="kait",
        subscription_id="kait",
        url="https://hooks.invalid/siklus",
    )
    maker, other = (agency.person(each, Role.AGENCY_ADMIN) for each in ("tim", "tim-lain"))

    made: subscriptions.CreateSubscriptionResponse = await maker.sends(request)
    again: subscriptions.CreateSubscriptionResponse = await maker.sends(request)
    elsewhere = await outcome(other.sends(request))
    shown: subscriptions.GetSubscriptionResponse = await other.sends(
        subscriptions.GetSubscriptionRequest(name=made.subscription.name)
    )

    assert made.secret.startswith("whsec_")
    assert again.secret == ""
    assert (elsewhere.code, elsewhere.reason) == (Code.ALREADY_EXISTS, "ALREADY_EXISTS")
    assert made.secret not in str(shown)
    assert made.secret not in field.served.log.read_text()
