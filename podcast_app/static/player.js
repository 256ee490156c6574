// The player: buttons, a waveform and words over the browser's own <audio>, which stays what plays. Whoever else has to
// do with the sound (chapters, transcript, sharing, the page around an embed) talks to that element alone. Nothing is
// fetched, and nothing kept, before somebody pressed play.

const SAVE_SECONDS = 5; // between two notes of the place
const PATIENCE_MS = 5000; // before a pause in the sound is spoken of, and between two tries
const BAR = 0.65; // of its share of the width
const STEPS = { ArrowRight: 5, ArrowUp: 5, ArrowLeft: -5, ArrowDown: -5, PageUp: 60, PageDown: -60, Home: -1e9, End: 1e9 };

const page = document.documentElement.lang;
const players = [...document.querySelectorAll("[data-player]")].map(player);
let channel;

// Links to a moment of the audio, in whichever edition, play here what they would have opened.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href*='#t=']");
  if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const [address] = link.href.split("#");
  const found = players.find((one) => one.addresses.includes(address));
  if (!found) return;
  event.preventDefault();
  found.playFrom(asked(link.hash) ?? 0);
});

// One player at a time, in this window and in all others of ours.
document.addEventListener(
  "play",
  ({ target }) => {
    pauseOthers(target);
    try {
      channel ??= Object.assign(new BroadcastChannel("play"), { onmessage: () => pauseOthers() });
      channel.postMessage("");
    } catch {} // a frame without an origin
  },
  true,
);

function pauseOthers(playing) {
  for (const audio of document.querySelectorAll("audio")) if (audio !== playing) audio.pause();
}

function player(root, index) {
  const part = (name) => root.querySelector(`[data-${name}]`);
  const audio = root.querySelector("audio");
  const [toggle, seek, mute, volume, speed, lighter] = ["toggle", "seek", "mute", "volume", "speed", "light-switch"].map(part);
  const [back, forward] = root.querySelectorAll("[data-skip]");
  const [now, left, title, say, rescue, tab] = ["now", "left", "chapter", "say", "rescue", "script"].map(part);
  const { dataset } = root;
  const broken = new Set(); // editions that do not play here

  const whole = { address: audio.src.split("#")[0] };
  const small = JSON.parse(dataset.light).map(([path, type, words]) => ({ address: new URL(path, audio.src).href, type, words }));
  const light = small.filter(({ type }) => audio.canPlayType(type));
  const key = new URL(whole.address).pathname;
  const chapters = [...root.querySelectorAll("[data-chapters] a[href*='#t=']")].map(chapter);

  let edition = whole;
  let isLight = false; // the listener's choice, or that of the line
  let isWanted = false; // to be heard, whether or not the line lets us
  let isLost = false;
  let hasStarted = false;
  let isDragged = false;
  let here, said, saved, patience;
  const beginAt = beginning(audio);

  const length = () => (isFinite(audio.duration) ? audio.duration : +dataset.seconds) || 0;
  const inside = (second) => (second >= (length() || Infinity) ? 0 : second);
  const ofPage = (address) => (index ? undefined : asked(address)); // in its first player

  function play() {
    if (audio.error) use(best(), true); // only a new beginning helps
    else audio.play().catch(() => {});
  }

  function pause() {
    isWanted = isLost = false;
    audio.pause();
    wait(false);
    show();
  }

  function go(second) {
    audio.currentTime = Math.min(Math.max(second, 0), length() || second);
    show(true);
  }

  /** The first that has not failed, if there is one. */
  function best() {
    return (isLight ? [...light, whole] : [whole, ...light]).find((one) => !broken.has(one));
  }

  /** Another edition, or the same once more, from the same place. */
  function use(one, isToPlay = isWanted) {
    const at = audio.currentTime;
    edition = one;
    audio.src = one.address;
    beginAt(at);
    aria(lighter, "pressed", one !== whole);
    if (one !== whole) lighter.textContent = one.words;
    if (isToPlay) audio.play().catch(() => {});
  }

  function failed() {
    if (!navigator.onLine || audio.error.code === MediaError.MEDIA_ERR_NETWORK) return lost();
    broken.add(edition);
    if (best()) return use(best());
    broken.clear(); // they all get another chance when they are asked for again
    pause();
    tell("failed");
    rescue.hidden = false;
  }

  function lost() {
    isLost = true;
    tell("lost");
    setTimeout(again, PATIENCE_MS);
  }

  function again() {
    if (isLost && isWanted && navigator.onLine) {
      isLost = false;
      use(edition);
    }
  }

  function wait(isWaiting) {
    clearTimeout(patience);
    aria(root, "busy", isWaiting);
    if (isWaiting) patience = setTimeout(tell, PATIENCE_MS, navigator.onLine ? "slow" : "lost");
    else tell();
  }

  function tell(what) {
    say.textContent = what ? say.dataset[what] : "";
    rescue.hidden = true;
  }

  function show(isAsked) {
    const second = isDragged ? +seek.value : audio.currentTime;
    const end = length();
    if (!isDragged) seek.value = second;
    root.style.setProperty("--played", end ? second / end : 0);
    now.textContent = hasStarted || !second ? clock(second) : now.dataset.from.replace("{time}", clock(second));
    left.textContent = end ? `−${clock(Math.max(end - second, 0))}` : "";
    aria(toggle, "label", isWanted ? toggle.dataset.pause : toggle.dataset.play);
    root.toggleAttribute("data-playing", isWanted);
    showChapter(second);
    // while it plays, whoever stands on the bar is not told of every second
    if (isAsked || audio.paused || document.activeElement !== seek) describe(second, end);
  }

  function describe(second, end) {
    if (said === (said = clock(second) + end)) return;
    const words = seek.dataset.said.replace("{whole}", spoken(end)).replace("{now}", spoken(second));
    aria(seek, "valuetext", end ? words : spoken(second));
  }

  function showChapter(second) {
    const current = chapters.filter(({ at }) => at <= second).pop();
    if (current === here) return;
    if (here) aria(here.link, "current", false);
    here = current;
    if (here) aria(here.link, "current", true);
    title.textContent = here?.title ?? "";
    if (hasStarted) tellSystem();
  }

  function tellSystem() {
    const session = navigator.mediaSession;
    if (!session) return;
    session.metadata = new MediaMetadata({
      title: dataset.title,
      artist: dataset.show,
      album: here?.title ?? dataset.show,
      artwork: [{ src: dataset.cover, sizes: "512x512", type: "image/jpeg" }],
    });
    const actions = {
      play,
      pause,
      seekbackward: () => back.click(),
      seekforward: () => forward.click(),
      seekto: ({ seekTime }) => go(seekTime),
    };
    for (const [name, act] of Object.entries(actions)) {
      try {
        session.setActionHandler(name, act);
      } catch {} // it has no such button
    }
    placeInSystem();
  }

  function placeInSystem() {
    const [duration, position] = [length(), audio.currentTime];
    if (hasStarted && duration >= position) {
      navigator.mediaSession?.setPositionState?.({ duration, position, playbackRate: audio.playbackRate });
    }
  }

  function save() {
    if (hasStarted && !audio.ended) kept(key, (saved = audio.currentTime));
  }

  const listen = (element, events, act) => events.split(" ").forEach((name) => element.addEventListener(name, act));

  listen(audio, "play", () => {
    isWanted = hasStarted = true;
    tellSystem();
    show();
  });
  listen(audio, "pause", () => {
    if (audio.error) return; // nobody asked for it
    isWanted = false;
    wait(false);
    save();
    show();
  });
  listen(audio, "timeupdate seeked durationchange ratechange", () => show());
  listen(audio, "loadedmetadata seeked ratechange", placeInSystem);
  listen(audio, "timeupdate", () => {
    if (!audio.paused && Math.abs(audio.currentTime - (saved ?? -SAVE_SECONDS)) >= SAVE_SECONDS) save();
  });
  listen(audio, "waiting", () => wait(true));
  listen(audio, "playing", () => wait(false));
  listen(audio, "error", failed);
  listen(audio, "ended", () => kept(key, null));
  listen(audio, "volumechange", () => {
    aria(mute, "pressed", audio.muted);
    volume.value = audio.volume;
  });
  listen(window, "online", again);
  listen(window, "pagehide", save);
  listen(window, "hashchange", () => {
    const moment = ofPage(location.hash);
    if (moment !== undefined) go(inside(moment));
  });

  toggle.onclick = null; // first.js ends here
  isWanted = hasStarted = !audio.paused;
  listen(toggle, "click", () => (isWanted ? pause() : play()));
  for (const skip of [back, forward]) listen(skip, "click", () => go(audio.currentTime + +skip.dataset.skip));
  // a bar that is drawn along asks the line for the place where it is let go, and for none on the way
  listen(seek, "input", () => show((isDragged = true)));
  listen(seek, "change", () => {
    isDragged = false;
    go(+seek.value);
  });
  listen(speed, "change", () => kept("speed", (audio.playbackRate = audio.defaultPlaybackRate = speed.value)));
  listen(mute, "click", () => (audio.muted = !audio.muted));
  listen(volume, "input", () => (audio.volume = volume.value));
  listen(lighter, "click", () => {
    isLight = edition === whole;
    kept("light", +isLight);
    broken.clear();
    use(best());
  });
  // Keys work where the focus is within the player, and nowhere else (WCAG 2.2, 2.1.4).
  listen(root, "keydown", (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.altKey || event.metaKey || target.matches("select, [type=search]")) return;
    const button = { j: back, k: toggle, l: forward, m: mute, " ": target === seek && toggle }[key];
    const step = target === seek && STEPS[key];
    if (!button && !step) return;
    event.preventDefault();
    if (button) button.click();
    else go(audio.currentTime + step);
  });

  toggle.dataset.play = toggle.getAttribute("aria-label");
  if (tab) listen(tab, "toggle", () => tab.open && import(tab.dataset.script));
  if (tab && location.hash === "#transcript") tab.open = true;
  const wanted = ofPage(location.hash) ?? ofPage(location.search) ?? asked(audio.src);
  audio.currentTime = inside(wanted ?? (+kept(key) || audio.currentTime)); // first.js may have begun
  audio.controls = false;
  part("deck").hidden = false;
  draw(part("wave"), dataset.waveform);
  for (const { at } of chapters) if (at) mark(seek, at / length());
  if (kept("speed")) audio.playbackRate = audio.defaultPlaybackRate = speed.value = kept("speed");
  lighter.hidden = !light[0];
  if (light[0]) {
    lighter.textContent = light[0].words;
    isLight = !!+(kept("light") ?? isCostly());
    if (isLight) use(best());
  }
  show();
  return { addresses: [whole, ...small].map((one) => one.address), playFrom: (second) => (go(inside(second)), play()) };
}

/** The element's `currentTime` may be set before anything is loaded: there it begins. Not every browser keeps that. */
function beginning(audio) {
  const { get, set } = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "currentTime");
  let start;
  const beginAt = (second) => {
    start = second;
    audio.dispatchEvent(new Event("timeupdate"));
  };
  Object.defineProperty(audio, "currentTime", {
    get: () => start ?? get.call(audio),
    set: (second) => isFinite(second) && (audio.readyState ? set.call(audio, second) : beginAt(second)),
  });
  audio.addEventListener("loadedmetadata", () => {
    if (start) set.call(audio, start);
    start = undefined;
  });
  return beginAt;
}

function chapter(link) {
  return { link, at: asked(link.hash) ?? 0, title: link.querySelector("span").textContent };
}

/** One shape of bars around the middle, cut out of the line behind the bar; levels are "0" to "z". */
function draw(wave, levels) {
  const width = 100 / levels.length;
  const points = [...levels].flatMap((level, place) => {
    const [from, to, half] = [place * width, (place + BAR) * width, 2 + (parseInt(level, 36) * 48) / 35];
    return [[from, 50], [from, 50 - half], [to, 50 - half], [to, 50 + half], [from, 50 + half], [from, 50]];
  });
  if (levels) wave.style.clipPath = `polygon(${points.map(([x, y]) => `${x.toFixed(2)}% ${y.toFixed(1)}%`)})`;
}

function mark(seek, share) {
  const sign = document.createElement("i");
  sign.style.left = `${share * 100}%`;
  seek.before(sign);
}

function aria(element, name, value) {
  element.setAttribute(`aria-${name}`, value);
}

/** The second that (a part of) an address asks for, if it does: 90 for "#t=90", "?t=0:01:30" (Media Fragments URI 1.0,
    normal play time), and for "?t=1m30s", as people write it. */
function asked(address) {
  const time = /[#?&]t=(?:npt:)?(?=\d)(?:(\d+)(?:h|:(?=\d+:)))?(?:(\d+)[m:])?([\d.]*)s?(?![\w:])/.exec(address);
  return time?.slice(1).reduce((sum, part) => sum * 60 + (+part || 0), 0);
}

/** "1:05:00", "4:07". */
function clock(second) {
  const [hours, ...rest] = parts(second);
  return (hours ? [hours, ...rest] : rest).map((part, place) => (place ? `${part}`.padStart(2, "0") : part)).join(":");
}

/** "1 minute 5 seconds", in the page's language. */
function spoken(second) {
  const units = ["hour", "minute", "second"].map((unit, place) => ({ unit, count: parts(second)[place] }));
  const heard = units.filter(({ count }) => count);
  return (heard.length ? heard : units.slice(2))
    .map(({ unit, count }) => new Intl.NumberFormat(page, { style: "unit", unit, unitDisplay: "long" }).format(count))
    .join(" ");
}

function parts(second) {
  const whole = Math.floor(second);
  return [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
}

/** Whether the line says of itself that it is slow, or costs. */
function isCostly() {
  const line = navigator.connection;
  return line?.saveData || /[23]g/.test(line?.effectiveType) || matchMedia("(prefers-reduced-data: reduce)").matches;
}

/** What this browser keeps for us under a name; with a value: from now on, with null: no longer. */
function kept(name, value) {
  try {
    if (value === undefined) return localStorage.getItem(name);
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {} // a frame without an origin has no storage
}
