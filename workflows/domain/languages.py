"""In which languages a cycle speaks to its people."""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, get_args

Language = Literal["id", "en"]

LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)


def language_for(
    chosen: str, spoken: Iterable[Sequence[Language] | None], default: Language
) -> Language:
    """Return the language of what goes to one person: their own, if all that it is about speak it.

    Else the first language of the policy that does not (our decision). A policy that says nothing
    speaks both; whoever chose none is then told in the default.
    """
    own = next((language for language in LANGUAGES if language == chosen), None)
    for languages in spoken:
        if languages and own not in languages:
            return languages[0]
    return own or default
