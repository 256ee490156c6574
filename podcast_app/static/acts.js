// What asks for a whole file on a telephone: its button says how far it is and cancels it, and how it ended is said in
// words. Used by send.js and keep.js.
import { Words, tell } from "./words.js";

const panel = document.querySelector("[data-share]");
const said = panel.querySelector("[data-share-said]");
const running = new WeakMap();

export const words = new Words(panel.querySelector("template"));
export const say = (word) => tell(said, words.say(word));

/** Runs `work(signal, progress)` and gives what it gives; undefined where it failed, which is said. A press cancels. */
export async function act(button, work) {
  if (running.has(button)) return running.get(button).abort();
  const ending = new AbortController();
  const before = button.textContent;
  running.set(button, ending);
  tell(said, "");
  try {
    return await work(ending.signal, (part) => {
      button.textContent = words.say("cancel", { percent: Math.floor(100 * Math.min(part, 1)) });
    });
  } catch (failure) {
    say(ending.signal.aborted ? "cancelled" : (FAILURES[failure.name] ?? (navigator.onLine ? "failed" : "offline")));
  } finally {
    running.delete(button);
    button.textContent = before;
  }
}

/** The file at this address, as an answer whose body is counted while it is read. `size`: about, in bytes. */
export async function fetched(address, size, signal, progress) {
  progress(0);
  const answer = await fetch(address, { signal, credentials: "omit" });
  if (!answer.ok) throw new DOMException(`${answer.status} for ${address}`, "NotFoundError");
  const total = Number(answer.headers.get("Content-Length")) || size;
  let arrived = 0;
  const counting = new TransformStream({
    transform(chunk, way) {
      arrived += chunk.byteLength;
      progress(arrived / total);
      way.enqueue(chunk);
    },
  });
  const headers = { "Content-Type": answer.headers.get("Content-Type"), "Content-Length": total };
  return new Response(answer.body.pipeThrough(counting), { headers });
}

// What browsers call it: our word for it.
const FAILURES = {
  NotFoundError: "gone",
  QuotaExceededError: "full",
};
