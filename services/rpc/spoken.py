"""Answers in the languages of a policy: what is not spoken says the same as what is."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from google.protobuf.message import Message

from siklus.v1.values_pb2 import LocalizedText
from siklus.workflows.domain.languages import LANGUAGES, Language

Answer = TypeVar("Answer", bound=Message)


def spoken(answer: Answer, languages: Sequence[Language] | None) -> Answer:
    """Return an answer whose texts are in the policy's languages alone; None are all of them.

    The first language stands in place of one that is not spoken, so a client that shows either
    shows what the agency speaks.
    """
    if languages is None:
        return answer
    for language in (each for each in LANGUAGES if each not in languages):
        for text in _texts(answer):
            setattr(text, language, getattr(text, languages[0]))
    return answer


def _texts(message: Message) -> Iterator[LocalizedText]:
    if isinstance(message, LocalizedText):
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        parts = [value] if isinstance(value, Message) else value
        for part in parts:
            yield from _texts(part)
