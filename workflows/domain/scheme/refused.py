"""Why a rating cannot be computed: typed, with the place in the input; never a default."""

from enum import StrEnum


class RatingFault(StrEnum):
    """The kinds of fault; the names are part of the contract."""

    MISSING = "MISSING"
    UNKNOWN_KEY = "UNKNOWN_KEY"
    NOT_A_NUMBER = "NOT_A_NUMBER"
    FLOAT = "FLOAT"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    NOT_A_LEVEL = "NOT_A_LEVEL"
    NOT_A_CHOICE = "NOT_A_CHOICE"
    REPEATED = "REPEATED"
    WEIGHTS_NOT_100 = "WEIGHTS_NOT_100"
    NOT_IN_THIS_SCHEME = "NOT_IN_THIS_SCHEME"
    REASON_REQUIRED = "REASON_REQUIRED"


class RatingInvalid(ValueError):  # noqa: N818 - what it is, in the words of the field
    """An input that makes no rating: what is wrong (`fault`), where (`path`) and how to go on."""

    def __init__(self, fault: RatingFault, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.fault = fault
        self.path = path
        self.message = message
