"""Run by the Python of an environment that holds tencent-iot-device 1.0.0: one device over MQTT (3.1, as the SDK has it), without TLS.

Its argument is JSON: port, product_key, device_name, device_secret. Prints and reads as alibaba_mqtt_driver.py does.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

import routing
from hub.hub import QcloudHub


def tell(event, **facts):
    print(json.dumps({"event": event} | facts), flush=True)


def main():
    facts = json.loads(sys.argv[1])
    routing.lead_here(facts["port"], ".tencentdevices.com")
    known = {
        "auth_mode": "KEY",
        "productId": facts["product_key"],
        "productSecret": "",
        "deviceName": facts["device_name"],
        "key_deviceinfo": {"deviceSecret": facts["device_secret"]},
        "cert_deviceinfo": {"devCaFile": "", "devCertFile": "", "devPrivateKeyFile": ""},
        "subDev": {"subdev_num": 0, "subdev_list": []},
        "region": "china",
    }
    file = Path(tempfile.mkdtemp()) / "device_info.json"
    file.write_text(json.dumps(known))
    hub = QcloudHub(str(file), tls=False).hub
    hub.registerMqttCallback(
        lambda _session, rc, _userdata: tell("connected", rc=rc),
        lambda rc, _userdata: tell("disconnected", rc=rc),
        lambda topic, _qos, payload, _userdata: tell("received", topic=topic, payload=payload),
        lambda mid, _userdata: tell("published", mid=mid),
        lambda qos, mid, _userdata: tell("subscribed", qos=qos),
        lambda mid, _userdata: None,
    )
    hub.connect()
    for line in sys.stdin:
        topic = line.strip()
        if topic.startswith("?"):
            hub.subscribe(topic[1:], 1)
        else:
            hub.publish(topic, {}, 1)
    os._exit(0)


main()
