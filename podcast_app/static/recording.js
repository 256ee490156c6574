// One recording on its way, as people see it: how far it is, what holds it up, and what they can do about it.
// Its elements carry data- names inside `root`. upload.js does the work.

import { fingerprint, Halt, Sending, Site } from "./upload.js";
import { tell } from "./words.js";

const SMOOTHING = 0.1; // of each second's rate: the time left is not to jump with the Wi-Fi
const KNOWN_AFTER_SECONDS = 5;

export class Recording {
  #root;
  #words;
  #site;
  #begun;
  #phase = "still"; // or "looking", "sending", "paused", "cancelling"
  #file = null;
  #sending = null;
  #stop = new AbortController();
  #resume = () => {};
  #pace = new Pace();
  #found = ""; // what was found when this file was chosen

  /** `begun(upload, isOld)` is called as soon as the site knows of the upload; isOld: it knew before. */
  constructor(root, words, show, begun = () => {}) {
    this.#root = root;
    this.#words = words;
    this.#begun = begun;
    this.#site = new Site(show, document.documentElement.lang, () => this.#render());
    this.#part("pause").addEventListener("click", () => (this.#phase === "paused" ? this.goOn() : this.#pause()));
    this.#part("cancel").addEventListener("click", () => this.#cancel());
    document.addEventListener("visibilitychange", () => this.isRunning && stayAwake()); // it was lost when hidden
    setInterval(() => this.#tick(), 1000);
  }

  /** Whether bytes are lost time when the page is left now. */
  get isRunning() {
    return this.#phase === "looking" || this.#phase === "sending";
  }

  get isFree() {
    return this.#phase === "still";
  }

  /**
   * Go on with what is here of this file, or begin.
   * @returns {Promise<Upload | null>} complete; null when it was cancelled, or cannot go on: then that is said
   */
  async send(file) {
    this.#file = file;
    this.#found = "";
    tell(this.#part("stopped"), file.size ? "" : this.#words.say("empty"));
    if (!file.size) return null;
    try {
      for (;;) {
        this.#stop = new AbortController();
        try {
          return this.#ended(await this.#attempt(file, this.#stop.signal));
        } catch (reason) {
          if (this.#stop.signal.reason !== PAUSED) throw reason;
          if (await new Promise((resolve) => (this.#resume = resolve))) throw CANCELLED;
        }
      }
    } catch (reason) {
      return await this.#given(reason);
    } finally {
      mayDoze();
    }
  }

  goOn() {
    if (this.#phase !== "paused") return;
    this.#resume();
  }

  /** A sentence instead of how it goes; "" for none. */
  say(sentence) {
    this.#found = sentence;
    this.#render();
  }

  async #attempt(file, signal) {
    this.#phase = this.#sending ? "sending" : "looking";
    this.#pace = new Pace();
    this.#render();
    if (document.activeElement?.matches("body, [data-file]")) this.#part("sending").focus({ preventScroll: true });
    stayAwake();
    if (!this.#sending) {
      const upload = await this.#find(file, signal);
      if (upload.state === "complete") return upload;
    }
    this.#phase = "sending";
    return await this.#sending.run(signal);
  }

  async #find(file, signal) {
    const print = await fingerprint(file);
    signal.throwIfAborted();
    const { upload, hasNamesake } = await this.#site.find(file, print, signal);
    if (hasNamesake) this.#found = this.#words.say("namesake");
    const here = upload ?? (await this.#site.begin(file, print, signal));
    if (here.state !== "complete") {
      this.#sending = new Sending(this.#site, file, here, () => {
        if (upload && !this.#found && this.#sending?.total) this.#found = this.#words.say("found", this.#counts());
        this.#render();
      });
    }
    this.#begun(here, upload !== null);
    return here;
  }

  #ended(upload) {
    const word = this.#sending ? "ended" : "here";
    this.#reset();
    this.say(this.#words.say(word));
    return upload;
  }

  #pause() {
    this.#phase = "paused";
    this.#stop.abort(PAUSED);
    this.#render();
  }

  #cancel() {
    if (!confirm(this.#words.say("cancel-asked"))) return;
    const isPaused = this.#phase === "paused";
    this.#phase = "cancelling";
    this.#render();
    isPaused ? this.#resume(CANCELLED) : this.#stop.abort(CANCELLED);
  }

  /** What ended it without a recording. */
  async #given(reason) {
    if (reason === CANCELLED) return await this.#takenBack();
    this.#stop.abort(); // the parts beside the one that failed
    if (!(reason instanceof Halt)) console.error(reason);
    const word = reason instanceof Halt ? reason.reason : "broken";
    const said = reason.detail || this.#words.say(word, { size: this.#partSize() });
    this.#reset();
    tell(this.#part("stopped"), said);
    return null;
  }

  async #takenBack() {
    try {
      if (this.#sending) await this.#site.cancel(this.#sending.id, new AbortController().signal);
    } catch (reason) {
      return await this.#given(reason);
    }
    this.#reset();
    return null;
  }

  #reset() {
    this.#phase = "still";
    this.#sending = this.#file = null;
    this.#found = "";
    this.#render();
  }

  #part(name) {
    return this.#root.querySelector(`[data-${name}]`);
  }

  #tick() {
    if (this.#phase !== "sending") return;
    this.#pace.note(this.#sending.sent);
    this.#render();
  }

  #render() {
    this.#part("sending").hidden = this.isFree;
    this.#part("buttons").hidden = !this.isRunning && this.#phase !== "paused";
    this.#part("pause").hidden = this.#sending === null;
    this.#part("sign-in").hidden = !this.isRunning || this.#trouble !== "signed-out";
    this.#showIfThere("relayed", this.#sending?.isRelayed ?? false);
    tell(this.#part("name"), this.#file?.name ?? "");
    tell(this.#part("pause"), this.#words.say(this.#phase === "paused" ? "go-on" : "pause"));
    tell(this.#part("status"), this.#status());
    this.#renderProgress();
  }

  #renderProgress() {
    const isKnown = Boolean(this.#sending?.total);
    this.#part("bar").hidden = !isKnown;
    tell(this.#part("count"), isKnown ? this.#words.say("count", this.#counts()) : "");
    tell(this.#part("left"), this.#phase === "sending" && !this.#trouble ? this.#timeLeft() : "");
    // The last hundredth is for what the site does when all bytes are there: until then nothing is certain.
    if (isKnown) this.#part("bar").value = (0.99 * this.#sending.sent) / this.#file.size;
  }

  get #trouble() {
    return this.#sending ? this.#sending.trouble : this.#site.trouble;
  }

  #status() {
    if (this.isFree) return this.#found;
    if (this.#phase === "paused") return this.#words.say("paused");
    if (this.#trouble) return this.#words.say(this.#trouble, { size: this.#partSize() });
    if (this.#phase !== "sending") return this.#words.say(this.#phase);
    if (this.#sending.isWhole) return this.#words.say("whole");
    return this.#found || this.#words.say("sending");
  }

  #partSize() {
    return this.#sending?.total ? this.#words.size(this.#sending.partSize) : "";
  }

  #counts() {
    return { safe: this.#sending.safe, total: this.#sending.total };
  }

  #timeLeft() {
    const seconds = this.#pace.secondsFor(this.#file.size - this.#sending.sent);
    if (seconds === null || this.#sending.isWhole) return "";
    if (seconds < 60) return this.#words.say("moment");
    const minutes = Math.round(seconds / 60);
    if (minutes < 60) return this.#words.say("minutes", { minutes });
    return this.#words.say("hours", { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
  }

  /** For administrators only: outside of `root`, once for all recordings. */
  #showIfThere(name, isShown) {
    const element = document.querySelector(`[data-${name}]`);
    if (element) element.hidden = !isShown;
  }
}

/** Leaving loses nothing that is safe, and the page says so; but what is under way stops. */
export function askFirst(event) {
  event.preventDefault();
  event.returnValue = true; // for browsers of before 2024
}

const PAUSED = new Error("paused");
const CANCELLED = new Error("cancelled");

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
