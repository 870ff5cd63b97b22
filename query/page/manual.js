// Draws the manual, and goes to the section that the address names.

import { markdown } from "./markdown.js";
import { render } from "./tree.js";

const response = await fetch("page/operations.md");
render(document.getElementById("manual"), markdown(await response.text()));
document.getElementById(location.hash.slice(1))?.scrollIntoView();
