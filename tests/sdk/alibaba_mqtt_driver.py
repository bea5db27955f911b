"""Run by the Python of an environment that holds aliyun-iot-linkkit 1.2.13: one device over MQTT, all of it by the SDK's own options.

Its argument is JSON: port, product_key, device_name, and what it proves itself with: device_secret; or client_id, username and password;
or product_secret with auth_type "register" or "regnwl". `ca`: the text of a CA, then TLS to the host `endpoint`.
Prints one JSON object a line: {"event": "registered" | "connected" | "published" | "disconnected" | "received", ...}. Each line of its
input is a topic to publish to; with "?" before it, one to subscribe to; the end of the input ends the device.
"""

import json
import os
import sys

from linkkit import linkkit


def tell(event, **facts):
    print(json.dumps({"event": event} | facts), flush=True)


def main():
    facts = json.loads(sys.argv[1])
    given = {name: facts.get(name) for name in ("auth_type", "username", "client_id", "password", "product_secret")}
    device = linkkit.LinkKit("cn-shanghai", facts["product_key"], facts["device_name"], facts.get("device_secret", ""), **given)
    tls = {"secure": "TLS", "cadata": facts["ca"]} if facts.get("ca") else {"secure": ""}
    device.config_mqtt(port=facts["port"], endpoint=facts.get("endpoint", "127.0.0.1"), **tls)
    device.on_device_dynamic_register = lambda rc, value, _userdata: tell("registered", rc=rc, secret=value)
    device.on_device_dynamic_register_nwl_reply = lambda rc, client_id, username, password: tell(
        "registered", rc=rc, client_id=client_id, username=username, password=password
    )
    device.on_connect = lambda _session, rc, _userdata: tell("connected", rc=rc)
    device.on_disconnect = lambda rc, _userdata: tell("disconnected", rc=rc)
    device.on_publish_topic = lambda mid, _userdata: tell("published", mid=mid)
    device.on_subscribe_topic = lambda mid, qos, _userdata: tell("subscribed", qos=qos)
    device.on_topic_message = lambda topic, payload, _qos, _userdata: tell("received", topic=topic, payload=payload.decode())
    device.connect_async()
    for line in sys.stdin:
        topic = line.strip()
        if topic.startswith("?"):
            device.subscribe_topic(topic[1:])
        else:
            device.publish_topic(topic, "{}")
    os._exit(0)


main()
