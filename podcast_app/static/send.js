// "Send the audio": the light MP3 itself goes to WhatsApp, Signal or wherever the telephone offers, and plays there
// without a connection. MP3 and not Opus, because messengers play it in the chat and show Ogg as a document.
import { act, fetched, say, words } from "./acts.js";

let file; // fetched, and not sent yet

export async function press(button) {
  file ??= await act(button, (signal, progress) => fetchedFile(button.dataset, signal, progress));
  if (file) await send(button);
}

async function fetchedFile({ audio, name, size }, signal, progress) {
  const answer = await fetched(audio, Number(size), signal, progress);
  return new File([await answer.blob()], name, { type: "audio/mpeg" });
}

async function send(button) {
  try {
    await navigator.share({ files: [file] });
    say("sent");
  } catch (failure) {
    if (failure.name === "AbortError") return; // somebody thought better of it
    if (failure.name !== "NotAllowedError") return say("failed");
    button.textContent = words.say("send-now"); // the press was too long ago: browsers want a new one
    say("ready");
  }
}
