// The page that sends a recording in parts: which file, how far it is, and what a person can do about it.
// Its elements carry data- names, its words stand in a <template>, in the page's language. upload.js does the work.

import { fingerprint, Halt, Sending, Site } from "./upload.js";

const SMOOTHING = 0.1; // of each second's rate: the time left is not to jump with the Wi-Fi
const KNOWN_AFTER_SECONDS = 5;

class UploadPage {
  #root;
  #words;
  #phase = "choosing"; // or "looking", "sending", "paused", "cancelling", "ended"
  #site;
  #file = null;
  #sending = null;
  #stop = new AbortController();
  #pace = new Pace();
  #found = ""; // what was found when this file was chosen
  #waiting = null; // an upload of it that is complete already

  constructor(root) {
    this.#root = root;
    this.#words = new Words(root.querySelector("template"));
    this.#site = new Site(root.dataset.show, document.documentElement.lang, () => this.#render());
    this.#listen();
    this.#render();
  }

  #part(name) {
    return this.#root.querySelector(`[data-${name}]`);
  }

  get #isRunning() {
    return this.#phase === "looking" || this.#phase === "sending";
  }

  #listen() {
    const input = this.#part("file");
    input.addEventListener("change", () => this.#choose(input.files));
    this.#part("pause").addEventListener("click", () => (this.#phase === "paused" ? this.#send() : this.#pause()));
    this.#part("cancel").addEventListener("click", () => this.#cancel());
    this.#listenForDrops(this.#part("choose"));
    addEventListener("beforeunload", (event) => this.#isRunning && askFirst(event));
    document.addEventListener("visibilitychange", () => this.#isRunning && stayAwake()); // it was lost when hidden
    setInterval(() => this.#tick(), 1000);
  }

  #listenForDrops(place) {
    const mark = (event) => {
      event.preventDefault();
      place.toggleAttribute("data-over", event.type === "dragover");
    };
    place.addEventListener("dragover", mark);
    place.addEventListener("dragleave", mark);
    place.addEventListener("drop", (event) => {
      mark(event);
      this.#choose(event.dataTransfer.files);
    });
  }

  #choose(files) {
    this.#say("stopped", "");
    if (files.length > 1) return this.#say("stopped", this.#words.say("several"));
    if (files.length === 1 && this.#phase === "choosing") this.#running("looking", (signal) => this.#start(files[0], signal));
  }

  /** Go on with what is here of this file, or begin. */
  async #start(file, signal) {
    this.#file = file;
    this.#found = "";
    const print = await fingerprint(file);
    signal.throwIfAborted();
    const { upload, hasNamesake } = await this.#site.find(file, print, signal);
    if (upload?.state === "complete") return this.#offer(upload);
    if (hasNamesake) this.#found = this.#words.say("namesake");
    const isBegun = upload !== null;
    const sending = new Sending(this.#site, file, upload ?? (await this.#site.begin(file, print, signal)), () => {
      if (isBegun && !this.#found && sending.total) this.#found = this.#words.say("found", this.#counts(sending));
      this.#render();
    });
    this.#sending = sending;
    this.#phase = "sending";
    await this.#finish(signal);
  }

  #send() {
    this.#running("sending", (signal) => this.#finish(signal));
  }

  async #finish(signal) {
    this.#pace = new Pace();
    this.#hideInList(this.#sending.id, true);
    const upload = await this.#sending.run(signal);
    this.#phase = "ended";
    this.#render();
    location.assign(this.#formOf(upload));
  }

  /** Do this until it ends, is paused or cancelled, or until only a person can go on. */
  async #running(phase, job) {
    const stop = (this.#stop = new AbortController());
    this.#phase = phase;
    this.#render();
    this.#part("sending").focus();
    stayAwake();
    try {
      await job(stop.signal);
    } catch (reason) {
      if (stop.signal.aborted) return; // whoever stopped it has said so
      stop.abort(); // the parts beside the one that failed
      this.#halt(reason);
    } finally {
      mayDoze();
    }
  }

  #pause() {
    this.#stop.abort();
    this.#phase = "paused";
    this.#render();
  }

  async #cancel() {
    if (!confirm(this.#words.say("cancel-asked"))) return;
    this.#stop.abort();
    const id = this.#sending?.id;
    await this.#running("cancelling", async (signal) => {
      if (id) await this.#site.cancel(id, signal);
      this.#reset();
    });
  }

  #halt(reason) {
    if (!(reason instanceof Halt)) console.error(reason);
    const word = reason instanceof Halt ? reason.reason : "broken";
    const said = reason.detail || this.#words.say(word, { size: this.#partSize() });
    if (this.#sending) this.#hideInList(this.#sending.id, false);
    this.#reset();
    this.#say("stopped", said);
  }

  /** Another file can be chosen; or the same again. */
  #reset() {
    this.#phase = "choosing";
    this.#sending = this.#file = this.#waiting = null;
    this.#found = "";
    this.#part("file").value = "";
    this.#render();
    this.#part("file").focus();
  }

  /** It came some other time, and no episode is made from it yet. */
  #offer(upload) {
    this.#reset();
    this.#found = this.#words.say("here");
    this.#waiting = upload;
    this.#part("here").href = this.#formOf(upload);
    this.#render();
    this.#part("here").focus();
  }

  #formOf(upload) {
    return `/studio/shows/${upload.show}/new?upload=${upload.id}`;
  }

  /** What is being sent is not also offered to be chosen or cancelled. */
  #hideInList(id, isHidden) {
    const line = document.querySelector(`[data-open="${CSS.escape(id)}"]`);
    if (!line) return;
    line.hidden = isHidden;
    const list = line.closest("section");
    list.hidden = !list.querySelector("[data-open]:not([hidden])");
  }

  #tick() {
    if (this.#phase !== "sending") return;
    this.#pace.note(this.#sending.sent);
    this.#render();
  }

  #render() {
    const sending = this.#sending;
    this.#show("without-script", false);
    this.#show("choose", this.#phase === "choosing");
    this.#show("sending", this.#phase !== "choosing");
    this.#show("buttons", this.#isRunning || this.#phase === "paused");
    this.#show("pause", sending !== null);
    this.#show("sign-in", this.#isRunning && this.#trouble === "signed-out");
    this.#show("here", this.#waiting !== null);
    this.#show("relayed", sending?.isRelayed ?? false);
    this.#say("name", this.#file?.name ?? "");
    this.#say("pause", this.#words.say(this.#phase === "paused" ? "go-on" : "pause"));
    this.#say("status", this.#status());
    this.#renderProgress(sending);
  }

  #renderProgress(sending) {
    const isKnown = Boolean(sending?.total);
    this.#show("bar", isKnown);
    this.#say("count", isKnown ? this.#words.say("count", this.#counts(sending)) : "");
    this.#say("left", this.#phase === "sending" && !this.#trouble ? this.#timeLeft() : "");
    if (!isKnown) return;
    // The last hundredth is for what the site does when all bytes are there: until then nothing is certain.
    this.#part("bar").value = this.#phase === "ended" ? 1 : (0.99 * sending.sent) / this.#file.size;
  }

  get #trouble() {
    return this.#sending ? this.#sending.trouble : this.#site.trouble;
  }

  #status() {
    if (this.#phase === "choosing") return this.#found;
    if (this.#phase === "ended" || this.#phase === "paused") return this.#words.say(this.#phase);
    if (this.#trouble) return this.#words.say(this.#trouble, { size: this.#partSize() });
    if (this.#phase !== "sending") return this.#words.say(this.#phase);
    if (this.#sending.isWhole) return this.#words.say("whole");
    return this.#found || this.#words.say("sending");
  }

  #partSize() {
    return this.#sending?.total ? this.#words.size(this.#sending.partSize) : "";
  }

  #counts(sending) {
    return { safe: sending.safe, total: sending.total };
  }

  #timeLeft() {
    const seconds = this.#pace.secondsFor(this.#file.size - this.#sending.sent);
    if (seconds === null || this.#sending.isWhole) return "";
    if (seconds < 60) return this.#words.say("moment");
    const minutes = Math.round(seconds / 60);
    if (minutes < 60) return this.#words.say("minutes", { minutes });
    return this.#words.say("hours", { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
  }

  #show(name, isShown) {
    const element = this.#part(name);
    if (element) element.hidden = !isShown;
  }

  /** Only what is new is written: a screen reader says it again each time. */
  #say(name, text) {
    const element = this.#part(name);
    if (element.textContent !== text) element.textContent = text;
  }
}

/** How fast it goes: bytes a second, smoothed, what had to be sent again taken off. */
class Pace {
  #rate = 0;
  #seconds = 0;
  #sent = null;

  /** To be told each second. */
  note(sent) {
    if (this.#sent !== null) {
      this.#seconds += 1;
      const weight = Math.max(SMOOTHING, 1 / this.#seconds);
      this.#rate += weight * (sent - this.#sent - this.#rate);
    }
    this.#sent = sent;
  }

  /** Seconds for so many bytes, or null while that is not known. */
  secondsFor(bytes) {
    return this.#seconds >= KNOWN_AFTER_SECONDS && this.#rate > 0 ? bytes / this.#rate : null;
  }
}

/** The sentences of a <template>, each named by `data-word`, with {places} to fill. */
class Words {
  #texts;

  constructor(template) {
    const elements = template.content.querySelectorAll("[data-word]");
    this.#texts = new Map(Array.from(elements, (element) => [element.dataset.word, element.textContent.trim()]));
  }

  say(word, values = {}) {
    return this.#texts.get(word).replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  size(bytes) {
    const form = { style: "unit", unit: "megabyte", maximumFractionDigits: 1 };
    return new Intl.NumberFormat(document.documentElement.lang, form).format(bytes / 1e6);
  }
}

/** Leaving loses nothing that is safe, and the page says so; but what is under way stops. */
function askFirst(event) {
  event.preventDefault();
  event.returnValue = true; // for browsers of before 2024
}

let lock = null;

/** A phone whose screen goes dark stops sending. Where a browser cannot, or will not now, it is left at that. */
async function stayAwake() {
  try {
    lock = (await navigator.wakeLock?.request("screen")) ?? null;
  } catch {
    // the battery is low, or the page is not in front
  }
}

function mayDoze() {
  lock?.release();
  lock = null;
}

for (const root of document.querySelectorAll("[data-upload]")) new UploadPage(root);
