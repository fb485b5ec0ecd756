"""Notes between an employee and their supervisor."""

import secrets
from typing import Final

from siklus.activities.feedback_texts import keep_text, read_texts
from siklus.activities.store.pool import Store
from siklus.activities.store.queries import notes as queries
from siklus.activities.store.queries.notes import NoteRow
from siklus.activities.vault import Vault
from siklus.services.clock import Clock
from siklus.services.interceptors.layer import Context
from siklus.services.rpc.gate import admit, admit_person
from siklus.services.rpc.names import evaluation_key
from siklus.services.rpc.once import Request
from siklus.services.rpc.paging import Page, instant_or_never, text
from siklus.services.rpc.reading import read
from siklus.services.rpc.views import code, to_timestamp
from siklus.v1 import feedback_notes_pb2 as pb
from siklus.workflows.domain.errors import invalid
from siklus.workflows.domain.feedback.contacts import comment_of
from siklus.workflows.domain.feedback.notes import NoteKind, other_of

FIRST: Final = ("infinity", "")


class NoteMethods:
    """The methods of FeedbackService that speak of notes."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock

    async def AddNote(  # noqa: N802
        self, request: pb.AddNoteRequest, context: Context
    ) -> pb.AddNoteResponse:
        """Write a note, which nobody changes."""
        caller, by = admit_person("AddNote")
        key = evaluation_key(request.name)
        evaluation = await read(self._store, caller, key, self._clock)
        other = other_of(by, key.person, evaluation.supervisor)
        said = comment_of(request.text)
        if not said:
            raise invalid("text", "write something")

        async def write() -> pb.AddNoteResponse:
            digest = await keep_text(self._vault, connection, key.agency, key.person, said)
            row = NoteRow(
                note=f"n-{secrets.token_hex(10)}",
                kind=NoteKind(pb.NoteKind.Name(request.kind).removeprefix("NOTE_KIND_")),
                author=by,
                other=other,
                team=request.team,
                text=digest,
                written_at=self._clock.now(),
            )
            await queries.add(connection, key, row)
            # The answer that is kept for the request sent again holds no text.
            return pb.AddNoteResponse(note=_shown(row, ""))

        async with self._store.agency(key.agency) as connection:
            once = Request(caller, request, self._clock)
            kept = await once.once(connection, pb.AddNoteResponse, write)
        kept.note.text = said
        return kept

    async def ListNotes(  # noqa: N802
        self, request: pb.ListNotesRequest, context: Context
    ) -> pb.ListNotesResponse:
        """List what the caller wrote or was written to."""
        caller = admit("ListNotes")
        key = evaluation_key(request.name)
        page = Page.asked(request, caller, (instant_or_never, text))
        await read(self._store, caller, key, self._clock)
        before = (str(page.after[0]), str(page.after[1])) if page.after else FIRST
        async with self._store.agency(key.agency) as connection:
            found = await queries.page(
                connection,
                key,
                reader=caller.person,
                office=caller.sees_all,
                before=before,
                limit=page.limit,
            )
            rows, token = page.cut(found, lambda row: (row.written_at.isoformat(), row.note))
            texts = await read_texts(
                self._vault, connection, key.agency, key.person, [row.text for row in rows]
            )
        notes = [_shown(row, texts.get(row.text)) for row in rows]
        return pb.ListNotesResponse(notes=notes, next_page_token=token)


def _shown(row: NoteRow, said: str | None) -> pb.Note:
    return pb.Note(
        kind=code(pb.NoteKind, "NOTE_KIND", row.kind),
        author=row.author,
        other=row.other,
        written_at=to_timestamp(row.written_at),
        text=said or "",
        erased=said is None,
        team=row.team,
    )
