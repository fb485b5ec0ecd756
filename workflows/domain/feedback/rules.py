"""What a policy says of feedback by colleagues."""

from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from siklus.workflows.domain.values import Value

FEWEST_ANONYMOUS: Final = 3
"""Among fewer, each would know what the others said."""
Answers = Annotated[int, Field(ge=0, le=50)]


class ColleagueRule(Value):
    """Whom the policy has asked, and how many answers there must be before any is shown.

    0 does not ask that group.
    """

    peers: Answers = 0
    subordinates: Answers = 0
    anonymous: bool = True
    window_days: Annotated[int, Field(ge=1, le=60)] = 14

    @model_validator(mode="after")
    def _anonymous_among_enough(self) -> Self:
        asked = [each for each in (self.peers, self.subordinates) if each]
        if self.anonymous and any(each < FEWEST_ANONYMOUS for each in asked):
            raise ValueError(f"anonymous answers need a group of at least {FEWEST_ANONYMOUS}")
        return self


class FeedbackRule(Value):
    """Who is heard besides citizens, whose tickets need no rule."""

    colleagues: ColleagueRule = ColleagueRule()
