"""`siklus policy keys`: every key of a policy, its form, its default and its meaning."""

import re
from typing import Annotated

import typer

from siklus.services.cli.output import AsJson, Fault, print_json, print_table
from siklus.services.cli.policy_rate import Language


def keys(
    shape: Annotated[
        str | None, typer.Argument(help="One section or shape, such as RatingRule.")
    ] = None,
    page: Annotated[bool, typer.Option("--page", help="Print the whole page.")] = False,
    language: Language = "id",
    as_json: AsJson = False,
) -> None:
    """List every key that a policy may write, with its form, its default and its meaning."""
    # Imported here: the words of all keys are nothing to the other commands.
    from siklus.services import policy_keys
    from siklus.services.policy_keys import page as pages

    if page:
        typer.echo(pages.page(), nl=False)
        return
    found = [key for key in policy_keys.every_key() if shape in (None, key.shape)]
    if not found:
        known = ", ".join(dict.fromkeys(key.shape for key in policy_keys.every_key()))
        raise Fault("NO_SUCH_SECTION", f"{shape!r} is no section of a policy", f"there are {known}")
    if as_json:
        rows: list[object] = [
            {
                "shape": key.shape,
                "key": key.name,
                "form": key.form,
                "default": key.default,
                "required": key.required,
                "meaning": key.meaning.model_dump(),
            }
            for key in found
        ]
        print_json({"keys": rows})
        return
    print_table(
        ("section", "key", "form", "default", "meaning"),
        [
            (
                key.shape,
                key.name,
                _plain(key.form),
                key.default.replace("`", ""),
                key.meaning.id if language == "id" else key.meaning.en,
            )
            for key in found
        ],
    )


def _plain(form: str) -> str:
    """Return a form without the marks and links of a page."""
    return re.sub(r"\[(\w+)\]\(#\w+\)", r"\1", form.replace("\\|", "|").replace("`", ""))
