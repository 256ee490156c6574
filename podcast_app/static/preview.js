// What listeners will get, beside the form, as it is typed. The server makes it, from the same form.

const PAUSE_MS = 600; // after the last key
const WIDE = "(min-width: 76rem)"; // as studio_episode.css

class Preview {
  #place;
  #form = document.getElementById("episode");
  #details;
  #frame;
  #query;
  #shown = ""; // the page as the server made it
  #timer = 0;
  #turn = 0; // an answer that was overtaken is not shown

  constructor(place) {
    this.#place = place;
    this.#details = place.querySelector("details");
    this.#frame = place.querySelector("[data-frame]");
    this.#query = place.querySelector("[aria-pressed=true]").dataset.query;
    place.hidden = false;
    for (const other of document.querySelectorAll("[data-without-preview]")) other.hidden = true;
    this.#details.open = matchMedia(WIDE).matches;
    this.#details.addEventListener("toggle", () => this.#soon(0));
    place.addEventListener("click", ({ target }) => target.dataset.query && this.#choose(target));
    for (const kind of ["input", "change"]) this.#form.addEventListener(kind, () => this.#soon(PAUSE_MS));
    this.#soon(0);
  }

  #choose(button) {
    for (const other of this.#place.querySelectorAll("[data-query]")) other.setAttribute("aria-pressed", other === button);
    this.#query = button.dataset.query;
    this.#shown = "";
    this.#soon(0);
  }

  #soon(after) {
    clearTimeout(this.#timer);
    if (this.#details.open) this.#timer = setTimeout(() => this.#ask(), after);
  }

  async #ask() {
    const turn = ++this.#turn;
    const [address, body] = [`${this.#place.dataset.preview}?${this.#query}`, new URLSearchParams(new FormData(this.#form))];
    try {
      const answer = await fetch(address, { method: "POST", body });
      const page = await answer.text();
      if (turn !== this.#turn) return;
      if (answer.ok) this.#show(page);
      this.#place.querySelector("[data-away]").hidden = answer.ok;
    } catch {
      this.#place.querySelector("[data-away]").hidden = false;
    }
  }

  /** The first page is loaded; of later ones only what is in it changes, so that nothing flickers or scrolls away. */
  #show(page) {
    if (page === this.#shown) return;
    const isFirst = this.#shown === "";
    this.#shown = page;
    const shown = this.#frame.contentDocument;
    if (isFirst || !shown?.body?.children.length) {
      this.#frame.srcdoc = page;
      return;
    }
    const next = shown.adoptNode(new DOMParser().parseFromString(page, "text/html").body);
    goOnPlaying(shown.querySelector("audio"), next.querySelector("audio"));
    const { scrollX, scrollY } = this.#frame.contentWindow;
    shown.body.replaceWith(next);
    this.#frame.contentWindow.scrollTo(scrollX, scrollY);
  }
}

function goOnPlaying(audio, next) {
  if (!audio || !next || audio.paused || audio.src !== next.src) return;
  next.replaceWith(audio);
  queueMicrotask(() => audio.play());
}

const place = document.querySelector("[data-preview]");
if (place) new Preview(place);
