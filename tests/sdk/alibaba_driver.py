"""Run by the Python of an environment that holds aliyun-iot-linkkit 1.2.13: PORT CA PRODUCT_KEY PRODUCT_SECRET DEVICE_NAME.

Prints what the SDK's callback got, as JSON: {"rc": 0, "value": the DeviceSecret} or {"rc": 1, "value": the message}.
"""

import json
import os
import sys
import threading

import routing
from linkkit import linkkit


def main():
    port, ca_file, product_key, product_secret, device_name = sys.argv[1:]
    routing.lead_here(int(port), ".aliyuncs.com")
    routing.trust(ca_file)
    done = threading.Event()

    def registered(rc, value, userdata):
        print(json.dumps({"rc": rc, "value": value}), flush=True)
        done.set()

    client = linkkit.LinkKit(
        host_name="cn-shanghai", product_key=product_key, device_name=device_name, device_secret="", product_secret=product_secret
    )
    client.on_device_dynamic_register = registered
    client.connect_async()
    done.wait(20)
    os._exit(0)  # Without the MQTT connection that the SDK would try next, again and again.


main()
