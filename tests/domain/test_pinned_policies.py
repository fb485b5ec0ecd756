"""A policy that an evaluation was started under is known by its digest, for the whole year."""

import pytest

from siklus.workflows.domain import packs
from siklus.workflows.domain.decide.opening import digest_of
from siklus.workflows.domain.policy import Policy
from siklus.workflows.packs import shipped_pack
from tests.domain.story import make_policy

IN_0_2_0 = "1953aab34305204c1ed4800a42f5e11e095f1d4ab97dbec6641ff1e0c8877800"
"""The digest of the national pack as release 0.2.0 computed it."""


def test_keys_of_later_releases_leave_the_digest_of_an_older_policy_alone() -> None:
    national = packs.compile(shipped_pack("permenpan-6-2022"))
    # What the pack says by keys that came later, its newer versions alone have.
    national = national.model_copy(update={"outcomes": ()})

    assert digest_of(national) == IN_0_2_0


@pytest.mark.parametrize(
    "said",
    [
        {"second_person": ["cancel"]},
        {"calibration": {}},
        {"deadlines": {"notice": {"days": 3}}},
        {"feedback": {"citizens": {"min_answers": 3}}},
        {"outcomes": [{"code": "reward", "kind": "reward", "when": {"predicates": ["BAIK"]}}]},
    ],
)
def test_what_a_policy_says_by_a_later_key_is_part_of_it(said: dict[str, object]) -> None:
    policy = make_policy(**said)

    assert digest_of(policy) != digest_of(make_policy())
    assert Policy.model_validate_json(policy.model_dump_json()) == policy
