// The list of what is kept on this device, read from where it lies: with a network and without.
import { forget, note, records } from "./keeping.js";
import { Words, tell } from "./words.js";

const list = document.querySelector("[data-kept-list]");
const [item, sentences] = ["item", "words"].map((name) => document.querySelector(`template[data-kept-${name}]`));
const words = new Words(sentences);
const part = (root, name) => root.querySelector(`[data-kept-${name}]`);

async function show() {
  const episodes = await records();
  await note();
  list.replaceChildren(...episodes.map(line));
  document.querySelector("[data-kept-none]").hidden = episodes.length > 0;
  const bytes = episodes.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  tell(document.querySelector("[data-kept-total]"), bytes ? words.say("total", { size: words.size(bytes) }) : "");
}

function line(episode) {
  const made = item.content.cloneNode(true);
  const [title, about, audio, remove] = ["title", "about", "audio", "remove"].map((name) => part(made, name));
  const first = location.pathname.split("/")[1];
  title.href = episode.pages.find((page) => page.split("/")[1] === first) ?? episode.key;
  title.textContent = episode.title;
  title.lang = episode.language;
  about.textContent = [episode.show, episode.date, words.size(episode.size_bytes)].join(" · ");
  audio.src = episode.audio;
  audio.setAttribute("aria-label", words.say("listen", { title: episode.title }));
  remove.setAttribute("aria-label", words.say("remove", { title: episode.title }));
  remove.addEventListener("click", () => removed(episode));
  return made;
}

async function removed({ key, title }) {
  await forget(key, await navigator.serviceWorker.getRegistration("/"));
  await show();
  tell(document.querySelector("[data-kept-said]"), words.say("removed", { title }));
  document.querySelector("h1").focus(); // the button that had it is gone
}

if (window.caches && navigator.serviceWorker) await show();
