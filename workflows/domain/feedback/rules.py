"""What a policy says of feedback by citizens and by colleagues."""

from typing import Annotated, ClassVar, Final, Self

from pydantic import Field, field_validator, model_validator

from siklus.workflows.domain.values import Grown, Value

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


class ContactWindow(Value):
    """The last so many days of the year, or up to today while it runs; both ends are counted."""

    days: Annotated[int, Field(ge=1, le=366)]


class CitizenRule(Value):
    """From when on what citizens said is evidence; saying nothing shows all of the year."""

    bound_to_contact: bool = True
    min_answers: Annotated[int, Field(ge=0, le=100)] = 0
    window: ContactWindow | None = None

    @field_validator("bound_to_contact")
    @classmethod
    def _bound(cls, bound: bool) -> bool:
        if not bound:
            raise ValueError(
                "tickets are issued for service contacts alone: without one, nobody could tell"
                " many citizens from one who answers many times"
            )
        return bound


class FeedbackRule(Grown):
    """Who is heard, and from when on it is evidence; citizens' tickets need no rule."""

    added: ClassVar[frozenset[str]] = frozenset({"citizens"})

    colleagues: ColleagueRule = ColleagueRule()
    citizens: CitizenRule = CitizenRule()
