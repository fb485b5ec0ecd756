"""The columns of a table of results, and the row that an evaluation makes."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic_core import from_json

from siklus.activities.store.queries.results import ResultRow
from siklus.services.cells import Cell
from siklus.services.rpc.names import evaluation_name_of
from siklus.services.rpc.views import withheld
from siklus.workflows.domain.identity import masked
from siklus.workflows.domain.labels import Labels, Text
from siklus.workflows.domain.stages import ENDED, Stage
from siklus.workflows.domain.values import PersonId, Predicate


def _(id: str, en: str) -> Text:
    return Text(id=id, en=en)


COLUMNS: Final[Mapping[str, Text]] = {
    "person": _("ID pegawai", "Person"),
    "name": _("Nama", "Name"),
    "nip": _("NIP", "Civil servant number"),
    "position": _("Jabatan", "Position"),
    "unit": _("Kode unit", "Unit code"),
    "unit_name": _("Unit kerja", "Unit"),
    "supervisor": _("ID pejabat penilai", "Supervisor"),
    "supervisor_name": _("Pejabat penilai kinerja", "Supervisor's name"),
    "segment": _("Segmen", "Segment"),
    "stage": _("Tahap", "Stage"),
    "ended": _("Selesai", "Ended"),
    "results": _("Rating hasil kerja", "Work results"),
    "behaviour": _("Rating perilaku kerja", "Work behaviour"),
    "score": _("Nilai", "Score"),
    "predicate": _("Kode predikat", "Predicate code"),
    "predicate_id": _("Predikat kinerja", "Predicate in Indonesian"),
    "predicate_en": _("Predikat (bahasa Inggris)", "Predicate in English"),
    "rated_at": _("Dinilai", "Rated"),
    "appeal": _("Keberatan", "Appeal"),
    "predicate_before_appeal": _("Predikat sebelum keberatan", "Predicate before the appeal"),
    "accepted_at": _("Diterima pegawai", "Accepted"),
    "approved_at": _("Disetujui", "Approved"),
    "policy": _("Kebijakan", "Policy"),
    "policy_version": _("Versi kebijakan", "Policy version"),
    "revision": _("Revisi", "Revision"),
    "evaluation": _("Nama dalam sistem", "Name in the record"),
}
"""Name → what people call it; a new one goes to the end."""


def row_of(
    found: ResultRow,
    labels: Labels,
    *,
    nip_open: bool = True,
    sees_undelivered: Callable[[PersonId], bool],
) -> list[Cell]:
    """Return the cells of one evaluation, in the order of the columns.

    The number is masked for those who need not see it, and a rating left out for whoever may not
    see it before it is delivered.
    """
    state = from_json(found.document)
    if not sees_undelivered(state["key"]["person"]):
        state["ratings"] = state["ratings"][: withheld(state).shown]
    terms = state["terms"]
    given: dict[str, Cell] = {
        "person": state["key"]["person"],
        "name": found.name,
        "nip": found.nip if nip_open or found.nip is None else masked(found.nip),
        "position": found.position,
        "unit": state["unit"],
        "unit_name": found.unit,
        "supervisor": state["participants"]["supervisor"],
        "supervisor_name": found.supervisor,
        "segment": state["key"]["segment"],
        "stage": state["stage"],
        "ended": "yes" if Stage(state["stage"]) in ENDED else "no",
        "policy": terms["policy"]["name"],
        "policy_version": terms["policy"]["version"],
        "revision": state["revision"],
        "evaluation": evaluation_name_of(**state["key"]),
        **_result(state, labels),
        **_instants(state, ZoneInfo(terms["calendar"]["zone"])),
    }
    return [given.get(column) for column in COLUMNS]


def _result(state: Mapping[str, Any], labels: Labels) -> dict[str, Cell]:
    ratings, appeal = state["ratings"], state["appeal"]
    found: dict[str, Cell] = {"appeal": _appeal(appeal)}
    if not ratings:
        return found
    standing = ratings[-1]
    predicate = Predicate(standing["combined"])
    called = labels.predicates[predicate]
    if standing["by_appeal"]:
        given = [rating for rating in ratings if not rating["by_appeal"]]
        found["predicate_before_appeal"] = given[-1]["combined"] if given else None
    return found | {
        "results": standing["results"],
        "behaviour": standing["behaviour"],
        "score": _score(standing.get("numbers")),
        "predicate": predicate.value,
        "predicate_id": called.id,
        "predicate_en": called.en,
    }


def _score(numbers: Mapping[str, Any] | None) -> Cell:
    """Return the year's score as it was written: a decimal number never passes through a float."""
    if numbers is None:
        return None
    combined = numbers.get("combined")
    return str(numbers["score"] if combined is None else combined)


def _appeal(appeal: Mapping[str, Any] | None) -> Cell:
    if appeal is None:
        return None
    if appeal["outcome"] is not None:
        return str(appeal["outcome"])
    return "WITHDRAWN" if appeal["withdrawn_at"] is not None else "FILED"


def _instants(state: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Cell]:
    ratings = state["ratings"]
    written = {
        "rated_at": ratings[-1]["rated_at"] if ratings else None,
        "accepted_at": state["accepted_at"],
        "approved_at": state["approved_at"],
    }
    return {
        name: datetime.fromisoformat(at).astimezone(zone).isoformat(timespec="seconds")
        for name, at in written.items()
        if at is not None
    }
