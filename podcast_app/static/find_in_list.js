// A long list can be searched: what is typed above it leaves the choices that hold these words, in any order.
// Without this it is a list like any other.

for (const list of document.querySelectorAll("select[data-find]")) {
  const all = [...list.options];
  const find = document.createElement("input");
  find.type = "search";
  find.className = "find";
  find.placeholder = find.ariaLabel = list.dataset.find;
  find.setAttribute("aria-controls", list.id);
  find.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault(); // it would send the form
  });
  find.addEventListener("input", () => {
    const words = plain(find.value).split(/\s+/);
    const chosen = list.selectedOptions[0];
    list.replaceChildren(...all.filter((choice) => choice === chosen || words.every((word) => plain(choice.text).includes(word))));
    list.value = chosen.value;
    list.size = find.value && list.length > 1 ? Math.min(list.length, 8) : 1;
  });
  list.before(find);
}

// "Société" is found by "societe".
function plain(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
