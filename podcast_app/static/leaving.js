// Leaving a page asks first when something was typed into a form of it that was not sent.

for (const form of document.querySelectorAll("form[data-ask-before-leaving]")) {
  let isUnsent = "cameBack" in form.dataset;
  form.addEventListener("input", ({ target }) => (isUnsent ||= Boolean(target.name))); // a search in a list has none
  form.addEventListener("submit", () => (isUnsent = false));
  addEventListener("beforeunload", (event) => isUnsent && event.preventDefault());
}
