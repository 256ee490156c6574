// What the page around a player may ask of it, and hears from it, in two languages: WordPress's (height, links) and
// player.js's. Whoever it is may hear it: nothing in these messages is private.

const audio = document.querySelector("audio");
const main = document.querySelector("main");
const list = document.querySelector("[data-list]");
const say = (message) => parent.postMessage(message, "*");

list?.addEventListener("toggle", () => import(list.dataset.script), { once: true });

// --- WordPress, which puts "#?secret=..." behind the address of a frame that it knows ---
const [, secret] = /[?&]secret=(\w+)/.exec(location.hash) ?? [];
const tell = (message, value) => secret && say({ message, value, secret });
const tellHeight = () => tell("height", main.offsetHeight + 2); // with the line around it
new ResizeObserver(tellHeight).observe(main);

// A frame that is kept apart opens no window; WordPress goes there instead, where the page is ours.
addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || !secret || origin !== "null" || event.defaultPrevented || link.target === "_self") return;
  event.preventDefault();
  tell("link", link.href);
});

// --- player.js (0.0.11) ---
// Who wants to hear what, [event, listener]; it outlives the document when another episode takes its place (list.js).
self.listeners ??= [];

const send = (event, value, listener) =>
  say(JSON.stringify({ context: "player.js", version: "0.0.11", event, value, listener }));
const emit = (event, value) => {
  for (const [wanted, listener] of listeners) if (wanted === event) send(event, value, listener);
};
const fail = ({ message }) => emit("error", { code: -1, msg: message });
const getDuration = () => audio.duration || +audio.parentNode.dataset.seconds;
const at = (seconds) => ({ seconds, duration: getDuration() });
const moment = () => at(audio.currentTime);

const events = {
  play: null,
  pause: null,
  ended: null,
  timeupdate: moment,
  seeked: moment,
  progress: () => at(audio.buffered.length && audio.buffered.end(audio.buffered.length - 1)),
};

const methods = {
  __proto__: null,
  play: () => audio.play().catch(fail),
  pause: () => audio.pause(),
  getPaused: () => audio.paused,
  mute: () => (audio.muted = true),
  unmute: () => (audio.muted = false),
  getMuted: () => audio.muted,
  setVolume: (value) => (audio.volume = value / 100),
  getVolume: () => audio.volume * 100,
  getDuration,
  setCurrentTime: (value) => (audio.currentTime = value),
  getCurrentTime: () => audio.currentTime,
  setLoop: (value) => (audio.loop = value),
  getLoop: () => audio.loop,
  addEventListener(event, listener) {
    listeners.push([event, listener]);
    if (event === "ready") ready(listener);
  },
  removeEventListener(event, listener) {
    listeners = listeners.filter(([one, by]) => one !== event || (listener && by !== listener));
  },
};

const ready = (listener) => {
  const told = ["ready", "error", ...Object.keys(events)];
  send("ready", { src: location.href, events: told, methods: Object.keys(methods) }, listener);
};

addEventListener("message", ({ data, source }) => {
  if (source !== parent || !audio) return;
  if (data?.message === "ready") return tellHeight();
  try {
    const { context, method, value, listener } = JSON.parse(data);
    if (context !== "player.js") return;
    const answer = methods[method](value, listener);
    if (/^get/.test(method)) send(method, answer, listener);
  } catch {} // not meant for us, or no such thing can be done
});

if (audio) {
  for (const event in events) audio.addEventListener(event, () => emit(event, events[event]?.()));
  audio.addEventListener("error", () => fail(audio.error));
  ready();
}
