"""Ids as they are typed: what would lead into another resource's name is refused in words."""

import pytest

from siklus.services.cli.ids import given_id
from siklus.services.cli.output import Fault


def test_an_id_goes_into_a_name_as_it_is() -> None:
    assert given_id("person", "p-0005", "roster list") == "p-0005"


@pytest.mark.parametrize("given", ["", "a/b", "../people/p-0001"])
def test_what_can_be_no_id_names_the_command_that_shows_them(given: str) -> None:
    with pytest.raises(Fault) as refused:
        given_id("person", given, "roster list")

    assert (refused.value.code, refused.value.hint) == (
        "BAD_ID",
        "`siklus roster list` shows them",
    )
