"""A device made of paho-mqtt: it connects, and comes back by itself when it is cut off, as firmware does."""

import ssl
import threading
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho

from registration.protocols.connecting import Presented

PATIENCE = 10.0
OF_MQTT_5 = {0: 0, 132: 1, 133: 2, 136: 3, 134: 4, 135: 5}
"""paho tells MQTT 3.1.1's return codes as the reasons of MQTT 5."""


class PahoDevice:
    """`codes`: the return code of each CONNACK, in MQTT 3.1.1's numbers; `cuts`: how often an accepted connection ended;
    `received`: (topic, payload) of what came."""

    def __init__(self, presented: Presented, port: int, *, comes_back: bool = True, tls: ssl.SSLContext | None = None) -> None:
        """Without a user name it sends none, and no password either."""
        self.codes: list[int] = []
        self.received: list[tuple[str, bytes]] = []
        self.cuts = 0
        self._is_in = False
        self._answers: dict[int, bool] = {}
        self._acknowledged: set[int] = set()
        self._changed = threading.Condition()
        self._client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, client_id=presented.client_id, protocol=paho.MQTTv311, reconnect_on_failure=comes_back
        )
        if presented.username:
            self._client.username_pw_set(presented.username, presented.password)
        if tls is not None:
            self._client.tls_set_context(tls)
        self._client.reconnect_delay_set(0.5, 0.5)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message
        self._port = port

    def connect(self, source: str = "") -> int:
        """The first return code. `source`: the address to come from, one of this machine's loopback addresses."""
        self._client.connect("127.0.0.1", self._port, keepalive=30, bind_address=source)
        self._client.loop_start()
        self.wait(lambda: bool(self.codes))
        return self.codes[0]

    @property
    def is_connected(self) -> bool:
        return bool(self._client.is_connected())

    def subscribe(self, topic: str) -> bool:
        """Whether the broker granted it; RabbitMQ 3.10 closes the connection at a refusal."""
        cuts = self._when_connected()
        _result, number = self._client.subscribe(topic, 1)
        self.wait(lambda: number in self._answers or self.cuts > cuts)
        return self._answers.get(number, False)

    def publish(self, topic: str, payload: bytes = b"{}") -> bool:
        """Whether the broker acknowledged it; RabbitMQ closes the connection at a refusal."""
        cuts = self._when_connected()
        number = self._client.publish(topic, payload, qos=1).mid
        self.wait(lambda: number in self._acknowledged or self.cuts > cuts)
        return self.cuts == cuts

    def _when_connected(self) -> int:
        self.wait(lambda: self.is_connected)
        return self.cuts

    def wait(self, is_so: Callable[[], bool], seconds: float = PATIENCE) -> None:
        with self._changed:
            assert self._changed.wait_for(is_so, seconds), f"Nothing came in {seconds} seconds; codes {self.codes}"

    def cut_within(self, seconds: float) -> bool:
        """Whether an accepted connection has ended, now or in so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self.cuts > 0, seconds)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _on_connect(self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        self.codes.append(OF_MQTT_5[reason.value])
        self._is_in = self.codes[-1] == 0
        self._tell()

    def _on_disconnect(self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if self._is_in:
            self._is_in = False
            self.cuts += 1
        self._tell()

    def _on_subscribe(self, client: Any, userdata: Any, number: int, reasons: list[Any], properties: Any) -> None:
        self._answers[number] = not any(reason.is_failure for reason in reasons)
        self._tell()

    def _on_publish(self, client: Any, userdata: Any, number: int, reason: Any, properties: Any) -> None:
        self._acknowledged.add(number)
        self._tell()

    def _on_message(self, client: Any, userdata: Any, message: Any) -> None:
        self.received.append((message.topic, message.payload))
        self._tell()
