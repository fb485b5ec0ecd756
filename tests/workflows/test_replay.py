"""The replay gate: what once ran must run the same under the code of today."""

import re
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

from siklus.activities.keyring import Keyring
from siklus.services.payloads import ENCRYPTED, KEY, PayloadSealer, PayloadUnreadable
from siklus.services.temporal import data_converter
from siklus.workflows.carry import Carry, Outcome
from siklus.workflows.cycle import CycleWorkflow
from siklus.workflows.domain.model import Start
from siklus.workflows.evaluation import EvaluationWorkflow
from siklus.workflows.improvement import ImprovementPlanWorkflow
from siklus.workflows.operation import OperationWorkflow
from tests.keys import KEYS, payloads
from tests.workflows.record_histories import HISTORIES, OLDER_KEY, STORIES
from tests.workflows.sandbox import workflow_runner

FILES = sorted(HISTORIES.rglob("*.json"))
A_PLACE_OF_CODE = ".py"
NOT_OF_AN_EVALUATION = {"launch", "steered-launch", "steered-operation", "improvement-plan"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
async def test_a_recorded_history_replays(file: Path) -> None:
    replayer = Replayer(
        workflows=[
            EvaluationWorkflow,
            CycleWorkflow,
            OperationWorkflow,
            ImprovementPlanWorkflow,
        ],
        data_converter=data_converter(KEYS),
        workflow_runner=workflow_runner(),
    )

    await replayer.replay_workflow(history(file))


def test_some_recordings_are_older_than_encryption_and_some_than_a_rotation() -> None:
    keys = {
        payload.metadata.get(KEY, b"none").decode()
        for file in FILES
        for payload in payloads(history_text(file))
    }

    assert keys == {"none", OLDER_KEY}
    assert KEYS.current not in keys


async def test_without_its_key_a_recording_does_not_replay() -> None:
    (file, *_) = (file for file in FILES if "encrypted" in file.parent.name)
    replayer = Replayer(
        workflows=[EvaluationWorkflow],
        data_converter=data_converter(Keyring.generate()),
        workflow_runner=workflow_runner(),
    )

    with pytest.raises(RuntimeError, match=PayloadUnreadable.__name__):
        await replayer.replay_workflow(history(file))


def test_every_story_is_recorded() -> None:
    recorded = {file.stem.rpartition("-")[0] for file in FILES}

    assert recorded == set(STORIES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
async def test_a_recording_names_no_machine(file: Path) -> None:
    written = history_text(file)
    plain = await PayloadSealer(KEYS).decode(list(payloads(written)))
    texts = [written, *(each.data.decode(errors="replace") for each in plain)]

    assert len(texts) > 1
    assert ENCRYPTED not in {each.metadata["encoding"] for each in plain}
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


@pytest.mark.parametrize("story", sorted(set(STORIES) - NOT_OF_AN_EVALUATION))
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
    return WorkflowHistory.from_json(file.stem, history_text(file))


def history_text(file: Path) -> str:
    return file.read_text()
