// The list of people: rows are added by a button, and somebody the show knows brings role, link and picture along.
// Without this there are two empty rows, and what is known is only offered by name.

for (const field of document.querySelectorAll("[data-people]")) {
  const template = field.querySelector("template");
  const add = field.querySelector("[data-add]");
  const rows = () => [...field.querySelectorAll("[data-person]")];
  let next = rows().length;

  for (const row of rows()) if ("empty" in row.dataset) row.remove();
  add.hidden = Boolean(field.closest(":disabled"));
  const added = (number) => {
    const holder = document.createElement("div");
    holder.innerHTML = template.innerHTML.replaceAll("person.N.", `person.${number}.`);
    const row = holder.querySelector("[data-person]");
    add.parentElement.before(row);
    next = Math.max(next, number + 1);
    return row;
  };
  add.addEventListener("click", () => part(added(next), "name").focus());

  // what autosave.js kept of the rows, input by input
  field.addEventListener("putback", ({ detail }) => {
    for (const [name, value] of detail) {
      const number = /^person\.(\d+)\./.exec(name)?.[1];
      if (number && !field.querySelector(`[name="person.${number}.name"]`)) added(Number(number));
      const input = field.querySelector(`[name="${name}"]`);
      if (input?.type === "checkbox") input.checked = true;
      else if (input) input.value = value;
    }
  });

  field.addEventListener("change", (event) => {
    const row = event.target.closest("[data-person]");
    if (!row || event.target !== part(row, "name")) return;
    row.setAttribute("aria-label", event.target.value);
    const known = [...field.querySelectorAll("datalist option")].find((option) => option.value === event.target.value);
    if (!known) return;
    part(row, "role").value = known.dataset.role;
    part(row, "url").value ||= known.dataset.url;
    part(row, "picture").value = known.dataset.picture;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

function part(row, name) {
  return row.querySelector(`[name$=".${name}"]`);
}
