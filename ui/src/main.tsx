import { render } from "preact";

import { App } from "./app";
import { Feed, feedUrl } from "./feed";
import "./style.css";

const root = document.getElementById("app");
if (root !== null) {
  render(<App feed={new Feed(feedUrl)} />, root);
}
