"""How we speak to Temporal: the client, how payloads and failures are written, the sandbox."""

from temporalio.client import Client
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from siklus.activities.keyring import Keys
from siklus.services.payloads import PayloadConverter, PayloadSealer
from siklus.services.settings import Settings


def data_converter(keys: Keys) -> DataConverter:
    """Return the converter that clients, workers and replays must share.

    Messages and stack traces of failures are encrypted like everything else; their types are not.
    """
    return DataConverter(
        payload_converter_class=PayloadConverter,
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
        payload_codec=PayloadSealer(keys),
    )


def workflow_runner() -> SandboxedWorkflowRunner:
    """Return the sandbox; our own pure modules pass through it, which makes it cheap."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules("siklus", "pydantic")
    return SandboxedWorkflowRunner(restrictions=restrictions)


async def connect(settings: Settings, keys: Keys, *, lazy: bool = False) -> Client:
    """Connect to Temporal; a lazy client is returned at once and connects with its first call.

    Raises RuntimeError or temporalio.service.RPCError when nobody answers.
    """
    return await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        data_converter=data_converter(keys),
        lazy=lazy,
    )
