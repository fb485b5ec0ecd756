"""Whatever is altered in an audit file is found, and the first altered record is named."""

import json
import os
from hashlib import sha256
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siklus.services.auth.checkpoints import CheckpointKeys
from siklus.workflows.domain import audit
from siklus.workflows.domain.audit_check import NotAnAuditFile, Report
from siklus.workflows.domain.audit_file import ChainedEvent, RecordKind, written
from tests.audit.papers import CHAINS, KEYS, Chain, checked, fields_of, line_of, paper, places

MANY: Final = 20 if os.environ.get("SIKLUS_PROVE") else 1
LINES = paper()
EVENTS = places(LINES, RecordKind.EVENT)
FIELDS = [
    (at, name) for at, line in enumerate(LINES) for name in fields_of(line) if name != "record"
]
SEALED = [
    (at, name)
    for at, name in FIELDS
    if "digest" in fields_of(LINES[at]) and at and name not in {"digest", "record"}
]
OTHERS = st.none() | st.booleans() | st.integers() | st.text(max_size=70) | st.lists(st.integers())


def found(lines: list[bytes]) -> Report | None:
    """Return the report, which must not say that all is well; None for what is no such file."""
    try:
        report = checked(lines)
    except NotAnAuditFile:
        return None
    assert not report.intact
    return report


def test_what_nobody_altered_is_intact_and_counted() -> None:
    for keys in (KEYS, None):
        report = checked(LINES, keys)

        assert (report.problems, report.intact) == ([], True)
        assert report.counted == {
            "evaluations": 3,
            "events": sum(len(chain.events) for chain in CHAINS),
            "superseded": 3,
            "erasures": 3,
            "mandates": 3,
        }
        assert report.stages == {"PLAN_REVIEW": 3}
    assert checked(paper(())).intact


def of_the_first_version() -> list[bytes]:
    """Return the same file as it was written before mandates stood in it."""
    header = {**fields_of(LINES[0]), "version": 1}
    del header["mandates"]
    kept = [line for line in LINES[1:-1] if fields_of(line)["record"] != RecordKind.MANDATE]
    lines = [line_of(header), *kept]
    told = header.keys() - {"record", "digest", "policies", "calendars"}
    sums = {"root": checked(LINES).root, "sha256": sha256(b"".join(lines)).hexdigest()}
    claims = written({**{name: header[name] for name in told}, **sums})
    return [*lines, line_of({"record": "checkpoint", "jws": KEYS.sign(claims)})]


def test_files_of_the_first_version_are_checked_as_before() -> None:
    old = of_the_first_version()

    assert checked(old).intact
    mandate = LINES[-2]
    assert not checked([*old[:-1], mandate, old[-1]]).intact
    header = {**fields_of(LINES[0]), "version": 1}
    with pytest.raises(NotAnAuditFile):
        checked([line_of(header), *old[1:]])


def altered(value: Any, other: Any) -> Any:
    """Return another value, of the same type where that is possible."""
    if isinstance(value, str) and isinstance(other, int):
        at = other % (len(value) + 1)
        return value[:at] + ("0" if value[at : at + 1] != "0" else "1") + value[at + 1 :]
    return value + 1 if value == other and isinstance(value, int) else [value, other]


@settings(max_examples=100 * MANY, deadline=None)
@given(st.sampled_from(FIELDS), OTHERS)
def test_any_field_of_any_record(place: tuple[int, str], other: Any) -> None:
    at, name = place
    fields = fields_of(LINES[at])
    replaced = other if type(other) is type(fields[name]) else altered(fields[name], other)
    if replaced == fields[name]:
        replaced = altered(fields[name], 3)

    report = found([*LINES[:at], written({**fields, name: replaced}) + b"\n", *LINES[at + 1 :]])

    if report is not None:
        first = report.problems[0]
        assert first.line == at + 1
        if fields["record"] == RecordKind.EVENT and name in {"body", "hash"}:
            assert (first.evaluation, first.seq) == (fields["evaluation"], fields["seq"])
            assert report.problem_count == 1 or type(replaced) is not str
    else:
        assert at == 0


@settings(max_examples=60 * MANY, deadline=None)
@given(st.data())
def test_any_fact_of_any_event(data: st.DataObject) -> None:
    at = data.draw(st.sampled_from(EVENTS))
    fields = fields_of(LINES[at])
    form = json.loads(fields["body"])
    entry = form["value"]
    name = data.draw(st.sampled_from(sorted(entry)))
    if name == "event":
        entry = entry["event"]
        name = data.draw(st.sampled_from(sorted(entry)))
    entry[name] = altered(entry[name], 1)

    report = found(
        [*LINES[:at], line_of({**fields, "body": written(form).decode()}), *LINES[at + 1 :]]
    )

    assert report is not None
    first = report.problems[0]
    assert (first.line, first.evaluation, first.seq) == (
        at + 1,
        fields["evaluation"],
        fields["seq"],
    )


@settings(max_examples=40 * MANY, deadline=None)
@given(st.sampled_from(SEALED), OTHERS)
def test_a_field_with_a_new_digest_of_its_record(place: tuple[int, str], other: Any) -> None:
    at, name = place
    fields = fields_of(LINES[at])
    replaced = other if type(other) is type(fields[name]) else altered(fields[name], other)
    if replaced != fields[name]:
        try:
            line = line_of({**fields, name: replaced})
        except UnicodeEncodeError:
            return
        assert found([*LINES[:at], line, *LINES[at + 1 :]]) is not None


@pytest.mark.parametrize("count", ["evaluations", "events", "superseded", "erasures", "mandates"])
def test_a_header_that_counts_otherwise_with_its_digest(count: str) -> None:
    header = fields_of(LINES[0])

    report = found([line_of({**header, count: header[count] + 1}), *LINES[1:]])

    assert report is not None
    assert count in report.problems[0].what


@pytest.mark.parametrize("at", range(len(LINES)))
def test_any_line_dropped_doubled_or_moved(at: int) -> None:
    dropped = [*LINES[:at], *LINES[at + 1 :]]
    doubled = [*LINES[: at + 1], *LINES[at:]]
    after = (at + 1) % len(LINES)
    moved = [*dropped[:after], LINES[at], *dropped[after:]]

    for lines in (dropped, doubled, moved):
        report = found(lines)
        if report is None:
            assert at in {0, len(LINES) - 1}
        elif at < len(LINES) - 1:
            assert report.problems[0].line in {at + 1, at + 2}


def test_the_first_missing_event_is_named_wherever_it_stood() -> None:
    siti = [at for at in EVENTS if fields_of(LINES[at])["evaluation"] == "siti.1"]

    for at in siti:
        report = found([*LINES[:at], *LINES[at + 1 :]])

        assert report is not None
        seq = fields_of(LINES[at])["seq"]
        (problem,) = report.problems
        assert problem.evaluation == "siti.1"
        assert f"event {seq} is missing" in problem.what


def test_a_whole_evaluation_missing_or_twice() -> None:
    start, end = (at for at in places(LINES, RecordKind.EVALUATION)[1:3])
    block = LINES[start:end]

    missing = found([*LINES[:start], *LINES[end:]])
    twice = found([*LINES[:end], *block, *LINES[end:]])

    assert missing is not None
    assert missing.problems[0].evaluation == "wayan.1"
    assert "number 2 is missing" in missing.problems[0].what
    assert twice is not None
    assert (twice.problems[0].evaluation, twice.problems[0].line) == ("siti.1", end + 1)


def test_events_swapped_between_evaluations() -> None:
    for one, other in zip(EVENTS, EVENTS[5:], strict=False):
        lines = [*LINES]
        lines[one], lines[other] = lines[other], lines[one]

        report = found(lines)

        assert report is not None
        assert report.problems[0].line == one + 1


def rechained(chain: Chain, at: int) -> Chain:
    """Return the chain with another actor in one event, and every later link made to fit."""
    events = list(chain.events)
    for place in range(at, len(events)):
        body = events[place].body
        if place == at:
            form = json.loads(body)
            form["value"]["actor"] = "rina"
            body = written(form).decode()
        previous = events[place - 1].hash if place else audit.GENESIS
        link = audit.chain(previous, body.encode())
        events[place] = ChainedEvent(events[place].number, body, link)
    return chain._replace(events=events)


@pytest.mark.parametrize("at", range(len(CHAINS[1].events)))
def test_a_consistent_forgery_breaks_the_signature(at: int) -> None:
    forged = paper((CHAINS[0], rechained(CHAINS[1], at), CHAINS[2]), CheckpointKeys.generate())

    kept = found([*forged[:-1], LINES[-1]])
    signed_anew = found(forged)

    assert kept is not None
    assert "root, sha256 differ" in kept.problems[0].what
    assert signed_anew is not None
    assert "not among yours" in signed_anew.problems[0].what
    # Without a key from elsewhere nobody can tell, and the command says so.
    assert checked(forged, None).intact


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"number": 7}, "its content is that of event 7"),
        ({"event": {"kind": "evaluation_opened"}}, "an evaluation is opened by its first event"),
        ({"event": 3}, "its content is no event"),
    ],
)
def test_a_consistent_chain_that_holds_what_cannot_be(change: dict[str, Any], told: str) -> None:
    chain = CHAINS[1]
    form = json.loads(chain.events[2].body)
    body = written({**form, "value": {**form["value"], **change}}).decode()
    link = audit.chain(chain.events[1].hash, body.encode())
    events = [*chain.events[:2], ChainedEvent(3, body, link)]

    report = found(paper((CHAINS[0], chain._replace(events=events), CHAINS[2])))

    assert report is not None
    assert (report.problems[0].evaluation, report.problems[0].seq) == ("siti.1", 3)
    assert report.problems[0].what.startswith(told)


def test_evaluations_in_another_order_and_one_that_is_there_twice_under_new_numbers() -> None:
    for chains in ((CHAINS[1], CHAINS[0]), (CHAINS[0], CHAINS[0])):
        report = found(paper(chains))

        assert report is not None
        assert report.problems[0].evaluation == f"{chains[1].person}.1"
        assert "twice or out of its order" in report.problems[0].what


def test_an_evaluation_opened_for_somebody_else_or_under_other_rules() -> None:
    moved = found(paper((CHAINS[0], CHAINS[1]._replace(person="rina"))))
    header = fields_of(LINES[0])
    policies = [{**header["policies"][0], "version": 9}]
    ruled = found([line_of({**header, "policies": policies}), *LINES[1:]])

    assert moved is not None
    assert moved.problems[0].what == "it opens the evaluation of another person"
    assert ruled is not None
    assert "a policy or a calendar" in ruled.problems[0].what


@settings(max_examples=40 * MANY, deadline=None)
@given(st.integers(1, len(b"".join(LINES)) - 1))
def test_cut_off_anywhere(at: int) -> None:
    found([b"".join(LINES)[:at]])


def test_a_last_line_without_its_end_is_told_as_cut_off() -> None:
    report = found([*LINES[:-1], LINES[-1].rstrip(b"\n")])

    assert report is not None
    assert report.problems[0].what == "the line is cut off"


@settings(max_examples=60 * MANY, deadline=None)
@given(st.integers(0, len(b"".join(LINES)) - 1), st.integers(1, 255))
def test_any_byte_changed(at: int, by: int) -> None:
    raw = bytearray(b"".join(LINES))
    raw[at] ^= by

    found([bytes(raw)])


@pytest.mark.parametrize("at", [0, 1, 2, len(LINES) - 1])
def test_the_same_json_written_otherwise(at: int) -> None:
    fields = fields_of(LINES[at])
    turned = dict(reversed(list(fields.items())))
    same = [
        json.dumps(fields, sort_keys=True),
        json.dumps(turned, separators=(",", ":"), ensure_ascii=False),
        LINES[at].decode().rstrip("\n") + "\r",
        LINES[at].decode().replace("record", "\\u0072ecord").rstrip("\n"),
        LINES[at].decode().replace("{", '{"record":"event",', 1).rstrip("\n"),
    ]

    for text in same:
        report = found([*LINES[:at], f"{text}\n".encode(), *LINES[at + 1 :]])
        assert report is not None
        assert report.problems[0].line == at + 1


@pytest.mark.parametrize(
    "line",
    [b"\n", b"null\n", b'{"record":[]}\n', b"[" * 100_000 + b"\n", b"\xff\n", b'{"record":NaN}\n'],
)
def test_what_is_no_record_is_named(line: bytes) -> None:
    for at in (1, 5, len(LINES)):
        report = found([*LINES[:at], line, *LINES[at:]])
        assert report is not None
        assert report.problems[0].line == at + 1
    assert found([line, *LINES]) is None


def test_half_a_character_is_named_and_breaks_nothing() -> None:
    at = EVENTS[3]
    line = LINES[at].decode().replace('"body":"', '"body":"\\ud800').encode()

    report = found([*LINES[:at], line, *LINES[at + 1 :]])

    assert report is not None
    assert (report.problems[0].line, report.problem_count) == (at + 1, 1)


def test_a_checkpoint_that_is_missing_is_told_as_unsigned() -> None:
    report = checked(LINES[:-1])

    assert (report.problems, report.has_checkpoint, report.intact) == ([], False, False)


def test_every_character_of_the_signature_counts() -> None:
    jws = fields_of(LINES[-1])["jws"]
    for at in range(0, len(jws), 23):
        for other in ("A" if jws[at] != "A" else "B", ""):
            forged = jws[:at] + other + jws[at + 1 :]
            assert found([*LINES[:-1], line_of({"record": "checkpoint", "jws": forged})])
    last = {c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefgh-_"} - {jws[-1]}
    for other in last:
        assert found([*LINES[:-1], line_of({"record": "checkpoint", "jws": jws[:-1] + other})])
