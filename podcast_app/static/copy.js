// A button copies what stands beside it; without this, one selects it by hand.
// <div data-copy> has a field [data-copy-from], a [data-copy-button] and a status [data-copy-said="Copied."].

for (const field of document.querySelectorAll("[data-copy]")) {
  const [from, button, said] = ["from", "button", "said"].map((name) => field.querySelector(`[data-copy-${name}]`));
  button.hidden = false;
  button.addEventListener("click", async () => {
    from.select();
    said.textContent = (await copied(from.value)) ? said.dataset.copySaid : (said.dataset.copySelected ?? "");
  });
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text); // over https and on this machine only
    return true;
  } catch {
    return document.execCommand("copy"); // what is selected
  }
}
