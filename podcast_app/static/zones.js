// The time that is being chosen, on the clocks of other places; a time that a clock jumps over, or shows twice.
// The server says the same after saving.

for (const field of document.querySelectorAll("[data-schedule]")) {
  const [own, input] = [field.dataset.schedule, field.querySelector("[type=datetime-local]")];
  const find = (name) => field.querySelector(`[data-${name}]`);
  const which = [...find("which").querySelectorAll("input")];

  const show = () => {
    const local = input.value ? Date.parse(`${input.value}Z`) : NaN;
    const found = Number.isNaN(local) ? [] : instants(local, own);
    find("missing").hidden = Number.isNaN(local) || found.length > 0;
    find("which").hidden = found.length < 2;
    find("clocks").hidden = !found.length;
    find("which").querySelectorAll("[data-offset]").forEach((place, at) => {
      place.textContent = found.length > 1 ? `(UTC${offsetSaid(found[at], own)})` : "";
    });
    const at = which[1].checked && found.length > 1 ? found[1] : found[0];
    if (at !== undefined) showClocks(field, own, at);
    else find("moves").hidden = true;
  };
  // What the server said of the time before says nothing of this one.
  const forget = () => {
    field.querySelectorAll(`[id^="${input.id}-wrong"]`).forEach((remark) => remark.remove());
    input.removeAttribute("aria-invalid");
  };
  field.addEventListener("input", () => (forget(), show()));
}

function showClocks(field, own, at) {
  const [now, note] = [Date.now(), field.querySelector("[data-moves]")];
  let moves = false;
  for (const place of field.querySelectorAll("[data-zone]")) {
    const { zone } = place.dataset;
    const shift = offset(now, zone) - offset(now, own) - (offset(at, zone) - offset(at, own));
    const today = place.querySelector("[data-today]");
    place.querySelector("[data-then]").textContent = said(at, zone);
    today.textContent = shift ? today.dataset.sentence.replace("{hour}", hour(at + shift, zone)) : "";
    moves ||= shift !== 0;
  }
  note.hidden = !moves;
  note.textContent = note.dataset.sentence.replaceAll("{hour}", hour(at, own)).replace("{here}", note.dataset.here);
}

/** The instants at which clocks in the zone show this: none, one or two. `local`: as if it were UTC. */
function instants(local, zone) {
  const offsets = [-864e5, 864e5].map((away) => offset(local + away, zone));
  const found = [...new Set(offsets)].map((each) => local - each).filter((each) => each + offset(each, zone) === local);
  return found.sort((one, other) => one - other);
}

/** How far the zone's clocks are ahead of UTC, in milliseconds. */
function offset(at, zone) {
  const whole = Math.floor(at / 1000) * 1000;
  const form = { timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" };
  const parts = Object.fromEntries(new Intl.DateTimeFormat("en", form).formatToParts(whole).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second) - whole;
}

function offsetSaid(at, zone) {
  const minutes = offset(at, zone) / 6e4;
  const two = (number) => String(Math.floor(number)).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
}

function said(at, zone) {
  const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
  const day = new Intl.DateTimeFormat(language, { timeZone: zone, day: "numeric", month: "short", year: "numeric" });
  return `${day.format(at)}, ${hour(at, zone)}`;
}

function hour(at, zone) {
  return new Intl.DateTimeFormat("en", { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(at);
}
