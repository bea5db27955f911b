"""manage.py simulate: devices register at a running server, and connect to a running broker."""

import os
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from registration.management import mqtt_devices, simulation
from registration.management.certificate_devices import CsrDevices
from registration.management.mqtt_devices import MqttServer
from registration.protocols.alibaba_client_id import REGNWL
from registration.protocols.alibaba_mqtt import AlibabaMqtt
from registration.protocols.base import RegistrationProtocol
from registration.protocols.native import Native
from registration.protocols.registry import protocols_by_name

SECRET_VARIABLE = "NAMEPLATE_SIMULATE_SECRET"  # noqa: S105


class Command(BaseCommand):
    help = "Registers devices at a running server by any protocol, and shows what came back. Fails if something unexpected did."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="where the server listens; mqtt:// or mqtts:// for alibaba-mqtt")
        parser.add_argument("--host", default="", help="host name that the devices call; default: that of the URL")
        parser.add_argument("--insecure", action="store_true", help="do not check the server's certificate")
        parser.add_argument("--product-key", required=True)
        parser.add_argument("--product-secret", default="", help=f"or in the environment, as {SECRET_VARIABLE}")
        parser.add_argument("--protocol", choices=sorted(protocols_by_name()), default="native")
        names = parser.add_mutually_exclusive_group()
        names.add_argument("--names-from", type=Path, help="names, one a line; or a CSV with a column DeviceName (activation codes)")
        names.add_argument("--prefix", default="sim-", help="DeviceNames are this prefix and a number")
        parser.add_argument("--count", type=int, default=0, help="devices; default: 10, or all names of the file")
        parser.add_argument("--repeat", type=int, default=0, help="each device registers so many times more")
        parser.add_argument("--unknown", type=int, default=0, help="so many devices with names that nobody knows")
        parser.add_argument("--auto-create", action="store_true", help="expect unknown names to be let in")
        parser.add_argument("--bad-signatures", type=int, default=0, help="so many requests signed with a wrong secret")
        parser.add_argument("--clones", type=int, default=0, help="so many of the names are tried by several devices at once")
        parser.add_argument("--devices", type=int, default=2, help="physical devices that take the name of a clone")
        parser.add_argument("--csr", action="store_true", help="native: each device makes a key and asks for a certificate")
        parser.add_argument("--regnwl", action="store_true", help="alibaba-mqtt: preregistration-free")
        parser.add_argument("--connect", type=float, default=0.0, metavar="SECONDS", help="who was let in connects and stays so long")
        parser.add_argument("--broker", default="", help="mqtt:// or mqtts:// URL where they connect; default: --url")
        parser.add_argument("--wrong-secrets", type=int, default=0, help="so many connect with a secret or certificate that is not theirs")
        parser.add_argument("--ca", type=Path, default=None, help="PEM file to trust with mqtts:// instead of the system's")
        parser.add_argument("--concurrency", type=int, default=4, help="requests at the same time")

    def handle(self, *args: Any, **options: Any) -> None:
        secret = options["product_secret"] or os.environ.get(SECRET_VARIABLE, "")
        if not secret:
            raise CommandError(f"Give --product-secret or {SECRET_VARIABLE}.")
        plan = simulation.Plan(
            names=self._names(options),
            repeat=options["repeat"],
            unknown=options["unknown"],
            bad_signatures=options["bad_signatures"],
            clones=options["clones"],
            devices=options["devices"],
            auto_create=options["auto_create"],
        )
        protocol = self._protocol(options)
        started = time.perf_counter()
        rounds = simulation.knocks(plan, options["product_key"], secret)
        with self._server(options, protocol) as server:
            outcomes = simulation.run(server, protocol, rounds, concurrency=options["concurrency"])
        rows = simulation.report(outcomes, protocol, auto_create=plan.auto_create)
        self._print(rows, outcomes, time.perf_counter() - started)
        if options["connect"]:
            rows += self._connect(options, protocol, outcomes)
        if not all(row.expected for row in rows):
            raise CommandError("Something unexpected came back (marked with !).")

    def _connect(self, options: dict[str, Any], protocol: RegistrationProtocol, outcomes: list[simulation.Outcome]) -> list[simulation.Row]:
        devices = mqtt_devices.devices_of(outcomes, options["product_key"], wrong=options["wrong_secrets"])
        vendor = protocol.name.partition("-")[0]
        broker = self._mqtt(options["broker"] or options["url"], options)
        if broker.context is None and any(device.pair for device in devices):
            raise CommandError("Devices with certificates connect over mqtts://.")
        started = time.perf_counter()
        stays = mqtt_devices.connect_all(broker, vendor, devices, seconds=options["connect"], concurrency=options["concurrency"])
        rows = mqtt_devices.report(stays)
        self.stdout.write("")
        self._print(rows, stays, time.perf_counter() - started)
        return rows

    def _protocol(self, options: dict[str, Any]) -> RegistrationProtocol:
        if options["csr"]:
            if options["protocol"] != Native().name:
                raise CommandError("--csr goes with --protocol native.")
            return CsrDevices()
        if not options["regnwl"]:
            return protocols_by_name()[options["protocol"]]
        if options["protocol"] != AlibabaMqtt().name:
            raise CommandError("--regnwl goes with --protocol alibaba-mqtt.")
        return AlibabaMqtt(auth_type=REGNWL)

    def _server(self, options: dict[str, Any], protocol: RegistrationProtocol) -> simulation.Server | MqttServer:
        if protocol.path:
            return simulation.Server(options["url"], host=options["host"], insecure=options["insecure"])
        return self._mqtt(options["url"], options)

    def _mqtt(self, url: str, options: dict[str, Any]) -> MqttServer:
        try:
            return MqttServer(url, host=options["host"], ca=options["ca"], insecure=options["insecure"])
        except (ValueError, OSError) as error:
            raise CommandError(str(error)) from error

    def _names(self, options: dict[str, Any]) -> tuple[str, ...]:
        file, count = options["names_from"], options["count"]
        if file is None:
            return tuple(f"{options['prefix']}{number:06d}" for number in range(count or 10))
        try:
            names = simulation.names_in(file.read_text(encoding="utf-8-sig"))
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} cannot be read as a list of names: {error}") from error
        if not names:
            raise CommandError(f"{file} holds no names.")
        return names[: count or None]

    def _print(self, rows: list[simulation.Row], outcomes: list[simulation.Outcome], seconds: float) -> None:
        line = "{:1} {:<14} {:<36} {:<48} {:>7} {:>9} {:>9}"
        self.stdout.write(line.format("", "kind", "code", "message", "count", "p50 ms", "p99 ms"))
        for row in rows:
            mark = " " if row.expected else "!"
            code, message = row.code[:40], row.message[:48]
            self.stdout.write(line.format(mark, row.kind, code, message, row.count, f"{row.p50:.1f}", f"{row.p99:.1f}"))
        rate = len(outcomes) / seconds if seconds else 0.0
        self.stdout.write(f"{len(outcomes)} requests in {seconds:.1f} s, {rate:.0f} a second.")
        differing = simulation.differing_secrets(outcomes)
        if differing:
            self.stdout.write(f"{differing} names were handed more than one secret.")
