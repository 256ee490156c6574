// Listening beside the form: the last ten seconds by one press, and chapters that begin where one hears them.

import { clock, heard, write } from "./notes_toolbar.js";
import { tell } from "./words.js";

const TIMED = /^\s*(?:\d+:)?\d{1,2}:\d{2}(?:\.\d+)?\s*/;

for (const link of document.querySelectorAll("[data-play-from]")) {
  const audio = document.querySelector("[data-recording]");
  link.addEventListener("click", (event) => {
    event.preventDefault();
    playFrom(audio, Number(link.dataset.playFrom));
  });
}

for (const field of document.querySelectorAll("[data-chapters]")) {
  const [area, buttons, said] = ["textarea", "[data-buttons]", "[data-say]"].map((what) => field.querySelector(what));
  if (!buttons) continue;
  const onPress = (name, put) =>
    buttons.querySelector(name).addEventListener("click", () => {
      const second = heard() ?? (area.value.trim() ? null : 0); // the first chapter begins with the recording
      tell(said, second === null ? said.dataset.say : "");
      if (second !== null) put(area, second);
    });
  buttons.hidden = false;
  onPress("[data-set-time]", setTime);
  onPress("[data-add-chapter]", addChapter);
}

// One player at a time.
document.addEventListener(
  "play",
  ({ target }) => document.querySelectorAll("audio").forEach((other) => other === target || other.pause()),
  true,
);

function playFrom(audio, second) {
  const start = () => {
    audio.currentTime = Math.min(second, Math.max(0, audio.duration - 10));
    audio.play();
  };
  if (audio.readyState) return start();
  audio.addEventListener("loadedmetadata", start, { once: true });
  audio.load();
}

/** The line in which the caret stands begins with this time, in place of the one that it has. */
function setTime(area, seconds) {
  const from = area.value.lastIndexOf("\n", area.selectionStart - 1) + 1;
  const line = area.value.slice(from).split("\n", 1)[0];
  const title = line.replace(TIMED, "");
  write(area, from, from + line.length, `${clock(seconds)} ${title}`);
}

/** A new line, behind those that begin earlier. */
function addChapter(area, seconds) {
  const lines = area.value ? area.value.replace(/\n+$/, "").split("\n") : [];
  const before = lines.filter((line) => TIMED.test(line) && inSeconds(line) <= seconds);
  const at = before.length ? lines.lastIndexOf(before.at(-1)) + 1 : 0;
  const [kept, time] = [lines.slice(0, at).join("\n"), `${clock(seconds)} `];
  const from = at ? kept.length : 0;
  const text = at ? `\n${time}` : time + (lines.length ? "\n" : "");
  write(area, from, from, text);
  const caret = from + (at ? 1 : 0) + time.length;
  area.setSelectionRange(caret, caret);
}

function inSeconds(line) {
  return TIMED.exec(line)[0].trim().split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}
