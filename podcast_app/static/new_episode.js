// The page for a new episode: its recording travels while somebody writes, and what the file says comes into the form.
// Without this it is a plain form, whose file is sent with the rest.

import { pageAt, takeDrops } from "./drop.js";
import { KeptText } from "./kept_text.js";
import { askFirst, Recording } from "./recording.js";
import { Suggested } from "./suggested.js";
import { tell, Words } from "./words.js";

const AGAIN_MS = 3000;

class NewEpisode {
  #form;
  #upload; // the element
  #words;
  #recording;
  #suggested;
  #text;
  #pressed = null; // the button that waits for the recording
  #isBusy = false; // a recording, or several one after the other, are not yet here
  #adopting = null;
  #isLeaving = false;

  constructor(form) {
    this.#form = form;
    this.#upload = form.querySelector("[data-upload]");
    this.#words = new Words(form.querySelector("[data-words]"));
    this.#suggested = new Suggested(form);
    this.#text = new KeptText(form, this.#words, this.#suggested);
    const { show } = this.#upload.dataset;
    const begun = (upload, isOld) => this.#begun(upload, isOld);
    this.#recording = new Recording(this.#part("recording"), this.#words, show, begun);
    this.#listen();
    this.#text.upload = form.dataset.id ?? null;
    if (!form.dataset.id && !("cameBack" in form.dataset)) this.#text.bringBack();
    if (this.#part("file").files.length) this.#chosen(this.#part("file")); // while this script was still on its way
  }

  #part(name) {
    return this.#form.querySelector(`[data-${name}]`);
  }

  #listen() {
    this.#part("without-script").hidden = true;
    this.#readyChooser();
    this.#upload.addEventListener("change", ({ target }) => target.matches("[data-file]") && this.#chosen(target));
    this.#form.addEventListener("submit", (event) => this.#submit(event));
    takeDrops((files) => this.take([...files]));
    addEventListener("beforeunload", (event) => this.#wouldLose && askFirst(event));
  }

  get #wouldLose() {
    return !this.#isLeaving && (this.#isBusy || this.#text.isUnsaved);
  }

  #readyChooser() {
    this.#part("file").multiple = true;
    this.#part("drop-hint").hidden = false;
  }

  #chosen(input) {
    const files = [...input.files];
    input.value = ""; // it travels by itself, and not with the form
    this.take(files);
  }

  take(files) {
    tell(this.#part("stopped"), "");
    if (this.#isBusy) return tell(this.#part("stopped"), this.#words.say("one"));
    if (files.length > 1) return this.#takeSeveral(files);
    if (files.length === 1) this.#takeOne(files[0]);
  }

  async #takeOne(file) {
    this.#isBusy = true;
    this.#part("choose").hidden = true;
    this.#part("file").required = false; // or the browser lets nobody press a button meanwhile
    const upload = await this.#recording.send(file);
    if (upload?.episode) return this.#leaveFor(`/studio/episodes/${upload.episode}`); // made elsewhere meanwhile
    if (upload) await this.#whole(upload.id);
    else this.#press(null);
    this.#part("choose").hidden = this.#isBusy = false;
    this.#part("file").required = !this.#form.elements.upload_id;
    if (document.activeElement === document.body) this.#part("file").focus({ preventScroll: true });
    this.#pressed?.form.requestSubmit(this.#pressed);
  }

  async #begun(upload, isOld) {
    history.replaceState(null, "", this.#addressOf(upload.id));
    this.#text.upload = upload.id;
    if (isOld) await (this.#adopting = this.#pageOf(upload.id).then((page) => this.#adopt(page)));
    this.#text.save();
  }

  /** What the file says comes in, and the form is about this recording. */
  async #whole(id) {
    await this.#adopting; // or what was known before would come in last
    const page = await this.#pageOf(id);
    const chooser = page.querySelector("[data-choose]");
    this.#adopt(page);
    this.#part("choose").replaceChildren(...chooser.childNodes);
    this.#readyChooser();
  }

  #adopt(page) {
    this.#suggested.adopt(page.querySelector("[data-new-episode]"));
  }

  #addressOf(id) {
    return `${this.#form.getAttribute("action")}?upload=${id}`;
  }

  /** It is asked for until it comes: meanwhile somebody may have to sign in again. */
  async #pageOf(id) {
    for (let trouble = null; ; ) {
      const page = await pageAt(this.#addressOf(id));
      this.#part("sign-in").hidden = page !== "signed-out";
      const isHere = page instanceof Document;
      if (!isHere || trouble) this.#recording.say(this.#words.say(isHere ? "ended" : page));
      if (isHere) return page;
      trouble = page;
      await again();
    }
  }

  #leaveFor(address) {
    this.#isLeaving = true;
    location.assign(address);
  }

  #submit(event) {
    if (!this.#isBusy) {
      this.#isLeaving = true;
      this.#text.letGo();
      return;
    }
    event.preventDefault();
    this.#press(event.submitter);
    this.#recording.goOn();
  }

  /** As soon as the recording is here. */
  #press(button) {
    this.#pressed = button;
    tell(this.#part("pending"), button ? this.#words.say(button.value === "publish" ? "publish-later" : "save-later") : "");
  }

  async #takeSeveral(files) {
    this.#isBusy = true;
    this.#part("choose").hidden = this.#part("fields").hidden = true;
    this.#recording.say(this.#words.say("several", { number: files.length }));
    const list = this.#part("several");
    list.hidden = false;
    const lines = files.map((file) => new Line(file, list, this.#part("recording"), this.#words, this.#upload.dataset.show));
    for (const line of lines) await line.run(this.#form.getAttribute("action"));
    this.#isBusy = false;
    this.#recording.say(this.#words.say("several-ended"));
  }
}

/** One of several files: sent when those before it are, and then a draft. */
class Line {
  #file;
  #words;
  #item = document.createElement("li");
  #recording;

  constructor(file, list, pattern, words, show) {
    this.#file = file;
    this.#words = words;
    const title = document.createElement("strong");
    title.dir = "auto";
    title.textContent = file.name;
    const parts = pattern.cloneNode(true);
    for (const element of parts.querySelectorAll("[id]")) element.removeAttribute("id");
    parts.querySelector("[data-sending]").setAttribute("aria-label", file.name);
    parts.querySelector("[data-sending]").removeAttribute("aria-labelledby");
    for (const said of parts.querySelectorAll("[data-name], .hint")) said.hidden = true; // above, once
    this.#item.append(title, parts);
    list.append(this.#item);
    this.#recording = new Recording(parts, words, show);
    this.#recording.say(words.say("waiting"));
  }

  async run(action) {
    const upload = await this.#recording.send(this.#file);
    if (!upload) return;
    this.#recording.say(this.#words.say("making"));
    const said = new FormData();
    for (const [name, value] of Object.entries({ upload_id: upload.id, form_id: upload.id, then: "save" })) said.set(name, value);
    for (;;) {
      const answer = await fetch(action, { method: "POST", body: said }).catch(() => null);
      if (answer?.ok) return this.#made(answer);
      const isOver = answer !== null && answer.status !== 401 && answer.status < 500;
      this.#recording.say(this.#words.say(isOver ? "refused" : answer?.status === 401 ? "signed-out" : "silent"));
      if (isOver) return;
      await again();
    }
  }

  #made(answer) {
    const link = document.createElement("a");
    link.href = answer.url;
    link.dir = "auto";
    link.textContent = this.#file.name;
    this.#item.querySelector("strong").replaceWith(link);
    this.#recording.say(this.#words.say("draft"));
  }
}

/** After a while, or when something may be new. */
function again() {
  return new Promise((resolve) => {
    setTimeout(resolve, AGAIN_MS);
    addEventListener("focus", resolve, { once: true });
    addEventListener("online", resolve, { once: true });
  });
}

for (const form of document.querySelectorAll("[data-new-episode]")) new NewEpisode(form);
