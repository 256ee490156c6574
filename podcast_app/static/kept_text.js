// What is written for a new episode is kept as it is written: with its upload, or before there is one, in this tab.

import { tell } from "./words.js";

const PAUSE_MS = 1000; // after the last key
const AGAIN_MS = 5000;

export class KeptText {
  upload = null; // the id of the one that it is kept with
  #form;
  #words;
  #suggested;
  #timer = 0;
  #changes = 0; // counted
  #saved = 0; // how many of them are safe

  constructor(form, words, suggested) {
    this.#form = form;
    this.#words = words;
    this.#suggested = suggested;
    for (const kind of ["input", "change"]) form.addEventListener(kind, ({ target }) => this.#changed(target));
    document.addEventListener("visibilitychange", () => document.hidden && this.isUnsaved && this.save());
    addEventListener("focus", () => this.isUnsaved && this.save()); // back from another tab, perhaps signed in
  }

  /** Whether leaving now would lose a word. */
  get isUnsaved() {
    return this.#saved < this.#changes;
  }

  get #place() {
    return `new-episode ${this.#form.getAttribute("action")} ${this.#form.dataset.person}`; // others may sign in here
  }

  /** Write what this tab has kept from before. */
  bringBack() {
    const kept = sessionStorage.getItem(this.#place);
    if (kept) this.#suggested.write(JSON.parse(kept));
  }

  /** It is the site's now. */
  letGo() {
    clearTimeout(this.#timer);
    this.#saved = this.#changes;
  }

  #changed(input) {
    if (input.type === "file") return;
    this.#changes += 1;
    this.#soon(PAUSE_MS);
  }

  #soon(pause) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.save(), pause);
  }

  /** Now, if there is anything. */
  async save() {
    clearTimeout(this.#timer);
    if (!this.#suggested.isWritten && !this.isUnsaved) return;
    const [changes, upload] = [this.#changes, this.upload];
    const status = upload === null ? 404 : await this.#send(upload);
    if (status === 404) this.#keep(); // there is no upload yet or any more, or it is an episode by now
    else if (status === 204) this.#say("saved");
    else this.#say(status === 401 ? "" : "text-unsaved");
    if (status !== 404 && status !== 204) return this.#soon(AGAIN_MS);
    if (status === 204) sessionStorage.removeItem(this.#place);
    this.#saved = changes;
  }

  #keep() {
    sessionStorage.setItem(this.#place, JSON.stringify(this.#suggested.written));
    this.#say("kept");
  }

  /** @returns {Promise<number>} the answer's status; 0 when none came */
  async #send(upload) {
    const { pathname } = new URL(this.#form.action);
    const said = [...new FormData(this.#form)].filter(([, value]) => typeof value === "string");
    const address = pathname.replace(/new$/, `recordings/${upload}/text`);
    try {
      return (await fetch(address, { method: "POST", body: new URLSearchParams(said), keepalive: document.hidden })).status;
    } catch {
      return 0;
    }
  }

  /** "": somebody has to sign in again, which is said in view, wherever they are on the page. */
  #say(word) {
    const place = this.#form.querySelector("[data-saved]");
    tell(place, word && this.#words.say(word, { time: this.#words.now() }));
    this.#form.querySelector("[data-text-signed-out]").hidden = word !== "";
  }
}
