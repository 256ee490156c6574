// A picture is looked at as soon as it is chosen: it is shown, with its size and what that means for a cover.
// Without this the server says the same once it is sent.

for (const field of document.querySelectorAll("[data-cover-check]")) {
  const shown = field.querySelector("img");
  const input = field.querySelector("input[type=file]");
  const before = shown.src;
  const said = document.createElement("p");
  said.setAttribute("role", "status");
  input.after(said);

  input.addEventListener("change", async () => {
    const [file] = input.files;
    said.textContent = "";
    shown.src = before;
    if (!file) return;
    let picture;
    try {
      picture = await createImageBitmap(file);
    } catch {
      said.className = "worth";
      said.textContent = field.dataset.unread;
      return;
    }
    const { width, height } = picture;
    const least = Number(field.dataset.coverCheck);
    const verdict = Math.min(width, height) < least ? "small" : width !== height ? "odd" : "good";
    said.className = { small: "wrong", odd: "worth", good: "good" }[verdict];
    said.textContent = fill(field.dataset[verdict], { width, height, least });
    shown.src = URL.createObjectURL(file);
    if (verdict === "odd" && !field.querySelector("[name=crop]")) said.after(crop(field.dataset.crop));
  });
}

function crop(words) {
  const label = document.createElement("label");
  label.className = "crop";
  const box = Object.assign(document.createElement("input"), { type: "checkbox", name: "crop", value: "true" });
  label.append(box, ` ${words}`);
  return label;
}

function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}
