"""What the demo changes in a pack still leaves a policy, whatever became of the pack meanwhile."""

import pytest

from siklus.services.demo.policies import BY_NUMBERS, QUADRANT, DemoPolicy
from siklus.workflows.domain.packs import load


@pytest.mark.parametrize("policy", [QUADRANT, BY_NUMBERS])
def test_a_policy_of_the_demo_can_be_published(policy: DemoPolicy) -> None:
    assert load(policy.source()).name == policy.name
