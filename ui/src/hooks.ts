import { useEffect, useState } from "preact/hooks";

import { look } from "./api";
import type { Feed, FeedState } from "./feed";

export function useFeed(feed: Feed): FeedState {
  const [state, setState] = useState(feed.current);
  useEffect(() => feed.subscribe(setState), [feed]);
  return state;
}

/** The part of the address behind `#`. */
export function useHash(): string {
  const [hash, setHash] = useState(location.hash.slice(1));
  useEffect(() => {
    const changed = () => setHash(location.hash.slice(1));
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return hash;
}

export interface Looked<T> {
  value: T | null;
  problem: string | null;
}

/** How often to ask: every so many milliseconds, or only until there is an answer. */
export type Pace = number | "until answered";

const RETRY_MS = 5_000;

/** What a path answers, asked for while the page is shown; `null` asks for nothing. */
export function useLook<T>(path: string | null, pace: Pace, again: unknown = null): Looked<T> {
  const [looked, setLooked] = useState<Looked<T>>({ value: null, problem: null });
  useEffect(() => {
    let isOver = false;
    let timer = 0;
    const ask = async () => {
      let isAnswered = false;
      if (path !== null && !document.hidden) {
        const answer = await look<T>(path).then(
          (value) => ({ value, problem: null }),
          (error: unknown) => ({ value: null, problem: String(error instanceof Error ? error.message : error) }),
        );
        if (isOver) {
          return;
        }
        isAnswered = answer.problem === null;
        // What was known stays on the screen while nobody answers.
        setLooked((before) => ({ value: answer.value ?? before.value, problem: answer.problem }));
      }
      if (pace !== "until answered") {
        timer = window.setTimeout(ask, pace);
      } else if (path !== null && !isAnswered) {
        timer = window.setTimeout(ask, RETRY_MS);
      }
    };
    ask();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [path, pace, again]);
  return looked;
}

export type Theme = "light" | "dark";

const THEME_KEY = "theme";

/** The theme that was chosen, or that of the system; and how to change it. */
export function useTheme(): [Theme, () => void] {
  const [theme, setTheme] = useState<Theme>(chosenTheme() ?? systemTheme());
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  useEffect(() => {
    const query = matchMedia("(prefers-color-scheme: dark)");
    const changed = () => setTheme(chosenTheme() ?? systemTheme());
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, []);
  const toggle = () => {
    const next = theme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem(THEME_KEY, next);
    } catch {
      // Without storage the choice lasts as long as the page.
    }
    setTheme(next);
  };
  return [theme, toggle];
}

function systemTheme(): Theme {
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function chosenTheme(): Theme | null {
  try {
    const chosen = localStorage.getItem(THEME_KEY);
    return chosen === "dark" || chosen === "light" ? chosen : null;
  } catch {
    return null;
  }
}
