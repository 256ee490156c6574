// What a form suggests, and what somebody has written over it. The site makes the suggestions and knows where they come
// from; here those that come later are put into inputs that nobody has touched.

const MARK = "-mark"; // the id of an input's mark, "from the file", ends so
const PEOPLE = "persons"; // their rows count as one input
const FIRST_BROUGHT = 1000; // rows of people that are brought in are numbered from here, so that none is there twice

export class Suggested {
  #form;
  #offered = new Map(); // input's name -> what it held when nobody had written
  #written; // names

  /** `data-written` of the form names the inputs that hold what was written before. */
  constructor(form) {
    this.#form = form;
    this.#written = new Set(form.dataset.written.split(" ").filter(Boolean));
    for (const input of inputsOf(form)) this.#offered.set(input.name, this.#written.has(input.name) ? null : input.value);
    form.addEventListener("input", (event) => this.#note(event.target));
    form.addEventListener("change", (event) => this.#note(event.target));
  }

  get isWritten() {
    return this.#written.size > 0;
  }

  /** What was written, by input; of people, all their rows. */
  get written() {
    return Object.fromEntries(
      [...new FormData(this.#form)].filter(([name, value]) => typeof value === "string" && this.#written.has(keyOf(name))),
    );
  }

  /** Write this, as somebody has before. */
  write(values) {
    for (const [name, value] of Object.entries(values)) {
      const input = this.#form.elements[name] ?? this.#newRow(name);
      if (!input || input instanceof RadioNodeList) continue;
      input.value = value;
      this.#note(input);
      input.closest("details")?.setAttribute("open", "");
    }
  }

  /** The same form as the site shows it now: its suggestions, and what it has of what was written, where nobody has. */
  adopt(form) {
    const brought = new Set(form.dataset.written.split(" ").filter(Boolean));
    const seen = seenIn(this.#form);
    for (const [name, print] of seenIn(form)) if (!this.#written.has(name)) seen.set(name, print);
    for (const input of inputsOf(form)) this.#bring(input, brought.has(input.name));
    if (brought.has(PEOPLE) && !this.#written.has(PEOPLE)) this.#bringPeople(form);
    this.#form.elements.seen.value = Array.from(seen, ([name, print]) => `${name}=${print}`).join(" ");
  }

  #note(input) {
    const name = input.name ? keyOf(input.name) : input.closest?.("[data-people]") && PEOPLE;
    if (!name || input.type === "file" || input.type === "hidden") return;
    const isWritten = name === PEOPLE || input.value !== this.#offered.get(name);
    isWritten ? this.#written.add(name) : this.#written.delete(name);
    const mark = document.getElementById(name + MARK);
    if (mark) mark.hidden = isWritten;
  }

  #bring(input, isWritten) {
    const here = this.#form.elements[input.name];
    if (!here || this.#written.has(input.name)) return;
    if (isWritten) this.#written.add(input.name);
    this.#offered.set(input.name, isWritten ? null : input.value);
    if (here.value !== input.value) here.value = input.value;
    for (const name of ["aria-describedby"]) {
      input.hasAttribute(name) ? here.setAttribute(name, input.getAttribute(name)) : here.removeAttribute(name);
    }
    document.getElementById(input.name + MARK)?.remove();
    const mark = input.ownerDocument.getElementById(input.name + MARK);
    if (mark) this.#form.querySelector(`label[for="${CSS.escape(input.name)}"]`).after(" ", mark);
  }

  #bringPeople(form) {
    const [from, to] = [form, this.#form].map((each) => each.querySelector("[data-people]"));
    for (const row of to.querySelectorAll("[data-person]")) row.remove();
    for (const row of from.querySelectorAll("[data-person]:not([data-empty])")) {
      const holder = document.createElement("div");
      holder.innerHTML = row.outerHTML.replace(/person\.(\d+)\./g, (_, number) => `person.${FIRST_BROUGHT + Number(number)}.`);
      to.querySelector("template").before(holder.firstElementChild);
    }
    this.#written.add(PEOPLE);
  }

  /** Rows of people are made by the button that the list has for it (people_field.js). */
  #newRow(name) {
    const add = name.startsWith("person.") && this.#form.querySelector("[data-people] [data-add]");
    for (let tries = 0; add && tries < 20 && !this.#form.elements[name]; tries++) add.click();
    return this.#form.elements[name];
  }
}

/** Those that are suggested or written one by one. */
function inputsOf(form) {
  const named = Array.from(form.elements).filter((input) => input.name && input.type !== "file" && input.type !== "hidden");
  return named.filter((input) => input.tagName !== "BUTTON" && keyOf(input.name) === input.name);
}

function keyOf(name) {
  return name.startsWith("person.") ? PEOPLE : name;
}

/** See studio/edits.py. */
function seenIn(form) {
  return new Map(form.elements.seen.value.split(" ").map((word) => word.split("=")));
}
