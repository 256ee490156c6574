// Where kept episodes lie: a cache for each, which holds its audio, its pages, what these need, and last of all a record
// that says it is whole. For pages and the worker alike.

const OURS = "kept ";
const RECORD = "/sw/record"; // nobody's address

export const LOCK = "keeping"; // held while an episode is on its way

/** `key`: the path of the episode's page in the show's own language. */
export const open = (key) => caches.open(OURS + key);

/** Of whole episodes and of others. */
export async function keys() {
  const names = await caches.keys();
  return names.filter((name) => name.startsWith(OURS)).map((name) => name.slice(OURS.length));
}

/** Kept episodes, the newest first. A record holds what the episode's page said (sharing.py), `arrived` and `looked`. */
export async function records() {
  const found = await Promise.all((await keys()).map(record));
  return found.filter(Boolean).sort((one, other) => other.arrived - one.arrived);
}

export async function record(key) {
  if (!(await caches.has(OURS + key))) return undefined;
  const answer = await (await open(key)).match(RECORD);
  return answer?.json();
}

/** It is whole from now on. */
export async function write(record) {
  const cache = await open(record.key);
  await cache.put(RECORD, new Response(JSON.stringify(record)));
}

/** Of an episode's recordings, which may have been replaced, this one stays. */
export async function keepOnly(key, audio) {
  const cache = await open(key);
  const others = (await cache.keys()).filter(({ url }) => url.includes("/media/") && new URL(url).pathname !== audio);
  for (const request of others) await cache.delete(request);
}

/** Nothing of it remains, and nothing at all of ours after the last one. `registration`: of the worker. */
export async function forget(key, registration) {
  await caches.delete(OURS + key);
  if ((await keys()).length === 0) await registration?.unregister();
}

/** So that pages look here at all: share.js. For pages alone; the worker cannot. */
export async function note() {
  if ((await keys()).length) localStorage.kept = 1;
  else localStorage.removeItem("kept");
}
