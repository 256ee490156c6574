// Buttons that write Markdown into a text. One stop for the tabulator, arrows inside (ARIA, toolbar); undo still works.

const PUT = {
  bold: (text) => [`**${text || ""}**`, 2, text.length],
  italic: (text) => [`*${text || ""}*`, 1, text.length],
  link: (text) => (/^https?:\S+$/.test(text) ? [`[](${text})`, 1, 0] : [`[${text}](https://)`, text ? text.length + 3 : 1, text ? 8 : 0]),
  list: (text) => lines(text, "- "),
  heading: (text) => lines(text, "### "),
  time: (text, seconds) => [`${clock(seconds)} ${text}`, 0, 0, true],
};
const OF_LINES = new Set(["list", "heading"]);

for (const toolbar of document.querySelectorAll("[data-toolbar]")) {
  const area = document.getElementById(toolbar.dataset.toolbar);
  const buttons = [...toolbar.querySelectorAll("[data-put]")];
  if (!area || area.matches(":disabled")) continue;
  area.before(toolbar);
  toolbar.hidden = false;
  const stop = (at) => buttons.forEach((button, place) => (button.tabIndex = place === at ? 0 : -1));
  stop(0);
  toolbar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = buttons.indexOf(document.activeElement);
    const next = Number.isFinite(step) ? (at + step + buttons.length) % buttons.length : step < 0 ? 0 : buttons.length - 1;
    stop(next);
    buttons[next].focus();
  });
  toolbar.addEventListener("click", (event) => {
    const button = event.target.closest("[data-put]");
    if (button) put(area, button.dataset.put);
  });
}

function put(area, what) {
  let { selectionStart: from, selectionEnd: to, value } = area;
  if (OF_LINES.has(what)) {
    from = value.lastIndexOf("\n", from - 1) + 1;
    to = value.indexOf("\n", to) < 0 ? value.length : value.indexOf("\n", to);
  }
  const [text, start, length, isAfter] = PUT[what](value.slice(from, to), heard() ?? 0);
  write(area, from, to, text);
  if (isAfter) area.setSelectionRange(from + text.length, from + text.length);
  else area.setSelectionRange(from + start, from + start + length);
}

/** In place of what stands from one letter to another, as if it were typed: undo takes it back. */
export function write(area, from, to, text) {
  area.focus();
  area.setSelectionRange(from, to);
  if (document.execCommand("insertText", false, text)) return;
  area.setRangeText(text, from, to, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

let player = null; // that somebody used last; their events do not rise, so they are caught on the way down
for (const use of ["play", "seeking"]) document.addEventListener(use, ({ target }) => (player = target), true);

/** The second at which somebody listens, or did last; null when nobody has yet. */
export function heard() {
  return player && player.currentTime;
}

/** "4:07", "1:05:00". */
export function clock(seconds) {
  const [whole, two] = [Math.floor(seconds), (number) => String(number).padStart(2, "0")];
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${two(minutes)}:${two(whole % 60)}`;
}

function lines(text, mark) {
  const marked = text.split("\n").map((line) => (line.startsWith(mark) ? line.slice(mark.length) : mark + line));
  return [marked.join("\n"), marked.join("\n").length, 0];
}
