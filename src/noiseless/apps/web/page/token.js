// The question for the token of the service.

const $ = (id) => document.getElementById(id);

$("token-cancel").addEventListener("click", () => $("token-dialog").close());

/** What the person gives, or null. `wrong`: the one that was tried is not accepted. */
export function askToken(wrong) {
  const dialog = $("token-dialog");
  $("token-wrong").hidden = !wrong;
  $("token-form").reset();
  dialog.returnValue = "";
  dialog.showModal();
  $("token").focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "given" ? $("token").value.trim() : null), { once: true });
  });
}
