"""What must hold of a panel that a policy asks for."""

from collections.abc import Iterator

from siklus.workflows.domain.policy import AppealRule, DecidedBy, Panel
from siklus.workflows.domain.problems import Problem, ProblemCode


def check_panel(panel: Panel, path: str) -> Iterator[Problem]:
    """Yield what is wrong with a panel that stands at a path.

    A quorum of more than half can be reached by one decision only (our decision).
    """
    least = panel.members // 2 + 1
    if not least <= panel.quorum <= panel.members:
        message = (
            f"of {panel.members} members the quorum is from {least} (more than half, so that "
            f"two decisions never reach it both) to {panel.members}"
        )
        yield Problem(path=f"{path}.quorum", code=ProblemCode.QUORUM_OUT_OF_RANGE, message=message)


def check_appeal_panel(rule: AppealRule) -> Iterator[Problem]:
    """Yield what is wrong with the panel of an appeal, or with its lack."""
    path = "rules.appeal.panel"
    if rule.decided_by is DecidedBy.PANEL and rule.panel is None:
        message = "`decided_by: panel` needs {members: …, quorum: …}"
        yield Problem(path=path, code=ProblemCode.PANEL_REQUIRED, message=message)
    if rule.decided_by is not DecidedBy.PANEL and rule.panel is not None:
        message = f"appeals are decided by the {rule.decided_by}; write `decided_by: panel`"
        yield Problem(path=path, code=ProblemCode.PANEL_UNUSED, message=message)
    if rule.panel is not None:
        yield from check_panel(rule.panel, path)
