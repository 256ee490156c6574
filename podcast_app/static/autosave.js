// A draft is saved as it is typed: the page's own form, sent to where its button sends it. What is not saved yet is kept
// in this tab, whatever happens to the line, the session or the page. What is public changes by its button only.

import { tell, Words } from "./words.js";

const PAUSE_MS = 1000; // after the last key
const AGAIN_MS = 5000; // after a failure
const NOT_OURS = /^(seen|then|person\.listed|take\..*)$/;
const OF_THE_BUTTON = /^publish_at/; // kept, and saved by "schedule" alone

class Autosave {
  #form;
  #words;
  #status;
  #isDraft;
  #key;
  #changed = new Map(); // field -> the count of its last change
  #count = 0;
  #lost = null; // what was sent and never answered: it may be saved, so it is sent again as it was
  #button = null; // what was pressed meanwhile
  #isSending = false;
  #isHeld = false; // until a person has chosen
  #hasFailed = false;
  #isLeaving = false;
  #isQuiet = false;
  #unsaved = "unsaved"; // the word for it
  #timer = 0;

  constructor(form) {
    this.#form = form;
    this.#words = new Words(form.querySelector("template[data-words]"));
    this.#status = form.querySelector("[data-status]");
    this.#isDraft = form.dataset.state === "draft";
    this.#key = `episode ${form.dataset.episode} ${form.dataset.person}`; // others may sign in in this tab
    this.#isHeld = form.querySelector("fieldset .theirs") !== null;
    this.#putBack();
    for (const kind of ["input", "change"]) form.addEventListener(kind, (event) => this.#note(event.target));
    form.addEventListener("focusout", () => this.#changed.size && this.#soon(0));
    form.addEventListener("submit", (event) => this.#submitted(event));
    for (const kind of ["online", "focus"]) addEventListener(kind, () => this.#hasFailed && this.#soon(0));
    addEventListener("pagehide", () => this.#last());
    addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
    addEventListener("beforeunload", (event) => this.#mustAsk && event.preventDefault());
  }

  get #mustAsk() {
    return !this.#isLeaving && this.#isUnsaved && (!this.#isDraft || this.#hasFailed || this.#isHeld);
  }

  get #isUnsaved() {
    return [...this.#changed.keys()].some((field) => !OF_THE_BUTTON.test(field));
  }

  #note(input) {
    if (this.#isQuiet || !(input.name || input.id === "persons") || NOT_OURS.test(input.name)) return;
    this.#changed.set(fieldOf(input.name || input.id), ++this.#count);
    this.#keep();
    if (!this.#isDraft && this.#isUnsaved) this.#say(this.#unsaved);
    this.#soon(PAUSE_MS);
  }

  /** The button is pressed: first what is on its way arrives, or it would meet the form as somebody else's. */
  #submitted(event) {
    if (event.submitter?.formTarget === "_blank") return;
    if (!this.#isSending && !this.#lost) return (this.#isLeaving = true);
    event.preventDefault();
    this.#button = event.submitter;
    this.#save();
  }

  #soon(after) {
    clearTimeout(this.#timer);
    if (this.#isDraft && !this.#isHeld) this.#timer = setTimeout(() => this.#save(), after);
  }

  async #save() {
    if (this.#isSending || !(this.#lost || this.#isUnsaved)) return;
    this.#isSending = true;
    const sent = this.#lost ?? { body: this.#body, changed: new Map(this.#changed) };
    const isAgain = this.#lost !== null;
    this.#lost = sent;
    const next = await this.#send(sent);
    this.#isSending = false;
    const button = this.#button;
    this.#button = null;
    if (button && !this.#lost) return this.#form.requestSubmit(button);
    if (next === "again") this.#soon(AGAIN_MS);
    else if (next === "go on" && (isAgain || this.#count > Math.max(0, ...sent.changed.values()))) this.#soon(isAgain ? 0 : PAUSE_MS);
  }

  get #body() {
    return new URLSearchParams(new FormData(this.#form));
  }

  async #send({ body, changed }) {
    let answer;
    try {
      answer = await fetch(this.#form.action, { method: "POST", body, headers: { Accept: "application/json" } });
      if (answer.headers.get("content-type") === "application/json") {
        this.#lost = null;
        this.#answered(await answer.json(), changed);
        return "go on";
      }
    } catch {
      return this.#failed("away");
    }
    if (answer.status === 401) return this.#signedOut();
    if ([403, 404, 409].includes(answer.status)) {
      this.#failed("gone");
      return "stop";
    }
    return this.#failed("odd");
  }

  #answered(said, changed) {
    this.#hasFailed = false;
    this.#isDraft = said.state === "draft";
    if (!this.#isDraft) this.#unsaved = said.state; // by somebody else, meanwhile
    const odd = new Set([...said.findings, ...said.clashes].map(({ field }) => field));
    const now = seenIn(said.seen);
    if (said.saved_at) {
      for (const [field, count] of changed) {
        if (odd.has(field)) continue;
        this.#see(field, now);
        if (this.#changed.get(field) === count) this.#changed.delete(field);
      }
    }
    this.#takeOver(said.elsewhere, now);
    this.#keep();
    this.#tellTitle(said.title);
    this.#tellAdvice(said.advice);
    this.#mark(said.findings);
    this.#offer(said.clashes, now);
    if (!this.#isDraft) this.#say(this.#unsaved);
    else if (said.clashes.length) this.#say("clash");
    else if (said.findings.length) this.#say(said.saved_at ? "refused" : "held");
    else this.#say("saved", { time: this.#words.now() });
  }

  #failed(why) {
    this.#hasFailed = true;
    this.#say(why);
    return "again";
  }

  #signedOut() {
    this.#hasFailed = true;
    if (!this.#status.querySelector("a")) {
      const words = this.#form.querySelector("template[data-words]").content.querySelector("[data-signed-out]");
      this.#status.replaceChildren(...words.cloneNode(true).childNodes);
      this.#status.classList.add("wrong");
    }
    return "again";
  }

  #say(word, values) {
    tell(this.#status, this.#words.say(word, values));
    this.#status.classList.toggle("wrong", !["saved", "unsaved", "back"].includes(word));
  }

  // --- what the form was filled with: see edits.py ---

  #see(field, now) {
    const [input, entries] = [this.#form.elements.seen, seenIn(this.#form.elements.seen.value)];
    if (now.has(field)) entries.set(field, now.get(field));
    input.value = [...entries].map((entry) => entry.join("=")).join(" ");
  }

  /** What others changed of that which nobody here touches. The list of people is shown with the next page. */
  #takeOver(values, now) {
    for (const [field, value] of Object.entries(values)) {
      const input = this.#form.elements[field];
      if (this.#changed.has(field) || !input?.matches("input, select, textarea")) continue; // a fieldset has its name too
      if (input === document.activeElement) continue;
      this.#put(input, value);
      this.#see(field, now);
    }
  }

  #put(input, value) {
    this.#isQuiet = true;
    input.value = value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    this.#isQuiet = false;
  }

  // --- what is said at the fields ---

  #tellTitle(title) {
    document.title = document.title.replace(document.querySelector("[data-title]").textContent, title);
    tell(document.querySelector("[data-title]"), title);
  }

  #tellAdvice(html) {
    const place = document.querySelector("[data-advice]");
    const wasOpen = place.querySelector("details")?.open;
    if (place.innerHTML.trim() === html.trim()) return;
    place.innerHTML = html;
    if (wasOpen) place.querySelector("details")?.setAttribute("open", "");
  }

  #mark(findings) {
    for (const old of this.#form.querySelectorAll("[data-marked]")) unmark(old);
    for (const { field, text } of findings) {
      const input = document.getElementById(field);
      if (input) mark(input, field, text);
    }
  }

  #offer(clashes, now) {
    for (const clash of clashes) {
      const input = document.getElementById(clash.field);
      document.getElementById(`${clash.field}-theirs`)?.remove();
      if (input) input.closest(".field, fieldset.people-field").append(this.#choice(input, clash, now));
    }
  }

  #choice(input, { field, value, text, by }, now) {
    const choice = this.#form.querySelector("template[data-words]").content.querySelector("[data-clash]").cloneNode(true);
    const find = (name) => choice.querySelector(`[data-${name}]`);
    choice.id = `${field}-theirs`;
    if (by) find("by").textContent = find("by").dataset.by.replace("{name}", by);
    find("theirs").textContent = text || find("theirs").dataset.nothing;
    const chosen = () => {
      this.#see(field, now);
      choice.remove();
      input.focus();
      this.#soon(0);
    };
    find("mine").addEventListener("click", chosen);
    find("take").addEventListener("click", () => {
      this.#changed.delete(field);
      this.#keep();
      if (field === "persons") return this.#start(() => location.reload());
      this.#put(input, value);
      chosen();
      if (!this.#isUnsaved) this.#say("saved", { time: this.#words.now() });
    });
    return choice;
  }

  #start(leave) {
    this.#isLeaving = true;
    leave();
  }

  // --- what this tab keeps ---

  #keep() {
    const entries = [...new FormData(this.#form)].filter(([name]) => this.#changed.has(fieldOf(name)) && !NOT_OURS.test(name));
    const seen = [...seenIn(this.#form.elements.seen.value)].filter(([field]) => this.#changed.has(field));
    try {
      if (this.#changed.size) sessionStorage.setItem(this.#key, JSON.stringify({ fields: [...this.#changed.keys()], entries, seen }));
      else sessionStorage.removeItem(this.#key);
    } catch {
      // no room, or not allowed: the page itself still has it
    }
  }

  #putBack() {
    if (this.#form.dataset.saved) {
      sessionStorage.removeItem(this.#key);
      history.replaceState(null, "", location.pathname + location.hash); // it was saved once, and not at each reload
      return this.#say("saved", { time: this.#words.now() });
    }
    const kept = JSON.parse(sessionStorage.getItem(this.#key) ?? "null");
    if (!kept) return;
    for (const field of kept.fields) this.#changed.set(field, ++this.#count);
    if ("cameBack" in this.#form.dataset) return; // the form is filled in already
    for (const [field, fingerprint] of kept.seen) this.#see(field, new Map([[field, fingerprint]]));
    for (const [name, value] of kept.entries) {
      const input = this.#form.elements[name];
      if (input && !name.startsWith("person.")) input.value = value;
    }
    document.getElementById("persons")?.dispatchEvent(new CustomEvent("putback", { detail: kept.entries }));
    this.#form.elements.publish_at?.dispatchEvent(new Event("input", { bubbles: true }));
    if (this.#isUnsaved) this.#say(this.#isDraft ? "back" : "unsaved");
    this.#soon(0);
  }

  #last() {
    if (!this.#isDraft || this.#isHeld || this.#isLeaving || !this.#isUnsaved) return;
    fetch(this.#form.action, { method: "POST", body: this.#body, headers: { Accept: "application/json" }, keepalive: true }).catch(() => {});
  }
}

function fieldOf(name) {
  return name.startsWith("person.") ? "persons" : name;
}

function seenIn(text) {
  return new Map(text.split(" ").map((entry) => [entry.slice(0, entry.lastIndexOf("=")), entry.slice(entry.lastIndexOf("=") + 1)]));
}

function mark(input, field, text) {
  const said = document.createElement("p");
  Object.assign(said, { className: "wrong", id: `${field}-not-saved`, textContent: text });
  said.dataset.marked = field;
  input.before(said);
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", `${input.getAttribute("aria-describedby") ?? ""} ${said.id}`.trim());
}

function unmark(said) {
  const input = document.getElementById(said.dataset.marked);
  input.removeAttribute("aria-invalid");
  input.setAttribute("aria-describedby", input.getAttribute("aria-describedby").replace(said.id, "").trim());
  said.remove();
}

const form = document.querySelector("form[data-episode]");
if (form && !form.querySelector("fieldset:disabled")) new Autosave(form);
