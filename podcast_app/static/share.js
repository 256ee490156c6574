// Handing an episode on: its address with the present moment, the telephone's own ways, a player for other sites. What
// sends or keeps the audio itself is asked for at the first press (send.js, keep.js).

const part = (name, root = document) => root.querySelector(`[data-${name}]`);
const share = part("share");
let kept = Promise.resolve([]);
try {
  if (localStorage.kept) {
    kept = caches.keys(); // there is nothing before somebody keeps an episode: keeping.js
    kept.then(({ length }) => length || localStorage.removeItem("kept")); // the worker let the last one go
  }
} catch {
  // storage is refused, and so nothing is kept
}

const link = part("kept");
kept.then((names) => {
  if (!link || !names.length) return;
  link.textContent = link.dataset.kept.replace("{count}", names.length);
  link.hidden = false;
});

if (share) {
  fromNow(part("share-link", share), part("share-moment", share), document.querySelector("audio"));

  const size = part("share-size", share);
  size.hidden = false;
  size.onchange = () => (part("share-player", share).value = size.value);

  const native = part("share-native", share);
  native.hidden = !navigator.share;
  native.onclick = () => navigator.share({ title: native.value, url: part("share-link", share).value }).catch(() => {});

  const send = part("send", share);
  const sample = { files: [new File([""], "a.mp3", { type: "audio/mpeg" })] };
  if (send && navigator.canShare?.(sample)) offer(send);

  const audio = document.querySelector("audio");
  const copies = Array.from(share.querySelectorAll("[data-keep]"));
  const keep = copies.find((copy) => audio.canPlayType(copy.dataset.type));
  if (keep && navigator.serviceWorker && navigator.locks && window.caches) offer(keep);
  kept.then((names) => keep && names.length && import(keep.dataset.module).then((module) => module.show(keep)));
}

function offer(button) {
  button.hidden = false;
  button.onclick = () =>
    import(button.dataset.module).then(
      (module) => module.press(button),
      () => (part("share-said", share).textContent = share.dataset.share),
    );
}

/** "1:05", "1:02:03" */
function clock(seconds) {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const [first, ...others] = parts[0] ? parts : parts.slice(1);
  return [first, ...others.map((part) => `${part}`.padStart(2, 0))].join(":");
}

function fromNow(link, moment, audio) {
  const [box, words] = [part("share-from", moment), part("share-words", moment)];
  const address = link.value;
  const tell = () => {
    const seconds = Math.floor(audio.currentTime);
    words.textContent = words.dataset.shareWords.replace("{time}", clock(seconds));
    link.value = box.checked ? `${address}?t=${seconds}` : address;
  };
  moment.hidden = false;
  box.onchange = tell;
  audio.addEventListener("timeupdate", () => box.checked || tell());
  tell();
}
