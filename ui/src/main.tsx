import { render } from "preact";

import { App } from "./app";
import { Feed, feedUrl } from "./feed";
import "./style/base.css";
import "./style/bar.css";
import "./style/pages.css";
import "./style/tables.css";
import "./style/charts.css";
import "./style/forms.css";
import "./style/narrow.css";

const root = document.getElementById("app");
if (root !== null) {
  render(<App feed={new Feed(feedUrl)} />, root);
}
