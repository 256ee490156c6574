// Answers in the site's place where there is no network, with what somebody keeps (keep.js). It is here from the first
// episode that is kept to the last.
import { LOCK, forget, keepOnly, keys, open, record, records, write } from "/static/sw/keeping.js";

// What is no listener's page is none of ours; nor is the player on other sites.
const CLOSED = /^\/(?:account|admin|api|login|logout|metrics|oembed|preview|setup|studio)(?:\/|$)|\/embed$/;
const A_DAY = 86_400_000; // ms

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim().then(tidy)));

self.addEventListener("fetch", (event) => {
  const { origin, pathname, search } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== location.origin || CLOSED.test(pathname)) return;
  if (pathname.startsWith("/media/")) {
    if (!search) event.respondWith(sound(event.request, pathname)); // with one, it is a download
  } else if (event.request.mode === "navigate") event.respondWith(page(event, pathname));
  else if (pathname.startsWith("/static/")) event.respondWith(unchanging(event.request));
  else event.respondWith(current(event.request));
});

// An episode's pages are to be stored; the answer is empty, or names what went wrong.
self.addEventListener("message", (event) => {
  const { key, pages } = event.data;
  const [asker] = event.ports;
  event.waitUntil(
    store(key, pages).then(
      () => asker.postMessage(""),
      ({ name }) => asker.postMessage(name),
    ),
  );
});

// --- pages: from the network, or as they are kept ---

async function page(event, path) {
  try {
    const answer = await fetch(event.request);
    event.waitUntil(visited(path));
    return answer;
  } catch (failure) {
    return (await kept(path)) ?? (await listOf(path)) ?? Promise.reject(failure);
  }
}

/** Whatever was asked for, without a network there is the list of what is kept, in the language of the address. */
async function listOf(path) {
  const lists = (await records()).flatMap(({ lists }) => lists);
  const first = path.split("/")[1];
  return lists.length ? kept(lists.find((list) => list.split("/")[1] === first) ?? lists[0]) : undefined;
}

async function unchanging(request) {
  return (await kept(request.url)) ?? fetch(request);
}

async function current(request) {
  try {
    return await fetch(request);
  } catch (failure) {
    return (await kept(request.url)) ?? Promise.reject(failure);
  }
}

const kept = (address) => caches.match(address, { ignoreSearch: true, ignoreVary: true });

// --- sound: from what is kept, in the parts that players ask for ---

async function sound(request, path) {
  const here = await kept(path);
  if (here) return inRange(request.headers.get("Range"), await here.blob());
  try {
    return await fetch(request);
  } catch (failure) {
    return (await smaller(request, path)) ?? Promise.reject(failure);
  }
}

/** Without a network the kept copy takes the place of the others: from the beginning, so that no two are mixed. */
async function smaller(request, path) {
  const episode = (await records()).find(({ others }) => others.includes(path));
  const isBeginning = (request.headers.get("Range") ?? "bytes=0-") === "bytes=0-";
  return episode && isBeginning ? Response.redirect(episode.audio) : undefined;
}

/** RFC 9110, 14: one range; what is none is not heard. Players of Apple and Google seek only in what is answered so. */
function inRange(asked, blob) {
  const [, first, last] = /^bytes= *(\d*)-(\d*)$/i.exec(asked ?? "") ?? ["", "", ""];
  const isNone = (!first && !last) || (last && Number(last) < Number(first));
  const { size, type } = blob;
  const headers = { "Accept-Ranges": "bytes", "Content-Type": type };
  if (isNone) return new Response(blob, { headers: { ...headers, "Content-Length": size } });
  const start = first ? Number(first) : Math.max(0, size - Number(last));
  const stop = first && last ? Math.min(Number(last) + 1, size) : size;
  if (start >= stop) return new Response(null, { status: 416, headers: { "Content-Range": `bytes */${size}` } });
  const range = { "Content-Range": `bytes ${start}-${stop - 1}/${size}`, "Content-Length": stop - start };
  return new Response(blob.slice(start, stop, type), { status: 206, headers: { ...headers, ...range } });
}

// --- what is kept stays as it is on the site ---

/** A page was opened with a network. What left the site leaves this device; the rest is looked at once a day. */
async function visited(path) {
  await tidy();
  for (const episode of await records()) {
    if (episode.pages.includes(path) || Date.now() - episode.looked > A_DAY) await refresh(episode);
  }
}

/** What was begun and never finished (a page that was closed, a telephone that ran empty) goes, and with the last of it
 * this worker. */
async function tidy() {
  await navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => {
    if (!lock) return; // one is on its way
    for (const key of await keys()) {
      const whole = await record(key);
      await (whole ? keepOnly(key, whole.audio) : forget(key, self.registration));
    }
    if ((await keys()).length === 0) await self.registration.unregister();
  });
}

async function refresh(episode) {
  const { status } = await fetch(episode.key, { cache: "no-cache" });
  if (status === 410) return forget(episode.key, self.registration);
  if (status !== 200) return;
  await store(episode.key, [...episode.pages, ...episode.lists], episode.audio);
  if (await record(episode.key)) await write({ ...episode, looked: Date.now() });
}

/** Keeps these pages and all that they name, at once or not at all. Pages that no longer name this audio stay as they
 * are: their recording was replaced, and the new one is not here. */
async function store(key, pages, audio) {
  const found = new Map();
  const wanted = new Set(pages.map((page) => new URL(page, location.origin).href));
  for (const address of wanted) {
    const answer = unmoved(await fetch(address));
    if (!answer.ok) continue;
    found.set(address, answer.clone());
    if (!/^text\/(?:html|css|javascript)/.test(answer.headers.get("Content-Type"))) continue;
    for (const other of named(await answer.text(), address)) wanted.add(other);
  }
  const first = new URL(pages[0], location.origin).href;
  if (!found.has(first)) throw new DOMException(first, "NotFoundError");
  if (audio && !(await found.get(first).clone().text()).includes(audio)) return;
  const cache = await open(key);
  for (const [address, answer] of found) await cache.put(address, answer);
  const gone = (await cache.keys()).filter(({ url }) => url.includes("/static/") && !found.has(url));
  for (const request of gone) await cache.delete(request);
}

/** Browsers take no answer to a navigation that was itself led elsewhere, as after a show was renamed. */
function unmoved(answer) {
  const { body, headers, redirected, status } = answer;
  return redirected ? new Response(body, { headers, status }) : answer;
}

/** What pages need of what a text names: scripts, styles and pictures of ours, covers in WebP, transcripts. Somebody's
 * notes may name other things. */
function named(text, address) {
  const names = text.matchAll(/["'(\s]([\w.:/-]+\.(?:js|css|svg|webp|json))(?=["')\s])/g);
  const urls = Array.from(names, ([, name]) => new URL(name, address));
  const isPart = /^\/static\/|^\/[^/]+\/(?:[^/]+\/)?(?:cover-|transcript\.)[^/]*$/;
  const isOurs = ({ origin, pathname }) => origin === location.origin && isPart.test(pathname) && !CLOSED.test(pathname);
  return urls.filter(isOurs).map(String);
}
