import type { TargetedEvent } from "preact";
import { useState } from "preact/hooks";

import { act } from "../api";
import { useLook } from "../hooks";
import { Notice } from "../parts/notice";
import type { RunHead, Scenario } from "../types";

/** Locust's spans: 20, 20s, 3m, 1h30m10s. */
const SPAN = "\\d+|(\\d+h)?(\\d+m)?(\\d+s)?";

interface StartProps {
  last: RunHead | null;
  workers: number | null;
  done: () => void;
}

/** Starts a run of the scenario that the masters have. */
export function StartForm({ last, workers, done }: StartProps) {
  const scenario = useLook<Scenario>("api/v1/scenario", "until answered");
  const [isBusy, problem, submit] = useAction(async (form) => {
    const fields = { user_count: "users", spawn_rate: "rate", host: "host", run_time: "time", profile: "label" };
    const body = new URLSearchParams();
    for (const [field, input] of Object.entries(fields)) {
      const value = String(form.get(input) ?? "").trim();
      if (value !== "") {
        body.set(field, value);
      }
    }
    const answer = (await act("swarm", body)) as { success?: boolean; message?: string };
    if (answer.success !== true) {
      throw new Error(answer.message ?? "the masters gave no reason");
    }
    done();
  });
  const known = scenario.value;
  const cannot = known?.problem ?? scenario.problem;
  return (
    <form onSubmit={submit}>
      {known !== null && (
        <p>
          Scenario <strong>{known.name}</strong>
          {known.classes.length > 0 && <span class="muted"> with {known.classes.join(", ")}</span>}
        </p>
      )}
      {cannot !== null && cannot !== undefined && <Notice kind="problem">{cannot}</Notice>}
      {workers === 0 && <Notice kind="hint">No worker has connected yet.</Notice>}
      {known?.says_load && <Notice kind="hint">This scenario says itself how much load it makes.</Notice>}
      <LoadFields least={1} users={last?.target_users ?? 1} rate={last?.spawn_rate_per_s ?? 1} />
      <Field
        label="Host"
        name="host"
        type="url"
        placeholder={known?.host ?? "as the scenario says"}
        value={last?.host !== known?.host ? (last?.host ?? "") : ""}
      />
      <Field
        label="Run time (for example 20s, 3m, 1h30m)"
        name="time"
        pattern={SPAN}
        placeholder="until it is stopped"
      />
      <Field label="Label" name="label" maxLength={100} placeholder="none" />
      {problem !== null && <Notice kind="problem">{problem}</Notice>}
      <button type="submit" class="main" disabled={isBusy}>
        {isBusy ? "Starting…" : "Start"}
      </button>
    </form>
  );
}

/** Changes the users of the run that goes on. */
export function EditForm({ run, done }: { run: RunHead; done: () => void }) {
  const [isBusy, problem, submit] = useAction(async (form) => {
    const body = { users: Number(form.get("users")), spawn_rate_per_s: Number(form.get("rate")) };
    await act(`api/v1/runs/${run.id}/edit`, body);
    done();
  });
  return (
    <form onSubmit={submit}>
      <LoadFields least={0} users={run.target_users} rate={run.spawn_rate_per_s} />
      {problem !== null && <Notice kind="problem">{problem}</Notice>}
      <button type="submit" class="main" disabled={isBusy}>
        {isBusy ? "Updating…" : "Update"}
      </button>
    </form>
  );
}

/** How much load: at least so many users, and what is proposed. */
function LoadFields({ least, users, rate }: { least: number; users: number; rate: number }) {
  return (
    <>
      <Field label="Number of users (peak concurrency)" name="users" type="number" min={least} value={users} />
      <Field label="Ramp up (users started per second)" name="rate" type="number" min={0.001} step="any" value={rate} />
    </>
  );
}

interface FieldProps {
  label: string;
  name: string;
  type?: "text" | "number" | "url";
  value?: string | number;
  min?: number;
  step?: string;
  pattern?: string;
  placeholder?: string;
  maxLength?: number;
}

function Field({ label, name, type = "text", value, ...rest }: FieldProps) {
  return (
    <label>
      {label}
      <input
        name={name}
        // The types of the attributes want one kind of input at a time.
        type={type as "text"}
        required={type === "number"}
        defaultValue={value ?? ""}
        autocomplete="off"
        {...rest}
      />
    </label>
  );
}

type Submit = (event: TargetedEvent<HTMLFormElement>) => Promise<void>;

/** Something that is done once at a time, and what went wrong with it. */
function useAction(action: (form: FormData) => Promise<void>): [boolean, string | null, Submit] {
  const [isBusy, setIsBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const submit: Submit = async (event) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setIsBusy(true);
    setProblem(null);
    try {
      await action(form);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
    setIsBusy(false);
  };
  return [isBusy, problem, submit];
}
