// The Markdown of our own manual as a described tree: headings with anchors, paragraphs, lists, tables, code, links.
// Pure; no more of Markdown than docs/operations.md uses.

import { h } from "./tree.js";

// The anchor of a heading, as code hosts make it.
export function anchorOf(text) {
  return text.toLowerCase().replace(/[^\w\s-]/g, "").trim().replace(/\s/g, "-");
}

// Text with `code`, **strong** and [links](address).
function inline(text) {
  return text.split(/(`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\([^)]+\))/).filter(Boolean).map((part) => {
    if (part.startsWith("`")) return h("code", {}, part.slice(1, -1));
    if (part.startsWith("**")) return h("strong", {}, inline(part.slice(2, -2)));
    const link = /^\[([^\]]+)\]\(([^)]+)\)$/.exec(part);
    if (!link) return part;
    // A link to another file of the repository has no page here: its text stands alone.
    return link[2].startsWith("#") ? h("a", { href: `manual${link[2]}` }, inline(link[1])) : h("span", {}, inline(link[1]));
  });
}

const cells = (line) => line.replace(/^\||\|$/g, "").replaceAll("\\|", "\u0000").split("|").map((cell) => inline(cell.trim().replaceAll("\u0000", "|")));

function table(lines) {
  const [head, , ...rows] = lines;
  return h("div", { class: "wide" }, h("table", {}, [
    h("thead", {}, h("tr", {}, cells(head).map((cell) => h("th", { scope: "col" }, cell)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, cells(row).map((cell) => h("td", {}, cell))))),
  ]));
}

function list(lines, tag, mark) {
  const items = [];
  for (const line of lines) {
    if (mark.test(line)) items.push(line.replace(mark, ""));
    else items[items.length - 1] += ` ${line.trim()}`;
  }
  return h(tag, {}, items.map((item) => h("li", {}, inline(item))));
}

function block(lines) {
  const heading = /^(#{1,3}) (.*)$/.exec(lines[0]);
  if (heading) return h(`h${heading[1].length}`, { id: anchorOf(heading[2]) }, inline(heading[2]));
  if (lines[0].startsWith("```")) return h("pre", {}, h("code", {}, lines.slice(1, -1).join("\n")));
  if (lines[0].startsWith("|")) return table(lines);
  if (/^- /.test(lines[0])) return list(lines, "ul", /^- /);
  if (/^\d+\. /.test(lines[0])) return list(lines, "ol", /^\d+\. /);
  return h("p", {}, inline(lines.join(" ")));
}

// The whole text as descriptions for render().
export function markdown(text) {
  const blocks = [];
  let lines = [];
  let code = false;
  const end = () => {
    if (lines.length > 0) blocks.push(block(lines));
    lines = [];
  };
  for (const line of text.split("\n")) {
    if (line.startsWith("```")) code = !code;
    if (!code && line.trim() === "") end();
    else {
      lines.push(line);
      if (!code && line.startsWith("#")) end();
    }
  }
  end();
  return blocks;
}
