// A text field that searches a list of names and picks one (the ARIA combobox pattern). Knows nothing of metrics.

import { search } from "./search.js";
import { h, render } from "./tree.js";
import { visible } from "./words.js";

const MOST = 100;

export class Combobox {
  #input; #list; #names = []; #value = ""; #found = []; #active = -1; #pick; #describe; #find;

  // `root` holds an input and a ul; `pick(name)` is called with the name chosen; `describe` gives a remark for a name; `find(text)`
  // promises further names, where there are more than are at hand.
  constructor(root, pick, describe = () => "", find = null) {
    this.#input = root.querySelector("input");
    this.#list = root.querySelector("ul");
    this.#pick = pick;
    this.#describe = describe;
    this.#find = find;
    this.#input.addEventListener("focus", () => this.#open());
    this.#input.addEventListener("click", () => this.#open());
    this.#input.addEventListener("input", () => this.#typed(this.#input.value));
    this.#input.addEventListener("blur", () => this.#close());
    this.#input.addEventListener("keydown", (event) => this.#key(event));
    this.#list.addEventListener("pointerdown", (event) => this.#press(event));
  }

  // The names to choose from and the one chosen.
  set(names, value) {
    this.#names = names;
    this.#value = value;
    if (this.#list.hidden) this.#input.value = value;
  }

  #open() {
    if (!this.#list.hidden) return;
    this.#input.select();
    this.#filter("");
    this.#active = this.#found.indexOf(this.#value);
    this.#draw();
  }

  #close() {
    this.#list.hidden = true;
    this.#input.value = this.#value;
    this.#input.setAttribute("aria-expanded", "false");
    this.#input.removeAttribute("aria-activedescendant");
  }

  async #typed(query) {
    this.#filter(query);
    const further = query && this.#find ? await this.#find(query).catch(() => []) : [];
    const names = new Set(this.#names);
    if (further.every((name) => names.has(name))) return;
    this.#names = [...names, ...further.filter((name) => !names.has(name))];
    if (!this.#list.hidden && this.#input.value === query) this.#filter(query);
  }

  #filter(query) {
    this.#found = search(this.#names, query);
    this.#active = query && this.#found.length > 0 ? 0 : -1;
    this.#list.hidden = false;
    this.#input.setAttribute("aria-expanded", "true");
    this.#draw();
  }

  #draw() {
    const first = Math.max(0, Math.min(this.#active - MOST / 2, this.#found.length - MOST));
    const shown = this.#found.slice(first, first + MOST);
    const options = shown.map((name, k) => h("li", {
      role: "option", id: this.#optionId(first + k), "data-name": name, "aria-selected": String(first + k === this.#active),
      class: name === this.#value ? "current" : null,
    }, [h("span", {}, visible(name)), this.#describe(name) && h("small", {}, this.#describe(name))]));
    const more = this.#found.length - shown.length;
    if (this.#found.length === 0) options.push(h("li", { class: "more" }, "Nothing matches. Fewer letters find more."));
    if (more > 0) options.push(h("li", { class: "more" }, `${more.toLocaleString("en")} more; type to narrow the list`));
    render(this.#list, options);
    this.#markActive();
  }

  #markActive() {
    const option = document.getElementById(this.#optionId(this.#active));
    if (!option) return this.#input.removeAttribute("aria-activedescendant");
    this.#input.setAttribute("aria-activedescendant", option.id);
    return option.scrollIntoView({ block: "nearest" });
  }

  #optionId(i) {
    return `${this.#list.id}-${i}`;
  }

  #press(event) {
    event.preventDefault();
    const option = event.target.closest("[data-name]");
    if (option) this.#choose(option.dataset.name);
  }

  #choose(name) {
    this.#value = name;
    this.#close();
    this.#pick(name);
  }

  #key(event) {
    if (event.key === "Escape") return this.#close();
    if (event.key === "Enter") {
      event.preventDefault();
      if (!this.#list.hidden && this.#found[this.#active]) this.#choose(this.#found[this.#active]);
      return undefined;
    }
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };
    if (!(event.key in steps)) return undefined;
    event.preventDefault();
    if (this.#list.hidden) return this.#open();
    this.#active = Math.max(0, Math.min(this.#found.length - 1, this.#active + steps[event.key]));
    return this.#draw();
  }
}
