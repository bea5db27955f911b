"""Every registration scheme that this build speaks. A new vendor is one line here."""

from collections.abc import Sequence
from datetime import timedelta

from registration.protocols.alibaba import Alibaba
from registration.protocols.alibaba_mqtt import AlibabaMqtt
from registration.protocols.base import RegistrationProtocol
from registration.protocols.native import Native
from registration.protocols.tencent import TencentNew, TencentOld


def every_protocol(*, tencent_window: timedelta | None = None, public_hosts: Sequence[str] = ()) -> tuple[RegistrationProtocol, ...]:
    """Those of HTTP. `tencent_window`: None accepts any timestamp. `public_hosts`: names that a device may have signed behind a proxy."""
    return (
        Alibaba(),
        TencentNew(window=tencent_window, public_hosts=tuple(public_hosts)),
        TencentOld(window=tencent_window),
        Native(),
    )


def mqtt_protocols() -> tuple[RegistrationProtocol, ...]:
    """Those whose request is a CONNECT; the one that answers a device is made with its protocol level."""
    return (AlibabaMqtt(),)


def protocols_by_name(*, tencent_window: timedelta | None = None, public_hosts: Sequence[str] = ()) -> dict[str, RegistrationProtocol]:
    """All of them, by the name that the log and the simulator use."""
    of_http = every_protocol(tencent_window=tencent_window, public_hosts=public_hosts)
    return {protocol.name: protocol for protocol in (*of_http, *mqtt_protocols())}
