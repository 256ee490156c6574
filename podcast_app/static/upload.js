// A recording on its way to this site in parts: over dead connections, reloads, other machines and days.
//
// Nothing is remembered here. Which parts are safe is asked of the site, at the start and after whatever went wrong; so
// one way leads on from everything: rest a little, look again, send what is missing. upload_page.js shows it to people.

/** @typedef {{number: number, size_bytes: number, arrived: boolean, url: string | null,
 *     fallback_url: string | null}} Part */
/** @typedef {{id: string, show: string, state: string, filename: string, size_bytes: number, fingerprint: string | null,
 *     episode: string | null, parts: Part[] | null}} Upload  as docs/api.md describes it */
/** @typedef {{status: number, isPage: boolean, isQuiet: boolean, said: any}} Answer  status 0: none came */

const PARALLEL = 3; // parts at once
const QUIET_MS = 30_000; // no byte moved for so long: the connection is dead, though nobody said so
const LONGEST_QUIET_MS = 240_000; // for a part that was given up before: the line may just be that slow
const ANSWER_PATIENCE = 4; // times as long after the last byte: it may still wait in this machine's own buffers
const JOINING_MS = 600_000; // for the site to put gigabytes together
const FRESH_MS = 600_000; // older addresses are asked for anew before they are used: a laptop may have slept
const LONGEST_REST_MS = 30_000;
const REFUSALS = { never: 2, before: 6 }; // of one part, until the bucket is left alone: had it ever taken one?

/** Only a person can go on from here: another file, another right, another proxy. */
export class Halt extends Error {
  /** @param {"refused" | "gone" | "unreadable" | "changed" | "too-large"} reason; `detail` is for reading */
  constructor(reason, detail = "") {
    super(detail || reason);
    this.reason = reason;
    this.detail = detail;
  }
}

/** What the site knows of a show's uploads. It is asked until it answers, however long that takes. */
export class Site {
  /** Why it does not answer now: "offline", "silent", "signed-out", "full", "busy" or "page"; null when it does. */
  trouble = null;
  #show;
  #language;
  #changed;

  /** `language`: of what it says to people; `changed` is called when `trouble` is another. */
  constructor(show, language, changed) {
    this.#show = show;
    this.#language = language;
    this.#changed = changed;
  }

  /**
   * The upload of this very file that is on its way, or has arrived and waits for its episode.
   * @returns {Promise<{upload: Upload | null, hasNamesake: boolean}>} hasNamesake: another file has its name and size
   */
  async find(file, print, signal) {
    let hasNamesake = false;
    for (const state of ["open", "complete"]) {
      for await (const upload of this.#listed(state, signal)) {
        if (upload.episode || upload.size_bytes !== file.size || plain(upload.filename) !== plain(file.name)) continue;
        if (upload.fingerprint === print) return { upload, hasNamesake };
        hasNamesake = true;
      }
    }
    return { upload: null, hasNamesake };
  }

  /** @returns {Promise<Upload>} a new one; a single one, even when the first answer is lost on its way */
  async begin(file, print, signal) {
    const asked = { show: this.#show, filename: file.name, size_bytes: file.size, fingerprint: print };
    const headers = { "Idempotency-Key": randomKey() };
    for (let tries = 0; ; tries++) {
      const answer = await this.#ask("POST", "", { signal, headers, body: asked, expects: [409] });
      if (answer.status !== 409) return answer.said;
      await rest(tries, signal); // the first time is still being answered
    }
  }

  /** @returns {Promise<Upload>} with what has arrived, and fresh addresses */
  async look(id, signal) {
    return (await this.#ask("GET", `/${id}`, { signal })).said;
  }

  /** @returns {Promise<Upload | null>} null: parts are missing. It may be said again. */
  async complete(id, signal) {
    const answer = await this.#ask("POST", `/${id}/complete`, { signal, expects: [409], patience: JOINING_MS });
    return answer.status === 409 ? null : answer.said;
  }

  async cancel(id, signal) {
    await this.#ask("DELETE", `/${id}`, { signal, expects: [404, 409] });
  }

  async *#listed(state, signal) {
    for (let cursor = ""; cursor !== null; ) {
      const query = new URLSearchParams({ show: this.#show, state, limit: "100", ...(cursor && { cursor }) });
      const page = (await this.#ask("GET", `?${query}`, { signal })).said;
      yield* page.items;
      cursor = page.next;
    }
  }

  /** @returns {Promise<Answer>} below 400, or one that is expected. Throws Halt for the others. */
  async #ask(method, path, { signal, headers = {}, body, expects = [], patience = QUIET_MS }) {
    const said = { "Accept-Language": this.#language, ...(body && { "Content-Type": "application/json" }), ...headers };
    for (let tries = 0; ; tries++) {
      const asked = { signal, headers: said, patience, body: body && JSON.stringify(body) };
      const answer = await request(method, `/api/v1/uploads${path}`, asked);
      this.#note(troubleOf(answer) ?? (answer.said || answer.status === 204 ? null : "page"));
      if (this.trouble) {
        await rest(tries, signal);
        continue;
      }
      if (answer.status < 400 || expects.includes(answer.status)) return answer;
      throw answer.status === 404 ? new Halt("gone") : new Halt("refused", answer.said.detail);
    }
  }

  #note(trouble) {
    const isNews = trouble !== this.trouble;
    this.trouble = trouble;
    if (isNews) this.#changed();
  }
}

/** `tries`: failed ones in a row; `sent`: bytes handed over, while it is under way. */
const NEW_PART = { tries: 0, sent: 0, patience: QUIET_MS };

/** A file that is being sent. */
export class Sending {
  isRelayed = false; // parts go through the site, because the bucket does not let this browser in
  #site;
  #file;
  #upload;
  #changed;
  #parts = []; // as the site names them, each with what is ours in NEW_PART
  #isOpen = true;
  #lanes = PARALLEL;
  #lookedAt = 0;
  #looking = null;
  #trouble = null;
  #bucketTookOne = false;

  /** `changed` is called whenever there is something new to show. */
  constructor(site, file, upload, changed) {
    this.#site = site;
    this.#file = file;
    this.#upload = upload;
    this.#changed = changed;
  }

  get id() {
    return this.#upload.id;
  }

  get total() {
    return this.#parts.length;
  }

  get safe() {
    return this.#parts.filter((part) => part.arrived).length;
  }

  /** Bytes that are safe or under way: it falls back when a part has to be sent again. */
  get sent() {
    return this.#parts.reduce((sum, part) => sum + (part.arrived ? part.size_bytes : part.sent), 0);
  }

  get partSize() {
    return this.#parts[0].size_bytes;
  }

  get isWhole() {
    return this.total > 0 && this.safe === this.total;
  }

  /** Why it does not get on: one of the site's troubles, or "cut", or "stubborn" when that goes on; else null. */
  get trouble() {
    return this.#site.trouble ?? this.#trouble;
  }

  /**
   * Send what is missing, until the site says that it has a recording. It may be stopped by `signal` and run again.
   * @returns {Promise<Upload>} complete. Throws Halt, and the signal's reason when it was stopped.
   */
  async run(signal) {
    this.#trouble = null;
    for (let tries = 0; ; tries++) {
      await this.#look(signal);
      await this.#sendMissing(signal);
      if (this.#isOpen) await this.#mustBeTheSame(signal);
      const complete = await this.#site.complete(this.id, signal);
      if (complete) return complete;
      await rest(tries, signal);
    }
  }

  /** What is no longer open takes no parts: completing it says how it stands. */
  async #look(signal) {
    const { state, parts } = await this.#site.look(this.id, signal);
    this.#isOpen = state === "open";
    for (const part of parts ?? []) {
      this.#parts[part.number - 1] = Object.assign(this.#parts[part.number - 1] ?? { ...NEW_PART }, part);
    }
    if (!this.#isOpen) for (const part of this.#parts) part.arrived = true;
    this.#lookedAt = Date.now();
    this.#changed();
  }

  /** The same for several parts at once, which ask only once. */
  #lookTogether(signal) {
    this.#looking ??= this.#look(signal).finally(() => (this.#looking = null));
    return this.#looking;
  }

  async #sendMissing(signal) {
    const sending = new Map(); // a part, and its attempt
    for (;;) {
      const waiting = this.#parts.filter((part) => !part.arrived && !sending.has(part));
      for (const part of waiting.slice(0, Math.max(0, this.#lanes - sending.size))) {
        const attempt = this.#attempt(part, signal).finally(() => sending.delete(part));
        attempt.catch(() => {}); // of several that are stopped at once, only the first is waited for
        sending.set(part, attempt);
      }
      if (!sending.size) return;
      await Promise.race(sending.values());
    }
  }

  /** Afterwards the part is safe; or else a while has passed, and its address is fresh. */
  async #attempt(part, signal) {
    if (Date.now() - this.#lookedAt > FRESH_MS) await this.#lookTogether(signal);
    if (part.arrived) return;
    if (!part.url) throw new Halt("refused"); // only producers get addresses, and this person is none any more
    const isDirect = part.fallback_url !== null && !this.isRelayed;
    const answer = await this.#put(part, isDirect ? part.url : (part.fallback_url ?? part.url), signal);
    if (answer.status >= 200 && answer.status < 300 && !answer.isPage) this.#isSafe(part, isDirect);
    else await this.#failed(part, answer, isDirect, signal);
  }

  async #put(part, url, signal) {
    const start = (part.number - 1) * this.partSize;
    const body = this.#file.slice(start, start + part.size_bytes);
    const onProgress = (sent) => {
      part.sent = sent;
      this.#changed();
    };
    try {
      return await request("PUT", url, { signal, body, onProgress, patience: part.patience });
    } finally {
      part.sent = 0;
      this.#changed();
    }
  }

  #isSafe(part, isDirect) {
    Object.assign(part, NEW_PART, { arrived: true });
    this.#bucketTookOne ||= isDirect;
    this.#lanes = Math.min(this.#lanes + 1, PARALLEL);
    this.#trouble = null;
    this.#changed();
  }

  /** Three at once on a line that is cut every minute may never end one: so one alone, until that arrives. */
  async #failed(part, answer, isDirect, signal) {
    if (answer.status === 413 && !isDirect) throw new Halt("too-large");
    if (answer.status === 0) await mustBeReadable(this.#file);
    this.#lanes = 1;
    part.tries += 1;
    if (answer.isQuiet) part.patience = Math.min(2 * part.patience, LONGEST_QUIET_MS);
    this.#trouble = partTrouble(answer, part.tries);
    this.#changed();
    await rest(part.tries - 1, signal);
    await this.#lookTogether(signal);
    // The site answers; so if nothing came, or a refusal, that was the bucket, or what stands before it.
    const mostRefusals = this.#bucketTookOne ? REFUSALS.before : REFUSALS.never;
    if (isDirect && answer.status < 500 && part.tries >= mostRefusals) this.isRelayed = true;
  }

  /** A file that was written to meanwhile would be old at one end and new at the other. */
  async #mustBeTheSame(signal) {
    const print = await fingerprint(this.#file);
    signal.throwIfAborted();
    if (print === this.#upload.fingerprint) return;
    await this.#site.cancel(this.id, signal);
    throw new Halt("changed");
  }
}

const SAMPLE_BYTES = 4096;
const CLOSEST = 64 * 1024; // bytes from one sample to the next: a second of WAV that was made silent is noticed
const MOST_SAMPLES = 8192; // of larger files they lie further apart

/** What tells this file from others of its name and size, the same on every machine (docs/api.md). Throws Halt. */
export async function fingerprint(file) {
  const samples = [];
  const stride = CLOSEST * Math.ceil(file.size / (CLOSEST * MOST_SAMPLES));
  for (let start = 0; start < file.size; start += stride) samples.push(file.slice(start, start + SAMPLE_BYTES));
  samples.push(file.slice(Math.max(0, file.size - SAMPLE_BYTES)));
  try {
    const bytes = new Uint8Array(await new Blob(samples).arrayBuffer());
    return `sampled-1:${crc32(bytes).toString(16).padStart(8, "0")}`;
  } catch {
    throw new Halt("unreadable");
  }
}

/** As zlib's. crypto.subtle, which knows better sums, is missing on plain http. */
function crc32(bytes) {
  const table = Array.from({ length: 256 }, (_, byte) => {
    for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? (byte >>> 1) ^ 0xedb88320 : byte >>> 1;
    return byte;
  });
  let sum = -1;
  for (const byte of bytes) sum = table[(sum ^ byte) & 0xff] ^ (sum >>> 8);
  return (sum ^ -1) >>> 0;
}

/** A moved, rewritten or unplugged file looks like a dead connection to XMLHttpRequest. */
async function mustBeReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    throw new Halt("unreadable");
  }
}

/** What stands between us and an answer that means something; null: nothing does. */
function troubleOf({ status, isPage }) {
  if (status === 0) return navigator.onLine ? "silent" : "offline";
  if (status === 401) return "signed-out";
  if (status === 507) return "full";
  if (status >= 500 || status === 429 || status === 408) return "busy";
  return isPage ? "page" : null;
}

/** The same for a part. A first failure is nothing to speak of: the next try has a fresh address, or another door. */
function partTrouble(answer, tries) {
  const trouble = troubleOf(answer);
  if (trouble && trouble !== "silent") return trouble;
  if (tries > 5) return "stubborn";
  return tries > 2 ? "cut" : null;
}

/** A while that grows with the tries in vain: one to two seconds, two to four ... Less, when something may be new. */
function rest(tries, signal) {
  const longest = Math.min(2000 * 2 ** tries, LONGEST_REST_MS);
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener("online", end);
      removeEventListener("focus", end); // back from another tab, perhaps signed in
      signal.removeEventListener("abort", end);
      signal.aborted ? reject(signal.reason) : resolve();
    };
    const timer = setTimeout(end, longest * (0.5 + Math.random() / 2));
    addEventListener("online", end);
    addEventListener("focus", end);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}

/**
 * One request, given up when nothing moves. fetch() does not say what has been sent.
 * @returns {Promise<Answer>} Throws only the signal's reason.
 */
function request(method, url, { signal, headers = {}, body, onProgress, patience = QUIET_MS }) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const xhr = new XMLHttpRequest();
    let isQuiet = false;
    let timer;
    const stop = () => xhr.abort();
    const waitFor = (ms) => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        isQuiet = true;
        stop();
      }, ms);
    };
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    if (onProgress) {
      xhr.upload.onprogress = ({ loaded }) => {
        waitFor(patience);
        onProgress(loaded);
      };
      xhr.upload.onload = () => waitFor(ANSWER_PATIENCE * patience);
    }
    xhr.onloadend = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      signal.aborted ? reject(signal.reason) : resolve({ ...answerOf(xhr), isQuiet });
    };
    signal.addEventListener("abort", stop);
    waitFor(patience);
    xhr.send(body ?? null);
  });
}

/** `isPage`: somebody else's, of a proxy or of a Wi-Fi that wants us to sign in; we and buckets answer without. */
function answerOf(xhr) {
  const type = xhr.getResponseHeader("Content-Type") ?? "";
  const isPage = type.startsWith("text/html") && xhr.responseText !== "";
  return { status: xhr.status, isPage, said: type.includes("json") ? parsed(xhr.responseText) : null };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // cut off
  }
}

/** A name as the site keeps it, near enough: some machines write é as two characters. */
function plain(name) {
  return name.normalize("NFC").replace(/\s+/g, " ").trim();
}

/** crypto.randomUUID is missing on plain http. */
function randomKey() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(36)).join("-");
}
