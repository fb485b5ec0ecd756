"""What the official document says in our own words, in both languages."""

from typing import Final

from siklus.workflows.domain.commands import AppealOutcome, ExclusionGround, IndicatorKind
from siklus.workflows.domain.document import parts as p
from siklus.workflows.domain.document.parts import PartName
from siklus.workflows.domain.document.signatures import Act, Standing
from siklus.workflows.domain.labels import Text
from siklus.workflows.domain.stages import Stage


def _(id: str, en: str) -> Text:
    return Text(id=id, en=en)


PLAN_TITLE: Final = _("SASARAN KINERJA PEGAWAI (SKP)", "Performance plan")
EVALUATION_TITLE: Final = _("DOKUMEN EVALUASI KINERJA PEGAWAI", "Performance evaluation")
APPEAL_TITLE: Final = _("KEPUTUSAN ATAS KEBERATAN", "Decision on the appeal")
PROOF_TITLE: Final = _("Verifikasi dokumen", "Verification of this document")

EMPLOYEE: Final = _("PEGAWAI YANG DINILAI", "Employee")
RATER: Final = _("PEJABAT PENILAI KINERJA", "Rater")
SUPERIOR: Final = _("ATASAN PEJABAT PENILAI KINERJA", "The rater's superior")
APPROVER: Final = _("PEJABAT YANG BERWENANG", "Approving official")
PANEL: Final = _("PANEL YANG MEMUTUS KEBERATAN", "Panel that decided the appeal")
DECIDER: Final = _("PEJABAT YANG MEMUTUS KEBERATAN", "Deciding official")
NAME: Final = _("Nama", "Name")
NIP: Final = _("NIP", "Civil servant number")
POSITION: Final = _("Jabatan", "Position")
UNIT: Final = _("Unit kerja", "Unit")
PERIOD: Final = _("Periode penilaian", "Period of evaluation")
SERVED_FROM: Final = _("Bertugas sejak", "In this post since")
POLICY: Final = _("Kebijakan", "Policy")
NUMBER: Final = _("No.", "No.")

RESULTS: Final = _("HASIL KERJA", "Work results")
EXPECTATIONS: Final = _("EKSPEKTASI KHUSUS PIMPINAN", "Expectations of the superior")
EXPECTATION: Final = _("Ekspektasi", "Expectation")
DESCRIPTION: Final = _("Rencana hasil kerja", "Planned result")
TARGET: Final = _("Indikator dan target", "Indicator and target")
KIND: Final = _("Jenis", "Kind")
NO_PLAN: Final = _("Rencana belum diajukan.", "No plan was submitted yet.")
SET_BY_TEAM: Final = _(
    "Rencana ini ditetapkan oleh tim pengelola kinerja.",
    "This plan was set by the agency's performance team.",
)
KINDS: Final = {
    IndicatorKind.QUANTITATIVE: _("Kuantitatif", "Quantitative"),
    IndicatorKind.QUALITATIVE: _("Kualitatif", "Qualitative"),
}

PERIODS: Final = _("Evaluasi kinerja periodik", "Periodic evaluations")
PERIOD_NUMBER: Final = _("Periode", "Period")
MIDYEAR: Final = _("Reviu tengah tahun", "Midyear review")
ACCOUNT: Final = _("Laporan pegawai", "The employee's account")
DIALOGUE: Final = _("Dialog kinerja", "Performance dialogue")
SELF: Final = _("Evaluasi mandiri", "Self-evaluation")
REALISATION: Final = _("Realisasi", "Realisation")
OWN_RESULTS: Final = _("Hasil kerja menurut pegawai", "Work results, the employee's view")
OWN_BEHAVIOUR: Final = _("Perilaku kerja menurut pegawai", "Work behaviour, the employee's view")
RATING: Final = _("Penilaian kinerja", "Rating")
FIRST_RATING: Final = _("Penilaian penilai pertama", "Rating by the first of two raters")
INTERIM: Final = _("Penilaian atas masa kerja sebelum mutasi", "Interim rating before a transfer")
RESULTS_LEVEL: Final = _("Rating hasil kerja", "Work results")
BEHAVIOUR_LEVEL: Final = _("Rating perilaku kerja", "Work behaviour")
SCORE: Final = _("Nilai", "Score")
PREDICATE: Final = _("Predikat kinerja", "Predicate")
COMBINED_SCORE: Final = _("Nilai setahun", "Score of the year")
COMPUTED: Final = _("Cara penghitungan", "How it was computed")
RULE: Final = _("Dasar dalam kebijakan", "Rule of the policy")
COMBINED: Final = _("Predikat kinerja setahun", "Predicate of the year")
AFTER_APPEAL: Final = _("Predikat setelah keberatan", "Predicate after the appeal")
INDICATOR: Final = _("Hasil kerja", "Work result")
LEVEL: Final = _("Rating", "Level")
IMPROVEMENT: Final = _("Perbaikan yang diharapkan", "Improvement asked for")
NOTE: Final = _("Catatan dan rekomendasi", "Notes and recommendations")
EARLIER: Final = _("Masa kerja sebelumnya", "Earlier segments of the year")
SEGMENT: Final = _("Segmen", "Segment")
DAYS: Final = _("Hari", "Days")
STATUS: Final = _("Status", "Status")
PROVISIONAL: Final = _("Sementara: belum disetujui", "Provisional: not approved yet")
UNRATED: Final = _("Tidak dinilai", "Unrated")
NO_RATING: Final = _("Belum dinilai.", "Not rated yet.")
ENDED: Final = {
    Stage.COMPLETED: _("Final: disetujui dan dikunci", "Final: approved and locked"),
    Stage.SEGMENT_CLOSED: _("Segmen ditutup karena mutasi", "Segment closed by a transfer"),
    Stage.EXCLUDED: _("Dikecualikan dari siklus", "Excluded from the cycle"),
    Stage.CANCELLED: _("Dibatalkan", "Cancelled"),
}
GROUND: Final = _("Alasan pengecualian", "Ground of the exclusion")
GROUNDS: Final = {
    ExclusionGround.DISMISSED_FOR_A_TIME: _("Pemberhentian sementara", "Dismissed for a time"),
    ExclusionGround.UNPAID_LEAVE: _("Cuti di luar tanggungan negara", "Unpaid leave"),
    ExclusionGround.PRE_RETIREMENT: _("Masa persiapan pensiun", "Pre-retirement"),
}
OTHER_GROUND: Final = _("Alasan lain", "Another ground")

APPEAL: Final = _("Keberatan pegawai", "The employee's appeal")
WITHDRAWN: Final = _("Keberatan dicabut", "The appeal was withdrawn")
RESPONSE: Final = _("Tanggapan pejabat penilai", "The rater's response")
NO_RESPONSE: Final = _("Tidak ada tanggapan.", "No response was given.")
DECISION: Final = _("Keputusan", "Decision")
REASON: Final = _("Pertimbangan", "Reasons")
UNDECIDED: Final = _("Belum diputuskan.", "Not decided yet.")
BEFORE: Final = _("Sebelum keberatan", "Before the appeal")
AFTER: Final = _("Sesudah keputusan", "After the decision")
SUBJECT: Final = _("Uraian", "Subject")
OUTCOMES: Final = {
    AppealOutcome.UPHELD: _("Penilaian dipertahankan", "The rating is upheld"),
    AppealOutcome.CHANGED: _("Penilaian diubah", "The rating is changed"),
}

SIGNATURES: Final = _("Tanda tangan", "Signatures")
SIGNED_BY: Final = _("Ditandatangani oleh", "Signed by")
ACT: Final = _("Tindakan", "Act")
WHEN: Final = _("Waktu", "When")
HASH: Final = _("Hash yang ditandatangani (SHA-256)", "Hash that was signed (SHA-256)")
HOLDS: Final = _("Keberlakuan", "Standing")
IN_PLACE_OF: Final = _("atas nama {name}", "in the place of {name}")
LETTER: Final = _("surat {letter}", "letter {letter}")
NOT_SIGNED: Final = _("Belum ada tanda tangan.", "Nobody signed yet.")
TEAM: Final = _("tim pengelola kinerja", "the agency's performance team")
ACTS: Final = {
    Act.SUBMITTED: _("Mengajukan", "Submitted"),
    Act.SET_BY_TEAM: _("Menetapkan sebagai tim", "Set by the team"),
    Act.APPROVED: _("Menyetujui", "Approved"),
    Act.ADDED: _("Menambahkan", "Added"),
    Act.ASKED_FOR_CHANGE: _("Mengusulkan perubahan", "Asked for the change"),
    Act.AGREED_TO_CHANGE: _("Menyetujui perubahan", "Agreed to the change"),
    Act.RECORDED: _("Mencatat", "Recorded"),
    Act.CORRECTED: _("Mengoreksi", "Corrected"),
    Act.RATED: _("Menilai", "Rated"),
    Act.RECEIVED: _("Menerima hasil", "Received the result"),
    Act.ACCEPTED: _("Menerima tanpa keberatan", "Accepted the result"),
    Act.APPEALED: _("Mengajukan keberatan", "Appealed"),
    Act.WITHDREW: _("Mencabut", "Withdrew"),
    Act.RESPONDED: _("Menanggapi", "Responded"),
    Act.DECIDED: _("Memutuskan", "Decided"),
    Act.FINALLY_APPROVED: _("Menyetujui akhir", "Gave the final approval"),
}
STANDINGS: Final = {
    Standing.STANDS: _("Berlaku", "Stands"),
    Standing.OVERTAKEN: _(
        "Tidak berlaku lagi: {parts} berubah", "Void: {parts} changed afterwards"
    ),
    Standing.GIVEN_BACK: _("Tidak berlaku lagi: dikembalikan", "Void: given back"),
}
PARTS: Final = {
    p.CASE: _("data pegawai", "the case"),
    p.PLAN: _("rencana", "the plan"),
    PartName("expectation"): _("ekspektasi", "expectation"),
    PartName("period"): _("evaluasi periode", "the evaluation of period"),
    PartName("segment"): _("segmen", "segment"),
    p.MIDYEAR_ACCOUNT: _("laporan tengah tahun", "the midyear account"),
    p.MIDYEAR_REVIEW: _("reviu tengah tahun", "the midyear review"),
    p.SELF_EVALUATION: _("evaluasi mandiri", "the self-evaluation"),
    p.INTERIM: _("penilaian sementara", "the interim rating"),
    p.FIRST_RATING: _("penilaian pertama", "the first rating"),
    p.RATING: _("penilaian", "the rating"),
    p.APPEAL: _("keberatan", "the appeal"),
    p.RESPONSE: _("tanggapan", "the response"),
    p.DECISION: _("keputusan", "the decision"),
    PartName("signatures"): _("tanda tangan", "the signatures"),
}

ERASED: Final = _("[teks telah dihapus]", "[the text was erased]")
TOO_LONG: Final = _(
    "[teks tidak dimuat karena terlalu panjang; hash {digest}]",
    "[left out, for its length; hash {digest}]",
)
AS_OF: Final = _("Keadaan per", "As of")
REVISION: Final = _("Revisi", "Revision")
RECORD: Final = _("Nama dalam sistem", "Name in the record")
CHAIN: Final = _("Hash rantai peristiwa (SHA-256)", "Head of the chain of events (SHA-256)")
HOW_TO_CHECK: Final = _(
    "Dokumen ini dibuat dari rantai peristiwa yang tercatat. Periksa kodenya dengan "
    "“siklus document verify”: jawabannya menyatakan apakah dokumen ini sesuai dengan catatan, "
    "sudah berubah sejak itu, atau tidak dikenal.",
    "This document was made from the recorded chain of events. Check its code with "
    "“siklus document verify”: the answer tells whether it is what the record says, was changed "
    "since, or is unknown.",
)


def part_called(name: PartName) -> Text:
    """Return what people call a part, with its number where there are several."""
    kind, _dot, number = name.partition(".")
    called = PARTS[PartName(kind)]
    return Text(id=f"{called.id} {number}".strip(), en=f"{called.en} {number}".strip())
