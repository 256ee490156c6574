// The list of people: rows are added by a button, and somebody the show knows brings role, link and picture along.
// Without this there are two empty rows, and what is known is only offered by name.

for (const field of document.querySelectorAll("[data-people]")) {
  const template = field.querySelector("template");
  const add = field.querySelector("[data-add]");
  const rows = () => [...field.querySelectorAll("[data-person]")];
  let next = rows().length;

  for (const row of rows()) if ("empty" in row.dataset) row.remove();
  add.hidden = Boolean(field.closest(":disabled"));
  add.addEventListener("click", () => {
    const holder = document.createElement("div");
    holder.innerHTML = template.innerHTML.replaceAll("person.N.", `person.${next++}.`);
    const row = holder.querySelector("[data-person]");
    add.parentElement.before(row);
    part(row, "name").focus();
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
