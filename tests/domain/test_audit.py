"""The canonical form, the chain and the digest of free text."""

import hashlib
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siklus.workflows.domain.audit import GENESIS, canonical, chain, prose_digest
from siklus.workflows.domain.values import Level

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(codec="utf-8"))
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=6), JSON, max_size=6)


def test_the_canonical_form_is_this_and_no_other() -> None:
    wita = timezone(timedelta(hours=8))
    value = {
        "b": Decimal("18.750"),
        "a": datetime(2026, 1, 30, 9, 0, tzinfo=wita),
        "on": date(2026, 1, 30),
        "level": Level.AT,
        "names": ("Siti", "Ñ"),
        "none": None,
    }

    assert canonical(value).decode() == (
        '{"v":1,"value":{"a":"2026-01-30T01:00:00.000000Z","b":"18.750","level":"AT",'
        '"names":["Siti","Ñ"],"none":null,"on":"2026-01-30"}}'
    )


def test_one_instant_has_one_form_in_every_zone() -> None:
    utc = datetime(2026, 1, 30, 1, 0, 0, 5, tzinfo=UTC)
    wib = utc.astimezone(timezone(timedelta(hours=7)))

    assert canonical({"at": utc}) == canonical({"at": wib})


@pytest.mark.parametrize(
    "value",
    [1.5, datetime(2026, 1, 1), Decimal("NaN"), {1: 2}, b"x", {"x"}, object()],  # noqa: DTZ001
)
def test_what_has_no_single_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical({"value": value})


@given(OBJECTS)
def test_the_order_of_keys_changes_nothing(value: dict[str, object]) -> None:
    turned = dict(reversed(list(value.items())))

    assert canonical(value) == canonical(turned)
    assert json.loads(canonical(value))["v"] == 1


def test_a_link_is_the_digest_of_the_previous_link_and_the_bytes() -> None:
    form = canonical({"a": 1})

    first = chain(GENESIS, form)

    assert first == hashlib.sha256(b"0" * 64 + form).hexdigest()
    assert chain(first, form) != first


@pytest.mark.parametrize("previous", ["", "0" * 63, "0" * 65, "G" * 64, "A" * 64, "0" * 64 + "\n"])
def test_a_chain_begins_nowhere_but_at_genesis(previous: str) -> None:
    with pytest.raises(ValueError, match="previous link"):
        chain(previous, b"{}")


@given(st.lists(OBJECTS, min_size=2, max_size=6, unique_by=canonical), st.data())
def test_a_changed_moved_or_missing_event_breaks_every_later_link(
    events: list[dict[str, object]], data: st.DataObject
) -> None:
    def links(these: list[dict[str, object]]) -> list[str]:
        made = [GENESIS]
        for event in these:
            made.append(chain(made[-1], canonical(event)))
        return made

    at = data.draw(st.integers(0, len(events) - 2))
    swapped = [*events[:at], events[at + 1], events[at], *events[at + 2 :]]

    assert links(events) == links(events)
    assert links(swapped)[-1] != links(events)[-1]
    assert links(events[:at] + events[at + 1 :])[-1] != links(events)[-1]


@given(st.text("ab", min_size=1), st.dictionaries(st.text("abc"), st.text("abc")))
def test_a_text_digest_depends_on_salt_and_every_field(salt: str, fields: dict[str, str]) -> None:
    digest = prose_digest(salt, fields)

    assert digest == prose_digest(salt, dict(reversed(list(fields.items()))))
    assert digest != prose_digest(f"{salt}x", fields)
    assert digest != prose_digest(salt, {**fields, "more": ""})


def test_a_text_digest_needs_a_salt() -> None:
    with pytest.raises(ValueError, match="salt"):
        prose_digest("", {"reason": "x"})
