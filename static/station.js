/* The binding station with a scanner that types: nothing typed is lost, and the field is always ready.

   data-station          the form of a scan: sent without loading the page; Enter or Tab ends a scan
   data-station-undo     the form that undoes a binding
   data-station-sound    the tick for sound, kept in this browser
   data-station-lost     shown while the server does not answer
   data-part="..."       what an answer brings anew; data-kind in it says which colour and which sound

   Without this script the same forms work by plain posts.
*/
(() => {
    "use strict";

    const DEAF = 1000; // Milliseconds after a refusal: the second scan of a pair whose first was refused is not the first of the next pair.
    const PATIENCE = 15000;
    const TONES = { half: [[660, 60]], bound: [[880, 90], [1320, 140]], noted: [[520, 120]], refused: [[180, 220], [0, 60], [180, 220], [0, 60], [180, 320]] };

    const form = document.querySelector("form[data-station]");
    const field = form.elements.scan;
    const lost = document.querySelector("[data-station-lost]");
    const tick = document.querySelector("[data-station-sound]");
    const waiting = [];
    let busy = false;
    let deafUntil = 0;
    let audio = null;

    /* Sound: asked for by a tick, so the browser allows it once somebody has pressed a key. */
    const sounds = tick.querySelector("input");
    const remembered = () => { try { return localStorage.getItem("station-sound") === "on"; } catch { return false; } };
    tick.hidden = !window.AudioContext;
    sounds.checked = remembered();
    sounds.addEventListener("change", () => {
        try { localStorage.setItem("station-sound", sounds.checked ? "on" : "off"); } catch { /* Not kept: asked again next time. */ }
        play("half");
        field.focus();
    });
    const play = (kind) => {
        if (!sounds.checked || !TONES[kind] || !window.AudioContext) return;
        audio = audio || new AudioContext();
        audio.resume();
        let at = audio.currentTime;
        TONES[kind].forEach(([pitch, milliseconds]) => {
            const end = at + milliseconds / 1000;
            if (pitch) {
                const tone = audio.createOscillator();
                tone.type = kind === "refused" ? "square" : "sine";
                tone.frequency.value = pitch;
                tone.connect(audio.destination);
                tone.start(at);
                tone.stop(end);
            }
            at = end;
        });
    };

    const show = (text) => {
        const box = document.createElement("div");
        box.innerHTML = text;
        box.querySelectorAll("[data-part]").forEach((part) => {
            document.querySelector(`[data-part="${part.dataset.part}"]`).replaceChildren(...part.childNodes);
        });
        const { kind } = document.querySelector("[data-kind]").dataset;
        if (kind === "refused") {
            waiting.length = 0;
            deafUntil = Date.now() + DEAF;
        }
        play(kind);
    };

    const ask = async (data) => {
        const answer = await fetch(window.location.href, { method: "POST", body: data, headers: { "X-Station": "yes" }, signal: AbortSignal.timeout(PATIENCE) });
        if (answer.redirected || answer.status === 403) {
            window.location.reload(); // Signed out meanwhile.
            return;
        }
        if (!answer.ok) throw new Error(String(answer.status));
        show(await answer.text());
        lost.hidden = true;
    };

    /* One after the other: a scan is read with what the one before it has left. */
    const work = async () => {
        if (busy) return;
        busy = true;
        while (waiting.length) {
            try {
                await ask(waiting.shift()());
            } catch {
                waiting.length = 0;
                lost.hidden = false;
                forget();
                play("refused");
            }
        }
        busy = false;
    };
    const forget = () => { const first = document.querySelector('[name="first"]'); if (first) first.value = ""; };

    const scanned = () => {
        const text = field.value.trim();
        field.value = "";
        if (!text || Date.now() < deafUntil) return;
        waiting.push(() => {
            const data = new FormData(form);
            data.set("scan", text);
            return data;
        });
        work();
    };

    document.addEventListener("submit", (event) => {
        if (event.target === form) {
            event.preventDefault();
            scanned();
        } else if (event.target.matches("[data-station-undo]")) {
            event.preventDefault();
            const data = new FormData(event.target);
            waiting.push(() => data);
            work();
            field.focus();
        }
    });

    /* What a scanner types goes into the field, wherever the focus was; Tab leaves it only when it is empty. */
    document.addEventListener("keydown", (event) => {
        if (event.target === field) {
            if (event.key === "Tab" && !event.shiftKey && field.value.trim()) {
                event.preventDefault();
                scanned();
            }
            return;
        }
        if (event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1) return;
        if (event.target.matches("input:not([type=checkbox]), textarea, select")) return;
        if (event.key === " " && event.target.matches("a, button, input, summary")) return;
        field.focus();
    }, true);
    document.addEventListener("click", (event) => {
        if (!event.target.closest("a, button, input, select, label, summary, textarea, [role=button]")) field.focus();
    });
    window.addEventListener("focus", () => { if (document.activeElement === document.body) field.focus(); });
    form.addEventListener("change", (event) => { if (event.target.name === "add") field.focus(); });
    field.focus();
})();
