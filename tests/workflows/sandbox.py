"""The sandbox in which workflows run here, and nowhere else."""

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions


def workflow_runner() -> SandboxedWorkflowRunner:
    """Return the sandbox; our own pure modules pass through it, which makes it cheap."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules("siklus", "pydantic")
    return SandboxedWorkflowRunner(restrictions=restrictions)
