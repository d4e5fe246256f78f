/* Passkeys: the server asks, the device answers, both as JSON (Web Authentication, Level 3). Without this file the password works. */
const said = document.getElementById("passkey-said");
const able = Boolean(window.PublicKeyCredential?.parseCreationOptionsFromJSON && isSecureContext);

async function post(path, body) {
  const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  if (answer.status === 429) throw new Error(said.dataset.tooMany);
  const told = await answer.json().catch(() => ({ failed: said.dataset.noAnswer }));
  if (!answer.ok) throw new Error(told.failed ?? said.dataset.failed);
  return told;
}

async function trying(button, work) {
  button.disabled = true;
  said.textContent = said.dataset.asks;
  try { await work(); } catch (error) {
    said.textContent = { NotAllowedError: said.dataset.refused, InvalidStateError: said.dataset.already }[error.name] ?? error.message;
  } finally { button.disabled = false; }
}

const form = document.getElementById("new-passkey");
if (form && able) {
  form.hidden = false;
  said.textContent = "";
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    trying(form.querySelector("button"), async () => {
      const options = await post("/account/passkeys/question", { password: form.elements.password.value });
      const made = await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) });
      await post("/account/passkeys", { credential: made.toJSON(), label: form.elements.label.value });
      location.assign("/account#h-passkeys");
      location.reload();
    });
  });
}

const door = document.getElementById("by-passkey");
if (door && able) {
  door.hidden = false;
  door.addEventListener("click", () => trying(door, async () => {
    const options = await post("/sign-in/passkey/question", {});
    const signed = await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
    await post("/sign-in/passkey", { credential: signed.toJSON() });
    location.assign("/");
  }));
}
