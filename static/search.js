/* The search of the whole console, by keyboard from every page: Ctrl K (⌘ K) opens it, also out of a field.

   data-find-open          a button that opens it
   #np-command             its dialog; data-find is the address that answers with links, data-failed what to say when it does not
   Arrow keys walk from the field along the links and back, Enter in the field opens the first one, Esc gives the focus back.
*/
(() => {
    "use strict";

    const PAUSE = 200;
    const part = (name) => document.getElementById(name);
    const links = () => [...part("np-command-results").querySelectorAll("a")];
    let waiting = 0;
    let asking = new AbortController();

    const open = () => {
        const dialog = part("np-command");
        if (!dialog || dialog.open) return;
        dialog.showModal();
        part("np-command-text").select();
    };

    const ask = async () => {
        clearTimeout(waiting);
        waiting = 0;
        asking.abort();
        asking = new AbortController();
        const dialog = part("np-command");
        const results = part("np-command-results");
        const text = part("np-command-text").value.trim();
        if (text.length < 2) {
            results.replaceChildren();
            return;
        }
        results.setAttribute("aria-busy", "true");
        try {
            const answer = await fetch(`${dialog.dataset.find}?s=${encodeURIComponent(text)}`, { credentials: "same-origin", signal: asking.signal });
            if (answer.redirected) location.reload();
            if (!answer.ok) throw new Error(answer.status);
            const page = new DOMParser().parseFromString(await answer.text(), "text/html");
            results.replaceChildren(...page.body.childNodes);
        } catch (error) {
            if (error.name === "AbortError") return;
            results.textContent = dialog.dataset.failed;
        }
        results.removeAttribute("aria-busy");
    };

    const walk = (step) => {
        const stops = [part("np-command-text"), ...links()];
        const here = stops.indexOf(document.activeElement);
        stops[Math.min(Math.max(here + step, 0), stops.length - 1)].focus();
    };

    const enter = async () => {
        if (waiting) await ask();
        links()[0]?.click();
    };

    const press = (event) => {
        const field = part("np-command-text");
        if (event.isComposing) return;
        if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            event.preventDefault();
            walk(event.key === "ArrowDown" ? 1 : -1);
        } else if (event.key === "Enter" && event.target === field) {
            event.preventDefault();
            enter();
        } else if (event.key.length === 1 && event.target !== field && !event.ctrlKey && !event.metaKey && !event.altKey && event.key !== " ") {
            field.focus();  // Who goes on typing means the field.
        }
    };

    document.addEventListener("keydown", (event) => {
        if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k" && part("np-command")) {
            event.preventDefault();
            open();
        } else if (event.target.closest?.("#np-command")) {
            press(event);
        }
    });
    document.addEventListener("input", (event) => {
        if (event.target.id !== "np-command-text") return;
        clearTimeout(waiting);
        waiting = setTimeout(ask, PAUSE);
    });
    document.addEventListener("click", (event) => {
        if (event.target.closest("[data-find-open]")) open();
        else if (event.target.closest("[data-find-close]") || event.target.id === "np-command") part("np-command").close();
    });
})();
