// A transcript that follows the sound. It is fetched when its tab is opened; its lines are links to their moments, which
// play as all such links do (player.js). Whose words they are nobody knows: they become text, and nothing else.

const LONG = 400; // characters, after which the end of a sentence ends the paragraph
const PAUSE_SECONDS = 3; // in which nobody speaks: a new paragraph
const SOON_SECONDS = 0.1; // a place is not always kept as exactly as it was set
const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;

// Its style comes before it: lines are scrolled to where they are seen.
const style = Object.assign(document.createElement("link"), { rel: "stylesheet" });
await new Promise((done) => {
  style.href = new URL("transcript.css", import.meta.url);
  style.onload = style.onerror = done;
  document.head.append(style);
});

for (const tab of document.querySelectorAll("[data-transcript][data-src]")) {
  const open = () => {
    if (!tab.open) return;
    tab.removeEventListener("toggle", open);
    transcript(tab);
  };
  tab.addEventListener("toggle", open);
  open(); // on pages this script comes only now
}

// Letters that are no accented ones, but that people write without: as search.py has them.
const PLAIN = Object.fromEntries(
  "æae đd ðd ħh łl ŋn øo œoe þth ɓb ɖd ɗd ɛe əe ɣg ƙk ɔo ʋv ƴy ςσ ʾ ʿ ـ ٱا ةه ىي یي کك"
    .split(" ")
    .map(([letter, ...plain]) => [letter, plain.join("")]),
);

function transcript(tab) {
  const part = (name) => tab.querySelector(`[data-${name}]`);
  const [tools, box, find, count, follow, language] = ["tools", "lines", "find", "count", "follow", "language"].map(part);
  const audio = tab.closest("[data-player]").querySelector("audio");
  let lines = []; // each { start, end, text, speaker, link }
  let heard, stop; // the line that is spoken now; the one where the key Tab comes to
  let found = []; // for each match its lines: what is looked for may be said across two
  let place = 0; // among the matches

  async function load(address, spoken) {
    box.hidden = false;
    box.lang = spoken;
    try {
      const answer = await fetch(address);
      const { segments } = await answer.json();
      lines = segments.map(line);
    } catch {
      box.textContent = box.dataset.lost;
      tab.addEventListener("toggle", () => tab.open && load(address, spoken), { once: true });
      return;
    }
    box.replaceChildren(...paragraphs(lines));
    tools.hidden = false;
    heard = stop = undefined;
    look();
    hear();
  }

  function line({ startTime, endTime, body, speaker }) {
    const link = put("a", body);
    link.href = `${audio.src.split("#")[0]}#t=${startTime}`;
    link.tabIndex = -1;
    return { start: startTime, end: endTime, text: folded(body), speaker, link };
  }

  function hear() {
    const next = lines.findIndex(({ start }) => start > audio.currentTime + SOON_SECONDS);
    const now = lines[(next < 0 ? lines.length : next) - 1];
    if (!stop && lines[0]) stopAt(now ?? lines[0]);
    if (now === heard) return;
    heard?.link.removeAttribute("aria-current");
    heard = now;
    heard?.link.setAttribute("aria-current", "true");
    if (heard && follow.checked) bring(heard);
  }

  function stopAt(line) {
    if (stop) stop.link.tabIndex = -1;
    stop = line;
    stop.link.tabIndex = 0;
  }

  /** Into sight, within the box alone. */
  function bring(line) {
    stopAt(line);
    const way = line.link.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 3;
    box.scrollBy({ top: way, behavior: isCalm || Math.abs(way) > 2 * box.clientHeight ? "instant" : "smooth" });
  }

  function look() {
    for (const { link } of found.flat()) delete link.dataset.found;
    found = matches(lines, folded(find.value));
    for (const { link } of found.flat()) link.dataset.found = "";
    place = -1;
    count.textContent = folded(find.value) && count.dataset.none;
    go(1);
  }

  function go(step) {
    if (!found.length) return;
    for (const { link } of found[place] ?? []) link.dataset.found = "";
    place = (place + step + found.length) % found.length;
    for (const { link } of found[place]) link.dataset.found = "here";
    const words = { number: place + 1, all: found.length };
    count.textContent = count.dataset.said.replace(/{(\w+)}/g, (_, name) => words[name]);
    follow.checked = false;
    bring(found[place][0]);
  }

  audio.addEventListener("timeupdate", hear);
  find.addEventListener("input", look);
  find.addEventListener("keydown", (event) => {
    if (event.key === "Enter") go(event.shiftKey ? -1 : 1);
    if (event.key !== "Escape") return;
    find.value = "";
    look();
  });
  follow.addEventListener("change", () => follow.checked && heard && bring(heard));
  for (const moved of ["wheel", "touchmove"]) box.addEventListener(moved, () => (follow.checked = false), { passive: true });
  box.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const next = step && event.target !== box && lines[lines.indexOf(stop) + step];
    if (event.key !== "Enter" && event.key !== "Tab") follow.checked = false;
    if (!next) return;
    event.preventDefault();
    bring(next);
    next.link.focus({ preventScroll: true });
  });
  box.addEventListener("focusin", ({ target }) => {
    const at = lines.find(({ link }) => link === target);
    if (at) stopAt(at);
  });
  const choose = () => load(language.value, language.selectedOptions[0].lang);
  language?.addEventListener("change", choose);
  // whoever comes from what was found in a language finds it in that one
  const asked = new URLSearchParams(location.search).get("transcript");
  for (const option of language?.options ?? []) if (option.lang === asked) option.selected = true;
  if (language) choose();
  else load(tab.dataset.src, tab.dataset.lang);
}

/** One for each turn of a speaker; long ones are divided where a sentence ends. */
function paragraphs(lines) {
  const all = [];
  let before, paragraph, length;
  for (const line of lines) {
    const isTurn = line.speaker !== before?.speaker;
    const isDue = length > LONG && /[.!?…。؟।]["'”’»)]*$/.test(before.link.textContent);
    if (!before || isTurn || isDue || line.start - before.end > PAUSE_SECONDS) {
      all.push((paragraph = put("p")));
      paragraph.dir = "auto";
      if (isTurn && line.speaker) paragraph.append(put("b", line.speaker), " ");
      paragraph.append(put("small", clock(line.start)), " ");
      length = 0;
    }
    paragraph.append(line.link, " ");
    length += line.text.length;
    before = line;
  }
  return all;
}

/** The lines of each place where it is said; one place for a line. */
function matches(lines, wanted) {
  const all = lines.map(({ text }) => text).join(" ");
  const found = [];
  const endOf = (line) => start + lines[line].text.length;
  let [line, start, at] = [0, 0, wanted ? all.indexOf(wanted) : -1];
  while (at >= 0) {
    const end = at + wanted.length;
    const said = [];
    while (start < end) {
      if (endOf(line) > at) said.push(lines[line]);
      start = endOf(line++) + 1;
    }
    found.push(said);
    at = all.indexOf(wanted, start);
  }
  return found;
}

/** As it is compared, which is as the site's search does it: small, plain letters and digits, a blank for all else. */
function folded(text) {
  return text
    .normalize("NFKD")
    .toUpperCase() // ß becomes two letters
    .toLowerCase()
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/\p{Nd}/gu, digit)
    .replace(/[^\x00-\x7f]/gu, (letter) => PLAIN[letter] ?? letter)
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

/** "1" for the 1 of any script: its ten digits stand side by side. */
function digit(sign) {
  let value = 0;
  while (/\p{Nd}/u.test(String.fromCodePoint(sign.codePointAt() - value - 1))) value++;
  return value;
}

function put(name, text = "") {
  return Object.assign(document.createElement(name), { textContent: text });
}

function clock(second) {
  const [hours, minutes] = [Math.floor(second / 3600), Math.floor(second / 60) % 60];
  const two = (number) => `${Math.floor(number)}`.padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(second % 60)}` : `${minutes}:${two(second % 60)}`;
}
