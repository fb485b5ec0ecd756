/**
 * A client of Siklus: the shipped protos, a fresh token for every call, the shipped retries, typed
 * refusals, and watches that go on after an interruption. Copy it and make it yours.
 */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import protobuf from "protobufjs";

const PROTOS = fileURLToPath(new URL("../../", import.meta.url));
const SERVICES = { audit: "Audit", cohorts: "Cohort", cycles: "Cycle", evaluations: "Evaluation", policies: "Policy",
  roster: "Roster", subscriptions: "Subscription", tasks: "Task" };
const SERVICE_CONFIG = readFileSync(`${PROTOS}siklus/v1/service_config.json`, "utf8");
/** A watch sends something every 15 seconds; after three times that, nobody is there any more. */
const SILENCE_MS = 45_000;

const details = new protobuf.Root();
details.resolvePath = (_, file) => `${PROTOS}${file}`;
details.loadSync(["google/rpc/status.proto", "google/rpc/error_details.proto"]);

/** Why a call was refused. Programs look at `reason`; `message` is for people. */
export class Refusal extends Error {
  /** @param {grpc.ServiceError} error */
  constructor(error) {
    super(error.details, { cause: error });
    this.code = grpc.status[error.code];
    /** The name in errors.proto; empty when the transport answered. */
    this.reason = "";
    /** @type {Record<string, string>} the revision, the instant, the rule … */
    this.facts = {};
    /** @type {{field: string, description: string}[]} the fields at fault */
    this.fields = [];
    /** Milliseconds after which the same call may be sent again; undefined if that is no use. */
    this.retryAfter = undefined;
    const [bytes] = error.metadata?.get("grpc-status-details-bin") ?? [];
    if (bytes) this.#read(details.lookupType("google.rpc.Status").decode(bytes));
  }

  #read(status) {
    for (const { type_url: url, value } of status.details) {
      const name = url.split("/").at(-1);
      const detail = details.lookupType(name).decode(value);
      if (name === "google.rpc.ErrorInfo") {
        this.reason = detail.reason;
        this.facts = { ...detail.metadata };
      } else if (name === "google.rpc.BadRequest") {
        this.fields = detail.fieldViolations.map((each) => ({ ...each }));
      } else if (name === "google.rpc.RetryInfo") {
        const { seconds = 0, nanos = 0 } = detail.retryDelay;
        this.retryAfter = Number(seconds) * 1000 + nanos / 1e6;
      }
    }
  }
}

/**
 * Connects one caller. Every method of every service becomes a function that returns a promise, as in
 * `await siklus.evaluations.GetEvaluation({ name })`; it throws a Refusal.
 * @param {{address: string, token: () => string, ca?: Buffer}} to `token` is asked before each call
 */
export function connect({ address, token, ca }) {
  const options = { keepCase: false, longs: Number, enums: String, defaults: true, oneofs: true,
    includeDirs: [PROTOS] };
  const files = Object.values(SERVICES).map((each) => `siklus/v1/${each.toLowerCase()}_service.proto`);
  const { v1 } = grpc.loadPackageDefinition(loadSync(files, options)).siklus;
  const credentials = ca ? grpc.credentials.createSsl(ca) : grpc.credentials.createInsecure();
  const channel = { "grpc.service_config": SERVICE_CONFIG, "grpc.keepalive_time_ms": 30_000 };
  const metadata = () => {
    const sent = new grpc.Metadata();
    sent.set("authorization", `Bearer ${token()}`);
    return sent;
  };
  const siklus = { close: () => clients.forEach((client) => client.close()) };
  const clients = Object.entries(SERVICES).map(([name, service]) => {
    const client = new v1[`${service}Service`](address, credentials, channel);
    siklus[name] = calls(client, v1[`${service}Service`].service, metadata);
    return client;
  });
  return siklus;
}

function calls(client, service, metadata) {
  const found = {};
  for (const [name, { responseStream }] of Object.entries(service)) {
    found[name] = responseStream
      ? (request) => client[name](request, metadata())
      : (request) => patiently(() => once(client, name, request, metadata()));
  }
  return found;
}

function once(client, name, request, metadata) {
  return new Promise((resolve, reject) => {
    client[name](request, metadata, (error, answer) => (error ? reject(new Refusal(error)) : resolve(answer)));
  });
}

/** What the channel does not send again by itself: a caller that was too fast waits and goes on. */
async function patiently(call) {
  for (;;) {
    try {
      return await call();
    } catch (refusal) {
      if (refusal.reason !== "RATE_LIMITED") throw refusal;
      await sleep(refusal.retryAfter);
    }
  }
}

/**
 * Watches for ever, across restarts of the server: yields every change once, in order, with the token
 * to go on from. Keep that token beside what you did with the change.
 * @param {ReturnType<typeof connect>} siklus
 * @param {{parent: string, resumeToken?: string}} request with filters, if you like
 */
export async function* watch(siklus, request) {
  let resumeToken = request.resumeToken ?? "";
  for (let failures = 0; ; ) {
    const stream = siklus.evaluations.WatchEvaluations({ ...request, resumeToken });
    const silence = setTimeout(() => stream.cancel(), SILENCE_MS);
    try {
      for await (const message of stream) {
        ({ resumeToken } = message);
        failures = 0;
        silence.refresh();
        if (message.change) yield { change: message.change, resumeToken };
      }
    } catch (error) {
      const refusal = new Refusal(error);
      const goesOn = ["UNAVAILABLE", "RESOURCE_EXHAUSTED", "CANCELLED"].includes(refusal.code);
      if (!goesOn) throw refusal;
      await sleep(refusal.retryAfter ?? Math.min(250 * 2 ** failures++, 10_000));
    } finally {
      clearTimeout(silence);
      stream.cancel();
    }
  }
}
