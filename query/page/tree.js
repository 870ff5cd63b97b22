// Draws a described tree into the page and changes only what differs, so that a chart that is refreshed
// neither flickers nor loses focus. HTML and SVG alike. Knows nothing of charts.

const SVG = "http://www.w3.org/2000/svg";
const PROPERTIES = new Set(["value", "checked", "selected", "hidden", "disabled", "open"]);

// Describes an element: a tag, attributes (or "on…" functions and live properties) and children.
export function h(tag, attributes = {}, children = []) {
  return { tag, attributes, children: Array.isArray(children) ? children : [children] };
}

// Makes the children of `parent` what `nodes` describe: text, or descriptions from h(). Falsy ones are left out.
export function render(parent, nodes) {
  const wanted = nodes.filter((node) => node !== null && node !== undefined && node !== false);
  wanted.forEach((node, i) => place(parent, parent.childNodes[i], node));
  while (parent.childNodes.length > wanted.length) parent.lastChild.remove();
}

function place(parent, existing, node) {
  if (typeof node !== "object") {
    const text = String(node);
    if (existing?.nodeType !== Node.TEXT_NODE) put(parent, existing, document.createTextNode(text));
    else if (existing.data !== text) existing.data = text;
    return;
  }
  let element = existing;
  if (existing?.localName !== node.tag) {
    element = create(parent, node.tag);
    put(parent, existing, element);
  }
  setAttributes(element, node.attributes);
  render(element, node.children);
}

function put(parent, existing, fresh) {
  if (existing) existing.replaceWith(fresh);
  else parent.append(fresh);
}

function create(parent, tag) {
  const inSvg = tag === "svg" || parent.namespaceURI === SVG;
  return inSvg ? document.createElementNS(SVG, tag) : document.createElement(tag);
}

function setAttributes(element, attributes) {
  for (const name of element.getAttributeNames()) {
    if (!(name in attributes)) element.removeAttribute(name);
  }
  for (const [name, value] of Object.entries(attributes)) {
    // The value of an option that has none in its attributes is its text, also where it is to be empty.
    const isLive = PROPERTIES.has(name) && !(name === "value" && element.localName === "option");
    if (name.startsWith("on") || isLive) {
      if (element[name] !== value) element[name] = value;
    } else if (value === null || value === undefined || value === false) {
      element.removeAttribute(name);
    } else if (element.getAttribute(name) !== String(value)) {
      element.setAttribute(name, value);
    }
  }
}
