// The episodes of a show in a player on another site: their list, and this script, come when it is opened; what is chosen
// there plays here.

const list = document.querySelector("[data-list]");

const text = async (address) => {
  const answer = await fetch(address);
  if (!answer.ok) throw answer;
  return answer.text();
};

const show = async (address) => {
  const page = new DOMParser().parseFromString(await text(address), "text/html");
  list.lastElementChild.replaceWith(page.querySelector("[data-episodes]"));
};

// In this window: whoever has pressed a button in it may make it play. Opening the document anew ends all that listens.
const play = async (address) => {
  const page = await text(address);
  document.open();
  document.write(page);
  document.close();
  addEventListener("load", () => {
    document.querySelector("[data-toggle]").focus();
    document.querySelector("audio").play();
  });
};

list.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const go = "episode" in link.dataset ? play : show;
  go(link.href).catch(() => (location.href = link.href));
});

show(list.dataset.list).catch(() => {}); // the way there without scripts still stands in its place
