/* Security keys and passkeys: binds the buttons of a page to django-allauth's WebAuthn forms. */
(function () {
  "use strict";
  const forms = window.allauth.webauthn.forms;

  document.addEventListener("allauth.error", function (event) {
    event.preventDefault();
    document.getElementById("key-trouble").hidden = false;
  });

  function named(element, id) {
    if (!element.id) element.id = id;
    return element.id;
  }

  for (const form of document.querySelectorAll("form[data-key]")) {
    const button = named(form.querySelector("button[type=button]"), "key-button");
    const credential = named(form.querySelector("[name=credential]"), "key-credential");
    const passwordless = form.querySelector("[name=passwordless]");
    const ids = { credential: credential, data: "key-data" };
    if (form.dataset.key === "login") {
      document.getElementById(button).hidden = false;
      forms.loginForm({ ids: { login: button, credential: credential } });
    } else if (form.dataset.key === "authenticate") {
      forms.authenticateForm({ ids: { ...ids, authenticate: button } });
    } else {
      if (passwordless) ids.passwordless = named(passwordless, "key-passwordless");
      forms.addForm({ ids: { ...ids, add: button } });
    }
  }
})();
