"""The replay gate: what once ran must run the same under the code of today."""

import base64
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

from siklus.services.payloads import COMPRESSED
from siklus.services.temporal import data_converter, workflow_runner
from siklus.workflows.carry import Carry, Outcome
from siklus.workflows.cycle import CycleWorkflow
from siklus.workflows.domain.model import Start
from siklus.workflows.evaluation import EvaluationWorkflow
from tests.keys import KEYS
from tests.workflows.record_histories import HISTORIES, STORIES

FILES = sorted(HISTORIES.rglob("*.json"))
A_PLACE_OF_CODE = ".py"


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
async def test_a_recorded_history_replays(file: Path) -> None:
    replayer = Replayer(
        workflows=[EvaluationWorkflow, CycleWorkflow],
        data_converter=data_converter(KEYS),
        workflow_runner=workflow_runner(),
    )

    await replayer.replay_workflow(history(file))


def test_every_story_is_recorded() -> None:
    recorded = {file.stem.rpartition("-")[0] for file in FILES}

    assert recorded == set(STORIES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_recording_names_no_machine(file: Path) -> None:
    written = file.read_text()
    texts = [written, *(plain.decode(errors="replace") for plain in payloads(json.loads(written)))]

    assert len(texts) > 1
    assert [text[:200] for text in texts if A_PLACE_OF_CODE in text] == []
    assert set(re.findall(r'"identity":"([^"]*)"', written)) == {"recorder"}


@workflow.defn(name="EvaluationWorkflow")
class Slower(EvaluationWorkflow):
    """Waits a second before it tells the store: harmless to read, fatal to replay."""

    @workflow.init
    def __init__(self, begin: Start | Carry) -> None:
        super().__init__(begin)

    @workflow.run
    async def run(self, begin: Start | Carry) -> Outcome:
        return await super().run(begin)

    async def _project(self) -> None:
        if self.record.pending:
            await workflow.sleep(1)
        await super()._project()


@pytest.mark.parametrize("story", sorted(set(STORIES) - {"launch"}))
async def test_a_changed_workflow_is_caught(story: str) -> None:
    replayer = Replayer(
        workflows=[Slower],
        data_converter=data_converter(KEYS),
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    caught = 0

    for file in FILES:
        if file.stem.startswith(story):
            with pytest.raises(NondeterminismError):
                await replayer.replay_workflow(history(file))
            caught += 1

    assert caught > 0


def history(file: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(file.stem, file.read_text())


def payloads(value: object) -> Iterator[bytes]:
    """Yield the data of every payload in a history, inflated where it was deflated."""
    if isinstance(value, list):
        for each in value:
            yield from payloads(each)
    if isinstance(value, dict):
        if "metadata" in value and "data" in value:
            data = base64.b64decode(value["data"])
            packed = base64.b64decode(value["metadata"]["encoding"]) == COMPRESSED
            yield Payload.FromString(zlib.decompress(data)).data if packed else data
        for each in value.values():
            yield from payloads(each)
