"""The reference pages: Markdown by template from the contract, the table of reasons and limits."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from protos.publishing.contract import PACKAGE, Contract, Enumeration, Field, Message, Method
from protos.publishing.reasons import ADVICE, ANY_CALL, CARRIES, reasons_of, rule_of
from protos.publishing.rules import in_words, over_several
from siklus.activities.store import snapshots
from siklus.services.auth.tokens import MAX_TOKEN
from siklus.services.feed import attendance
from siklus.services.interceptors import chain
from siklus.services.interceptors.deadline import LIMIT_SECONDS
from siklus.services.rpc import changes, pace, paging, status, subscriptions
from siklus.v1 import annotations_pb2
from siklus.workflows.domain.commands import FORM_BYTES
from siklus.workflows.domain.pack_source import MAX_BYTES
from siklus.workflows.domain.stages import Stage

TEMPLATES: Final = Path(__file__).with_name("templates")
KIB: Final = 1024
LARGE: Final = 500
"""Characters, bytes or items from which a bound stands in the page of limits as well."""
RUNNING_STAGES: Final = 8
EVERY_COMMAND: Final = "[every command of an evaluation](EvaluationService.md#submitplan)"
"""In place of all their names, which would be a screen of them."""
SENT_AGAIN: Final = {
    "NO_SIDE_EFFECTS": "Changes nothing",
    "IDEMPOTENT": "Applies once",
    "IDEMPOTENCY_UNKNOWN": "Happens again each time",
}


@dataclass(frozen=True)
class ReasonEntry:
    """A reason as its page shows it."""

    name: str
    code: str
    carries: str
    facts: str
    meaning: str
    do: str
    methods: str


def pages(contract: Contract) -> dict[str, str]:
    """Return every page by its file name."""
    write = _Writer(contract).write
    of_services = {
        f"{service.name}.md": write(
            "service", service=service, request_only=_request_only(contract)
        )
        for service in contract.services
    }
    return of_services | {
        "README.md": write("README", **_index(contract)),
        "types.md": write("types", **_types(contract)),
        "reasons.md": write("reasons", reasons=list(_reasons(contract))),
        "limits.md": write("limits", large=list(_large(contract)), paced=_paced(contract)),
    }


class _Writer:
    """Fills templates; the filters are the words of the pages."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,  # noqa: S701 - Markdown of our own texts
        )
        filters: Mapping[str, Callable[..., str | Iterator[str]]] = {
            "short": short,
            "in_words": in_words,
            "over_several": over_several,
            "first_sentence": first_sentence,
            "type_link": self._type_link,
            "sent_again": lambda method: SENT_AGAIN[method.idempotency],
            "consistency": consistency,
            "people": people,
            "programs": programs,
            "stages": stages,
            "pace": paced_at,
            "own_reasons": self._own_reasons,
        }
        self._environment.filters.update(filters)
        self._environment.globals.update(contract=contract, **_figures())

    def write(self, template: str, **given: Any) -> str:
        """Return a page, with single empty lines and one newline at the end."""
        page = self._environment.get_template(f"{template}.md.j2").render(given)
        # No row of a table may stand apart from the others.
        page = re.sub(r"(?<=\|)\n{2,}(?=\|)", "\n", page)
        return re.sub(r"\n{3,}", "\n\n", page).strip() + "\n"

    def _type_link(self, field: Field) -> str:
        name = field.type
        if field.refers_to in self._contract.enums or (
            field.refers_to in self._contract.messages
            and field.refers_to not in _request_only(self._contract)
        ):
            name = f"[{name}](types.md#{name.lower()})"
        return f"list of {name}" if field.repeated else name

    def _own_reasons(self, method: Method) -> str:
        own = [each for each in reasons_of(self._contract, method) if each not in ANY_CALL]
        return "nothing beside what any call may" if not own else linked(own)


def short(name: str) -> str:
    """Return a message's name without the package and what it stands in."""
    return name.removeprefix(f"{PACKAGE}.").rpartition(".")[2]


def first_sentence(comment: str) -> str:
    """Return the first sentence of a comment."""
    return re.split(r"(?<=[.;]) ", comment.replace("\n", " "), maxsplit=1)[0].replace(";", ".")


def linked(reasons: list[str]) -> str:
    """Return reasons as links to their page."""
    return ", ".join(f"[{each}](reasons.md#{each.lower()})" for each in reasons)


def consistency(method: Method) -> str:
    """Return how new an answer is."""
    name = annotations_pb2.Consistency.Name(method.call.consistency)
    word = name.removeprefix("CONSISTENCY_").lower()
    return "decision" if word == "unspecified" else word


def people(method: Method) -> str:
    """Return who of the agency's people may call a method."""
    if method.call.open:
        return "anybody, without a token"
    names = [
        "`" + annotations_pb2.CallerRole.Name(role).removeprefix("CALLER_ROLE_").lower() + "`"
        for role in method.call.roles
    ]
    if method.call.participants:
        names.append("the person asked about" if "people" in method.http else "participants")
    return " or ".join(names)


def programs(method: Method) -> str:
    """Return what a program needs to call a method."""
    if method.call.open:
        return "any, without a token"
    return f"scope `{method.call.scope}`" if method.call.scope else "none: a person decides"


def stages(method: Method) -> str:
    """Return in which stages a command is possible; empty for what is none."""
    rule = rule_of(method)
    if rule is None:
        return ""
    if len(rule.stages) > RUNNING_STAGES:
        return "every stage until it ends"
    return ", ".join(f"`{stage}`" for stage in Stage if stage in rule.stages)


def paced_at(method: Method) -> str:
    """Return how often one caller may call a method."""
    own = method.call.per_second
    return f"{own} a second for each caller" if own else "[the general ones](limits.md#calls)"


def _figures() -> dict[str, object]:
    return {
        "message_mib": chain.MESSAGE_BYTES // KIB // KIB,
        "answer_mib": 4 * chain.MESSAGE_BYTES // KIB // KIB,
        "form_kib": FORM_BYTES // KIB,
        "policy_kib": MAX_BYTES // KIB,
        "metadata_kib": chain.METADATA_BYTES // KIB,
        "watches": attendance.USUAL,
        "exports": snapshots,
        "subscriptions": subscriptions.MOST,
        "token_kib": MAX_TOKEN // KIB,
        "page_usual": paging.USUAL,
        "page_most": paging.MOST,
        "most_fields": status.MOST_FIELDS,
        "longest_text": status.LONGEST_TEXT,
        "per_second": f"{pace.PER_SECOND:g}",
        "burst": pace.BURST,
        "deadline": f"{LIMIT_SECONDS:g}",
        "age_minutes": chain.CONNECTION_AGE_SECONDS // 60,
        "grace_minutes": chain.CONNECTION_GRACE_SECONDS // 60,
        "ping_seconds": chain.CLIENT_PING_SECONDS,
    }


def _index(contract: Contract) -> dict[str, object]:
    scopes: dict[str, list[str]] = {}
    for method in contract.methods.values():
        scopes.setdefault(method.call.scope, []).append(method.name)
    scopes.pop("", None)
    freshness = contract.enums[f"{PACKAGE}.Consistency"].values
    words = {"UNSPECIFIED": "decision"}
    return {
        "services": contract.services,
        "consistencies": [(words.get(v.name, v.name.lower()), v.comment) for v in freshness],
        "scopes": [(scope, ", ".join(methods)) for scope, methods in sorted(scopes.items())],
        "any_call": linked(list(ANY_CALL)),
    }


def _types(contract: Contract) -> dict[str, object]:
    shown = _request_only(contract) | {m.request for m in contract.methods.values()}
    shown |= {m.answer for m in contract.methods.values()} | {f"{PACKAGE}.CallRules"}
    messages: list[Message] = [m for m in contract.messages.values() if m.name not in shown]
    left_out = {f"{PACKAGE}.{name}" for name in ("Reason", "Consistency", "CallerRole")}
    enums: list[Enumeration] = [e for e in contract.enums.values() if e.name not in left_out]
    return {
        "messages": sorted(messages, key=lambda each: short(each.name)),
        "enums": sorted(enums, key=lambda each: each.name),
        "kinds": ", ".join(f"`{kind}`" for kind in changes.KINDS),
    }


def _request_only(contract: Contract) -> set[str]:
    """Return messages inside requests that no answer holds: they stand with their method."""
    inside, outside = set[str](), set[str]()
    for method in contract.methods.values():
        inside |= {each.name for each in contract.inside(method.request)} - {method.request}
        outside |= {each.name for each in contract.inside(method.answer)}
    return inside - outside


def _reasons(contract: Contract) -> Iterator[ReasonEntry]:
    comments = {v.name: v.comment for v in contract.enums[f"{PACKAGE}.Reason"].values}
    commands = [method for method in contract.methods.values() if rule_of(method)]
    for reason, answer in status.ANSWERS.items():
        name = reason.value
        advice = ADVICE[name]
        _, _, meaning = comments[name].partition(": ")
        methods = [m for m in contract.methods.values() if name in reasons_of(contract, m)]
        yield ReasonEntry(
            name=name,
            code=answer.code.name,
            carries=CARRIES[answer.detail],
            facts=advice.facts,
            meaning=meaning[:1].upper() + meaning[1:],
            do=advice.do,
            methods="any call" if name in ANY_CALL else _methods(methods, commands),
        )


def _methods(methods: list[Method], commands: list[Method]) -> str:
    every = all(each in methods for each in commands)
    links = [_link(each) for each in methods if not every or each not in commands]
    return ", ".join(links + [EVERY_COMMAND] * every) or "no method yet"


def _link(method: Method) -> str:
    return f"[{method.name}]({method.service}.md#{method.name.lower()})"


def _large(contract: Contract) -> Iterator[tuple[str, Field]]:
    requests = {m.name for each in contract.methods.values() for m in contract.inside(each.request)}
    for message in contract.messages.values():
        for field in message.fields:
            rules = field.rules
            most = max(rules.repeated.max_items, rules.string.max_len, rules.string.max_bytes)
            if most == FORM_BYTES or field.name.endswith("_token"):
                continue
            if message.name in requests and (most >= LARGE or rules.repeated.max_items):
                yield message.name, field


def _paced(contract: Contract) -> list[Method]:
    paced = [each for each in contract.methods.values() if each.call.per_second]
    return sorted(paced, key=lambda each: (each.call.per_second, each.name))
