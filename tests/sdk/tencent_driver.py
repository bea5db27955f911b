"""Run by the Python of an environment that holds tencent-iot-device 1.0.0: PORT PRODUCT_ID PRODUCT_SECRET DEVICE_NAME.

Prints what the SDK returned, as JSON: {"rc": 0, "value": the psk} or {"rc": -1, "value": the message}.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

import routing
from hub.hub import QcloudHub


def main():
    port, product_id, product_secret, device_name = sys.argv[1:]
    routing.lead_here(int(port), ".tencentdevices.com")
    facts = {
        "auth_mode": "KEY",
        "productId": product_id,
        "productSecret": product_secret,
        "deviceName": device_name,
        "key_deviceinfo": {"deviceSecret": "YOUR_DEVICE_SECRET"},
        "cert_deviceinfo": {"devCaFile": "", "devCertFile": "", "devPrivateKeyFile": ""},
        "subDev": {"subdev_num": 0, "subdev_list": []},
        "region": "china",
    }
    file = Path(tempfile.mkdtemp()) / "device_info.json"
    file.write_text(json.dumps(facts))
    rc, value = QcloudHub(str(file), tls=False).hub.dynregDevice()
    print(json.dumps({"rc": rc, "value": value}), flush=True)
    os._exit(0)


main()
