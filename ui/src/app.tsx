import { useState } from "preact/hooks";

import { act } from "./api";
import type { Feed, FeedState } from "./feed";
import { type Theme, useFeed, useHash, useLook, useTheme } from "./hooks";
import { Charts } from "./pages/charts";
import { ClusterPage } from "./pages/cluster";
import { Failures } from "./pages/failures";
import { EditForm, StartForm } from "./pages/forms";
import { Runs } from "./pages/runs";
import { Statistics } from "./pages/statistics";
import { Workers } from "./pages/workers";
import { Dialog } from "./parts/dialog";
import { Notice } from "./parts/notice";
import { StatusBar } from "./parts/status_bar";
import type { Cluster } from "./types";

const PAGES = {
  statistics: "Statistics",
  charts: "Charts",
  failures: "Failures",
  workers: "Workers",
  cluster: "Cluster",
  runs: "Runs",
};

type PageName = keyof typeof PAGES;

/** Pages that show the run, and need one. */
const OF_THE_RUN: PageName[] = ["statistics", "charts", "failures"];

type Open = "start" | "edit" | null;

export function App({ feed }: { feed: Feed }) {
  const state = useFeed(feed);
  const hash = useHash();
  const [theme, toggleTheme] = useTheme();
  const [open, setOpen] = useState<Open>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const page: PageName = hash in PAGES ? (hash as PageName) : "statistics";
  const isClusterShown = page === "workers" || page === "cluster";
  const cluster = useLook<Cluster>("api/v1/cluster", isClusterShown ? 2_000 : 5_000, state.master?.leader);
  const workers = cluster.value?.workers.filter((worker) => worker.state !== "missing").length ?? null;
  const run = state.run?.run ?? null;
  const isActive = run !== null && run.status !== "stopped";
  const order = async (what: "stop" | "reset") => {
    setProblem(null);
    try {
      await act(`api/v1/runs/${run?.id}/${what}`, {});
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <>
      <a class="skip" href={`#${page}`} onClick={focusMain}>
        To the content
      </a>
      <StatusBar feed={state} workers={workers}>
        {isActive && (
          <>
            <button type="button" onClick={() => setOpen("edit")} disabled={run.status === "stopping"}>
              Edit
            </button>
            <button type="button" class="danger" onClick={() => order("stop")} disabled={run.status === "stopping"}>
              Stop
            </button>
            <button type="button" onClick={() => order("reset")}>
              Reset
            </button>
          </>
        )}
        {run?.status === "stopped" && (
          <button type="button" class="main" onClick={() => setOpen("start")}>
            New run
          </button>
        )}
        <button type="button" class="plain" onClick={toggleTheme} aria-label={`Change to ${other(theme)} colours`}>
          {theme === "dark" ? "☀" : "☾"}
        </button>
      </StatusBar>
      <nav aria-label="Pages">
        {Object.entries(PAGES).map(([name, title]) => (
          <a key={name} href={`#${name}`} aria-current={name === page ? "page" : undefined}>
            {title}
            {name === "failures" && (state.run?.errors.length ?? 0) > 0 && (
              <span class="count">{state.run?.errors.length}</span>
            )}
          </a>
        ))}
      </nav>
      <main id="main" tabIndex={-1}>
        <h1 class="hidden">{PAGES[page]}</h1>
        {problem !== null && <Notice kind="problem">{problem}</Notice>}
        <Page page={page} state={state} cluster={cluster} theme={theme} workers={workers} />
      </main>
      {open === "edit" && isActive && (
        <Dialog title="Edit the run" close={() => setOpen(null)}>
          <EditForm run={run} done={() => setOpen(null)} />
        </Dialog>
      )}
      {open === "start" && !isActive && (
        <Dialog title="Start a new run" close={() => setOpen(null)}>
          <StartForm last={run} workers={workers} done={() => setOpen(null)} />
        </Dialog>
      )}
    </>
  );
}

interface PageProps {
  page: PageName;
  state: FeedState;
  cluster: ReturnType<typeof useLook<Cluster>>;
  theme: Theme;
  workers: number | null;
}

function Page({ page, state, cluster, theme, workers }: PageProps) {
  if (OF_THE_RUN.includes(page) && state.run === null) {
    return state.index === null ? (
      <p class="muted">Waiting for the masters…</p>
    ) : (
      <section class="card start">
        <h2>Start a run</h2>
        <StartForm last={null} workers={workers} done={() => undefined} />
      </section>
    );
  }
  switch (page) {
    case "workers":
      return <Workers cluster={cluster} />;
    case "cluster":
      return <ClusterPage cluster={cluster} master={state.master} />;
    case "runs":
      return <Runs status={state.run?.run.status ?? "ready"} theme={theme} />;
  }
  if (state.run === null) {
    return null;
  }
  switch (page) {
    case "statistics":
      return <Statistics run={state.run} />;
    case "charts":
      return <Charts run={state.run.run} points={state.series} incidents={state.run.incidents} theme={theme} />;
    case "failures":
      return <Failures run={state.run} />;
  }
}

function other(theme: Theme): Theme {
  return theme === "dark" ? "light" : "dark";
}

function focusMain(event: Event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}
