"""A physical device made of a vendor's own SDK, in a process of its own: what it was told, and what it shall do."""

import json
import os
import subprocess
import threading
import time
from typing import Any

from tests.registration import environments
from tests.registration.environments import ROOT, Sdk

PATIENCE = 20.0


class SdkDevice:
    """`events`: what its callbacks got, in order, each with the moment `at` (monotonic seconds)."""

    def __init__(self, sdk: Sdk, driver: str, **facts: Any) -> None:
        python = environments.python_of(sdk)
        bare = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        self.events: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            [str(python), str(ROOT / "tests" / "sdk" / driver), json.dumps(facts)],
            env=bare,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def wait(self, event: str, seconds: float = PATIENCE, **facts: Any) -> dict[str, Any]:
        """The first such event, which may have been before."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.first(event, **facts), seconds), f"No {event} {facts} in {seconds} s: {self.events}"
            return self.first(event, **facts) or {}

    def first(self, event: str, **facts: Any) -> dict[str, Any] | None:
        wanted = {"event": event} | facts
        return next((one for one in self.events if wanted.items() <= one.items()), None)

    def codes(self) -> list[int]:
        """The SDK's code of each attempt to connect; 0 is success."""
        return [one["rc"] for one in self.events if one["event"] == "connected"]

    def publish(self, topic: str) -> None:
        self._say(topic)

    def subscribe(self, topic: str) -> None:
        self._say(f"?{topic}")

    def switch_off(self) -> None:
        """As when its battery is taken out."""
        self._process.kill()
        self._process.wait(10)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _say(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _listen(self) -> None:
        assert self._process.stdout
        try:
            for line in self._process.stdout:
                with self._changed:
                    self.events.append(json.loads(line) | {"at": time.monotonic()})
                    self._changed.notify_all()
        except ValueError:
            pass  # The pipe was closed: it is switched off.


def alibaba(port: int, product_key: str, device_name: str, **facts: Any) -> SdkDevice:
    """With device_secret=; or client_id=, username=, password=; or product_secret= and auth_type=. `ca` and `endpoint`: over TLS."""
    return SdkDevice(environments.ALIBABA, "alibaba_mqtt_driver.py", port=port, product_key=product_key, device_name=device_name, **facts)


def tencent(port: int, product_key: str, device_name: str, **facts: Any) -> SdkDevice:
    """With device_secret=."""
    return SdkDevice(environments.TENCENT, "tencent_mqtt_driver.py", port=port, product_key=product_key, device_name=device_name, **facts)
