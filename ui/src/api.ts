// Requests to whichever master answers.

/** How long one attempt may take: masters hold a request for 5 s while nobody leads. */
const ATTEMPT_MS = 8_000;

/** How long an action is repeated: longer than an election takes. */
const PATIENCE_MS = 30_000;

/** Answers after which the same action is sent again, with the same key. */
const MAY_PASS = new Set(["no_leader", "not_leader", "timed_out", "busy", "draining"]);

interface ErrorBody {
  error?: string;
  reason?: string;
}

/** What a master answered to a look. */
export async function look<T>(path: string): Promise<T> {
  const answer = await fetch(address(path), { signal: AbortSignal.timeout(ATTEMPT_MS) });
  if (!answer.ok) {
    throw new Error(await reasonOf(answer));
  }
  return (await answer.json()) as T;
}

/** Does something exactly once, however often it has to be sent. */
export async function act(path: string, body: object | URLSearchParams): Promise<unknown> {
  const isForm = body instanceof URLSearchParams;
  const request: RequestInit = {
    method: "POST",
    headers: {
      "Content-Type": isForm ? "application/x-www-form-urlencoded" : "application/json",
      "Idempotency-Key": newKey(),
    },
    body: isForm ? body.toString() : JSON.stringify(body),
  };
  const until = Date.now() + PATIENCE_MS;
  for (let wait = 250; ; wait = Math.min(wait * 2, 2_000)) {
    const outcome = await attempt(path, request);
    if (!outcome.mayPass) {
      return outcome.answer;
    }
    if (Date.now() + wait > until) {
      throw new Error(`${outcome.reason}; whether it was done is not known`);
    }
    await new Promise((resolve) => setTimeout(resolve, wait * (0.75 + Math.random() / 2)));
  }
}

type Outcome = { mayPass: false; answer: unknown } | { mayPass: true; reason: string };

async function attempt(path: string, request: RequestInit): Promise<Outcome> {
  let answer: Response;
  try {
    answer = await fetch(address(path), { ...request, signal: AbortSignal.timeout(ATTEMPT_MS) });
  } catch {
    return { mayPass: true, reason: "no master answers" };
  }
  if (answer.ok) {
    const text = await answer.text().catch(() => "");
    return { mayPass: false, answer: text.startsWith("{") ? JSON.parse(text) : text };
  }
  const body = await bodyOf(answer);
  const reason = body.reason ?? `the answer has status ${answer.status}`;
  const isGateway = [502, 503, 504].includes(answer.status);
  if (isGateway && (body.error === undefined || MAY_PASS.has(body.error))) {
    return { mayPass: true, reason };
  }
  throw new Error(reason);
}

async function bodyOf(answer: Response): Promise<ErrorBody> {
  const body: unknown = await answer.json().catch(() => null);
  return typeof body === "object" && body !== null ? (body as ErrorBody) : {};
}

async function reasonOf(answer: Response): Promise<string> {
  return (await bodyOf(answer)).reason ?? `the answer has status ${answer.status}`;
}

function address(path: string): string {
  return new URL(path, document.baseURI).href;
}

/** 128 random bits. `crypto.randomUUID` exists on secure pages only, and masters may be reached without TLS. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
