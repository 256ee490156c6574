// Another recording for an episode travels in parts; when it is here, the form is sent with its id instead of the file.
// Without this it is a plain form, which brings the file along.

import { takeDrops } from "./drop.js";
import { askFirst, Recording } from "./recording.js";
import { Words } from "./words.js";

class Replacement {
  #form;
  #recording;

  constructor(form) {
    this.#form = form;
    const { show } = form.closest("[data-upload]").dataset;
    this.#recording = new Recording(this.#part("recording"), new Words(this.#part("words")), show);
    this.#part("without-script").hidden = true;
    form.addEventListener("submit", (event) => this.#submit(event));
    takeDrops((files) => this.#recording.isFree && (this.#part("file").files = files));
    addEventListener("beforeunload", (event) => this.#recording.isRunning && askFirst(event));
  }

  #part(name) {
    return this.#form.querySelector(`[data-${name}]`);
  }

  #submit(event) {
    const [file] = this.#part("file").files;
    if (!file) return; // one that waits was chosen
    event.preventDefault();
    this.#send(file);
  }

  async #send(file) {
    this.#part("choose").hidden = true;
    const upload = await this.#recording.send(file);
    if (upload) return this.#take(upload.id);
    this.#part("choose").hidden = false;
    if (document.activeElement === document.body) this.#part("file").focus({ preventScroll: true });
  }

  #take(id) {
    this.#part("file").value = ""; // it is there already
    const named = document.createElement("input"); // the last of this name counts
    Object.assign(named, { type: "hidden", name: "upload_id", value: id });
    this.#form.append(named);
    this.#form.submit();
  }
}

for (const form of document.querySelectorAll("[data-replace]")) new Replacement(form);
