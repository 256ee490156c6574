// The player can be pressed as soon as it is seen: its own script, which on a slow line comes a moment later, takes over.
{
  const root = document.querySelector("[data-player]");
  const audio = root.querySelector("audio");
  audio.controls = false;
  root.querySelector("[data-deck]").hidden = false;
  root.querySelector("[data-toggle]").onclick = () => (audio.paused ? audio.play() : audio.pause());
}
