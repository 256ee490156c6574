// "Keep this episode": its light file, its text and the pages lie on this device until somebody removes them.
import { act, fetched, say, words } from "./acts.js";
import { LOCK, forget, keepOnly, note, open, record, write } from "./keeping.js";

/** What the button says of the episode, which is what is written down with it. */
const said = (button) => ({ key: button.value, ...JSON.parse(button.dataset.keep) });

export async function press(button) {
  if (button.dataset.label) return remove(button);
  const episode = said(button);
  const isKept = await act(button, (signal, progress) =>
    navigator.locks.request(LOCK, { signal }, () => keep(episode, signal, progress)),
  );
  if (isKept) await show(button).then(() => say("kept"));
}

/** The button as things are: the recording is kept, or it is not, or an older one is. */
export async function show(button) {
  const { key, audio } = said(button);
  const kept = await record(key);
  await note();
  if (kept?.audio !== audio) return;
  button.dataset.label = button.textContent;
  button.textContent = words.say("remove");
}

async function remove(button) {
  await forget(button.value, await navigator.serviceWorker.getRegistration("/"));
  await note();
  button.textContent = button.dataset.label;
  delete button.dataset.label;
  say("removed");
}

async function keep(episode, signal, progress) {
  const before = await record(episode.key); // an older recording of it, whole
  navigator.storage.persist?.(); // asked, not waited for: Firefox asks the person
  await hasRoom(episode.size_bytes);
  await navigator.serviceWorker.register("/sw.js", { type: "module" });
  const { active } = await navigator.serviceWorker.ready;
  try {
    const cache = await open(episode.key);
    const answer = await fetched(episode.audio, episode.size_bytes, signal, progress);
    await cache.put(episode.audio, answer);
    await asked(active, { key: episode.key, pages: [...episode.pages, ...episode.lists] });
    signal.throwIfAborted();
    await write({ ...episode, arrived: Date.now(), looked: Date.now() });
    await keepOnly(episode.key, episode.audio);
    return true;
  } catch (failure) {
    if (before) await keepOnly(episode.key, before.audio);
    else await forget(episode.key, await navigator.serviceWorker.getRegistration("/"));
    throw failure;
  }
}

async function hasRoom(size) {
  const { quota, usage } = await navigator.storage.estimate();
  if (quota - usage < size * 1.1) throw new DOMException("no room", "QuotaExceededError");
}

/** The worker's answer. It stores pages as it refreshes them later. */
function asked(worker, question) {
  const { port1, port2 } = new MessageChannel();
  return new Promise((done, failed) => {
    port1.onmessage = ({ data }) => (data ? failed(new DOMException(data, data)) : done());
    worker.postMessage(question, [port2]);
  });
}
