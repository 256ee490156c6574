// The sentences of a page's script, in the page's language: they stand in a <template>, with {places} to fill.

export class Words {
  #texts;

  /** Each sentence of the template is named by its `data-word`. */
  constructor(template) {
    const elements = template.content.querySelectorAll("[data-word]");
    this.#texts = new Map(Array.from(elements, (element) => [element.dataset.word, element.textContent.trim()]));
  }

  say(word, values = {}) {
    return this.#texts.get(word).replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  /** As formats.py says it: "24.3 MB", and small ones in whole kilobytes. */
  size(bytes) {
    const [unit, many, maximumFractionDigits] =
      bytes < 1e6 ? ["kilobyte", Math.max(1, bytes / 1000), 0] : ["megabyte", bytes / 1e6, 1];
    const form = { style: "unit", unit, maximumFractionDigits };
    return new Intl.NumberFormat(document.documentElement.lang, form).format(many);
  }

  /** "14:02", where this machine stands. */
  now() {
    const form = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    return new Intl.DateTimeFormat(document.documentElement.lang, form).format(new Date());
  }
}

/** Only what is new is written: a screen reader says it again each time. */
export function tell(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
