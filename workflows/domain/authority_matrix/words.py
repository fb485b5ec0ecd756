"""What the matrix's commands, callers and refusals are called, in Bahasa Indonesia and English."""

from siklus.workflows.domain.authority_matrix.callers import Caller
from siklus.workflows.domain.errors import Reason
from siklus.workflows.domain.labels import Text


def _texts(lines: str) -> dict[str, Text]:
    """Read lines of `code | id | en`."""
    split = (line.split(" | ") for line in lines.strip().splitlines())
    return {code.strip(): Text(id=id_, en=en) for code, id_, en in split}


COMMAND_WORDS = _texts("""
    submit_plan | mengajukan SKP | submit the plan
    withdraw_plan | menarik kembali SKP | withdraw the plan
    set_plan | menetapkan SKP yang terlambat | set an overdue plan
    approve_plan | menyetujui SKP | approve the plan
    return_plan | mengembalikan SKP | return the plan
    add_expectation | menambah ekspektasi | add an expectation
    report_progress | melaporkan kemajuan | report progress
    request_plan_change | meminta perubahan SKP | ask for a change of the plan
    decide_plan_change | memutus perubahan SKP | decide a change of the plan
    record_periodic_evaluation | mencatat evaluasi periodik | record a period's evaluation
    submit_midyear_account | menyampaikan laporan tengah tahun | submit the midyear account
    record_midyear_review | mencatat dialog tengah tahun | record the midyear review
    submit_self_evaluation | menyampaikan evaluasi mandiri | submit the self-evaluation
    rate | menilai | rate
    return_rating | mengembalikan penilaian | return the rating
    send_back_rating | mengembalikan penilaian dari kalibrasi | send back a rating in calibration
    release_rating | melepas penilaian dari kalibrasi | release a rating from calibration
    open_result | membuka hasil | open the result
    acknowledge_result | menyatakan menerima hasil | acknowledge the result
    file_appeal | mengajukan keberatan | file an appeal
    withdraw_appeal | mencabut keberatan | withdraw the appeal
    respond_to_appeal | menanggapi keberatan | respond to the appeal
    seat_panel | menetapkan anggota panel keberatan | seat the panel of an appeal
    decide_appeal | memutus keberatan | decide the appeal
    approve_evaluation | memberi persetujuan akhir | give the final approval
    refer_evaluation | menyerahkan perkara kepada tim | refer it to the team
    reassign | mengalihkan kursi kepada orang lain | give a seat to another person
    replace_person | mengganti orang di semua kursinya | replace a person in every seat
    record_departure | mencatat pegawai berhenti | record that the employee left
    record_leave | mencatat cuti | record leave
    move_deadline | memindahkan tenggat | move a deadline
    extend_for_outage | memperpanjang karena gangguan sistem | give back the time of an outage
    return_to_stage | mengembalikan ke tahap terdahulu | return to an earlier stage
    correct_entry | membetulkan catatan | put an entry right
    transfer | menutup bagian karena mutasi | close the segment because of a move
    exclude | mengecualikan dari siklus | exclude from the cycle
    cancel | membatalkan | cancel
    reopen | membuka kembali | reopen
    resolve_superior | mencatat atasan berikutnya | record the next superior
    record_segment_result | mencatat nilai bagian terdahulu | record an earlier segment's rating
    replace_calendar | mengganti kalender | replace the calendar
""")

CALLER_WORDS = {
    Caller(code): text
    for code, text in _texts("""
    employee | pegawai yang dinilai | the employee
    supervisor | pejabat penilai | the supervisor
    former_supervisor | pejabat penilai sebelumnya | a former supervisor
    superior | atasan pejabat penilai | the supervisor's superior
    escalated_to | atasan yang menerima tugas terlambat | whom the late task climbed to
    approver | pejabat yang berwenang (PyB) | the approver
    decider | pemutus keberatan | the decider of the appeal
    panel_member | anggota panel keberatan | a member of the appeal's panel
    colleague | rekan tanpa kaitan | a colleague with no part in it
    admin | tim pengelola kinerja | the agency's team
    admin_who_is_employee | anggota tim yang sendiri dinilai | a team member who is the employee
    admin_who_is_supervisor | anggota tim yang pejabat penilai | a team member who is the supervisor
    admin_who_is_approver | anggota tim yang PyB | a team member who is the approver
    auditor | auditor | an auditor
    auditor_who_is_employee | auditor yang sendiri dinilai | an auditor who is the employee
    acting_supervisor | Plt/Plh pejabat penilai | acting for the supervisor
    acting_approver | Plt/Plh PyB | acting for the approver
    employee_acting_supervisor | pegawai bermandat penilai | the employee acting for the supervisor
    system | sistem | the system
    """).items()
}  # fmt: skip

REASON_WORDS = {
    Reason(code): text
    for code, text in _texts("""
    NOT_A_PARTICIPANT | tidak ada kaitan dengan evaluasi ini | has no part in this evaluation
    NOT_YOUR_TASK | bukan wewenangnya | it is not theirs to give
    SELF_DECISION | tidak seorang pun memutus perkara sendiri | nobody decides in the own case
    MANDATE_NOT_VALID | mandat tidak berlaku | the mandate does not hold
    SEPARATION_OF_DUTIES | penilai tidak memutus keberatan | who rated does not decide the appeal
    WRONG_STAGE | bukan pada tahap ini | not at this stage
    EVALUATION_CLOSED | evaluasi sudah berakhir | the evaluation has ended
    WINDOW_CLOSED | jangka waktu sudah lewat | the window is closed
    NOT_ALLOWED_BY_POLICY | tidak diatur kebijakan ini | not in this policy
    NOT_YET_OPEN | belum waktunya | it is not open yet
    RESPONSE_PENDING | penilai belum didengar | the rater is still to be heard
    ALREADY_DONE | sudah dilakukan, atau tidak ada yang menunggu | done already, or nothing waits
    APPEAL_SPENT | keberatan hanya satu kali | one appeal only
    APPEAL_FINAL | putusan keberatan bersifat final | the appeal decision is final
    """).items()
}
