"""The example that integrators copy from the README takes what is sent, and nothing else."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import WebhookVerificationError

from siklus.activities.webhooks.envelope import ping
from siklus.activities.webhooks.signing import new_secret, signed
from siklus.services.clock import Clock
from siklus.workflows.domain.values import AgencyId

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_it_verifies_and_reads_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    found = re.search(r"^## Webhooks\n.*?```python\n(.*?)```", README, re.M | re.S)
    assert found is not None
    example: dict[str, Any] = {}
    exec(found[1], example)
    secret, now = new_secret(), Clock().now()
    message, body = ping(AgencyId("contoh"), "esb", now)
    event = json.loads(body) | {"data": {"name": "evaluation", "seq": 3}}
    body = json.dumps(event)
    headers = signed([new_secret(), secret], message, now, body)

    example["take"](body.encode(), headers, secret)

    assert capsys.readouterr().out == f"{message} siklus.ping evaluation 3\n"
    with pytest.raises(WebhookVerificationError):
        example["take"](body.replace("3", "4").encode(), headers, secret)
