/* The console's own small behaviours, by data attributes; pages work by plain links and forms where they say so.

   data-dialog="id"        a click opens <dialog id="id">; without it, the link's own address shows the same dialog
   data-dialog-close       a click closes the dialog around it
   data-open               a <dialog> that is open when the page comes (a form with errors)
   data-copy="text"        a click copies the text
   data-submit-on-change   a <select> that sends its form
   data-once               a <form> that is sent once, however often its button is clicked
   a[role=button]          Space presses it, as it does any other button
*/
(() => {
    "use strict";

    const openDialog = (dialog) => {
        if (dialog.open) dialog.close();
        dialog.showModal();
    };

    document.addEventListener("click", (event) => {
        const opener = event.target.closest("[data-dialog]");
        if (opener) {
            const dialog = document.getElementById(opener.dataset.dialog);
            if (dialog) {
                event.preventDefault();
                openDialog(dialog);
            }
            return;
        }
        const closer = event.target.closest("[data-dialog-close]");
        if (closer) {
            event.preventDefault();
            closer.closest("dialog").close();
            return;
        }
        const copier = event.target.closest("[data-copy]");
        if (copier) copy(copier);
    });

    document.addEventListener("keydown", (event) => {
        if (event.key !== " " || !event.target.matches?.("a[role=button]")) return;
        event.preventDefault();
        event.target.click();
    });

    const copy = async (button) => {
        const before = button.textContent;
        try {
            await navigator.clipboard.writeText(button.dataset.copy);
        } catch {
            copyBySelection(button.dataset.copy, button.parentElement);
        }
        button.textContent = button.dataset.copied || "✓";
        setTimeout(() => { button.textContent = before; }, 1500);
    };

    // The clipboard's own interface exists only over HTTPS and on localhost; the text field must stand inside an open dialog to get the focus.
    const copyBySelection = (text, place) => {
        const field = document.createElement("textarea");
        field.value = text;
        field.className = "np-offscreen";
        place.append(field);
        field.select();
        document.execCommand("copy");
        field.remove();
    };

    document.addEventListener("change", (event) => {
        const select = event.target.closest("[data-submit-on-change]");
        if (select) select.form.requestSubmit();
    });

    document.addEventListener("submit", (event) => {
        const form = event.target.closest("form[data-once]");
        if (!form) return;
        if (form.dataset.sent) event.preventDefault();
        form.dataset.sent = "yes";
    });

    document.addEventListener("DOMContentLoaded", () => {
        document.querySelectorAll("dialog[data-open]").forEach(openDialog);
    });

    window.addEventListener("pageshow", () => {
        document.querySelectorAll("form[data-once]").forEach((form) => delete form.dataset.sent);
    });
})();
