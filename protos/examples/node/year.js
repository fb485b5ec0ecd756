/**
 * One employee's year, from the plan to the final approval: `node year.js`.
 *
 * The employee is evaluated by Budi, Agus approves, and a program watches. It reads where to connect from
 * SIKLUS_ADDRESS, whose year it is from SIKLUS_EVALUATION, and tokens by person from the JSON file
 * SIKLUS_TOKENS, which something else keeps fresh. Months pass between the steps: it says so by a line
 * `{"until": "2027-07-05"}` and goes on when it is given a line.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { connect, Refusal, watch } from "./siklus.js";

const { SIKLUS_ADDRESS: address, SIKLUS_EVALUATION: name, SIKLUS_TOKENS: tokens } = process.env;
const [, agency, , cycle, , place] = name.split("/");
const [person] = place.split(".");
const year = Number(cycle);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const as = (who) =>
  connect({ address, token: () => JSON.parse(readFileSync(tokens, "utf8"))[who] });
const [employee, budi, agus, program] = [person, "budi", "agus", "program"].map(as);

const say = (line) => console.log(JSON.stringify(line));
const until = async (day) => (say({ until: day }), lines.next());
/** Every command carries an id of ours: however often it is sent, it applies once. */
const act = async (who, command, fields = {}) => {
  const { receipt } = await who.evaluations[command]({ name, requestId: randomUUID(), ...fields });
  say({ did: command, stage: receipt.stage, revision: receipt.revision });
  return receipt;
};
const refused = async (promise) => {
  const refusal = await promise.then(() => assert.fail("it was not refused"), (error) => error);
  assert(refusal instanceof Refusal, refusal);
  say({ refused: refusal.reason, code: refusal.code, facts: refusal.facts, fields: refusal.fields });
};

/** Takes changes until the evaluation is at a revision; returns what it saw and where to go on. */
async function changesUpTo(revision, resumeToken) {
  const seen = [];
  for await (const taken of watch(program, { parent: `agencies/${agency}`, cycle, person, resumeToken })) {
    seen.push(taken.change);
    if (taken.change.seq >= revision) return { seen, resumeToken: taken.resumeToken };
  }
}

const begin = new Promise((resolve) => {
  const stream = program.evaluations.WatchEvaluations({ parent: `agencies/${agency}`, cycle, person });
  stream.once("data", ({ resumeToken }) => (stream.on("error", () => {}).cancel(), resolve(resumeToken)));
});
const resumeToken = await begin;

const indicators = [{ id: "antrean", description: "Waktu tunggu loket di bawah 10 menit",
  kind: "INDICATOR_KIND_QUANTITATIVE", target: "10 menit" }];
await refused(employee.evaluations.SubmitPlan({ name, requestId: "no spaces", indicators }));
await refused(employee.evaluations.ApprovePlan({ name, requestId: randomUUID() }));
await act(employee, "SubmitPlan", { indicators });
await refused(budi.evaluations.ApprovePlan({ name, requestId: randomUUID(), expectedRevision: 1 }));
await act(budi, "ReturnPlan", { reason: "Target belum terukur" });
await act(employee, "SubmitPlan", { indicators });
const requestId = randomUUID();
const approved = await act(budi, "ApprovePlan", { requestId, note: "Setuju" });
assert.deepEqual(await act(budi, "ApprovePlan", { requestId, note: "Setuju" }), approved);
const first = await changesUpTo(approved.revision, resumeToken);

await until(`${year}-07-05`);
await act(employee, "SubmitMidyearAccount", { account: "Antrean turun" });
await act(budi, "RecordMidyearReview", { dialogue: "Lanjutkan" });
await until(`${year}-12-06`);
await act(employee, "SubmitSelfEvaluation", { results: "LEVEL_ABOVE", behaviour: "LEVEL_AT", account: "Tercapai" });
await until(`${year + 1}-01-05`);
await act(budi, "Rate", { results: "LEVEL_AT", behaviour: "LEVEL_AT", note: "Baik" });
await act(employee, "OpenResult");
await act(employee, "AcknowledgeResult", { accepted: true });
const ended = await act(agus, "ApproveEvaluation", { note: "Disetujui" });

const rest = await changesUpTo(ended.revision, first.resumeToken);
const { evaluation } = await employee.evaluations.GetEvaluation({ name, minRevision: ended.revision });
say({ stage: evaluation.stage, predicate: evaluation.predicate,
  watched: [...first.seen, ...rest.seen].map(({ seq, kind }) => [seq, kind]) });
[employee, budi, agus, program].forEach((each) => each.close());
process.stdin.destroy();
