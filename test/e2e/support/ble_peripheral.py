"""A Meshtastic radio over Bluetooth: a Bumble GATT peripheral that bridges to a radio's TCP port.

Usage: ble_peripheral.py PTY HOST PORT NAME ADDRESS

Two virtual controllers share one virtual air. The peripheral sits on one; the other is offered to a Bluetooth host
(HCI H4) at the path PTY. While a central is connected there is one TCP connection to the radio. Commands, one a line:
  drop      the peripheral ends the Bluetooth connection
  unplug    the central's controller goes away (its PTY closes)
  plug      and comes back, fresh, at the same path
  silence   advertising stops; speak: it starts again
Reports, JSON a line: ready, connected (mtu), disconnected, unplugged, plugged.
"""

import asyncio
import json
import sys

from bumble.controller import Controller
from bumble.core import AdvertisingData, UUID
from bumble.device import Device
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.hci import Address
from bumble.host import Host
from bumble.link import LocalLink
from bumble.transport import open_transport

SERVICE = "6ba1b218-15a8-461f-9fa8-5dcae273eafd"
TO_RADIO = "f75c76d2-129e-4dad-a1dd-7866124401e7"
FROM_RADIO = "2c55e69e-4993-11ed-b878-0242ac120002"
CENTRAL = Address("00:00:00:00:00:AA/P")
FROM_NUM = "ed9da18c-a800-4f66-a670-aa7547e34453"


def report(kind, **fields):
    print(json.dumps({"kind": kind, **fields}), flush=True)


class Bridge:
    """The radio's side: frames of its TCP stream, one at a time to be read."""

    def __init__(self, host, port):
        self.host, self.port = host, port
        self.frames = []
        self.last = b""
        self.fresh = False
        self.number = 0
        self.writer = None
        self.task = None
        self.on_frame = None

    async def open(self):
        self.frames.clear()
        reader, self.writer = await asyncio.open_connection(self.host, self.port)
        self.task = asyncio.create_task(self.pump(reader))

    async def pump(self, reader):
        try:
            while True:
                if await reader.readexactly(1) != b"\x94" or await reader.readexactly(1) != b"\xc3":
                    continue
                length = int.from_bytes(await reader.readexactly(2), "big")
                self.frames.append(await reader.readexactly(length))
                self.number += 1
                await self.on_frame()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass

    def close(self):
        if self.task is not None:
            self.task.cancel()
        if self.writer is not None:
            self.writer.close()
        self.task = self.writer = None
        self.frames.clear()

    def read(self, _connection):
        # A long value comes in several reads; only the first takes a new frame.
        if self.fresh:
            self.last = self.frames.pop(0) if self.frames else b""
            self.fresh = False
        return self.last

    def write(self, _connection, value):
        if self.writer is not None:
            self.writer.write(b"\x94\xc3" + len(value).to_bytes(2, "big") + value)


class Air:
    def __init__(self, path):
        self.path = path
        self.link = LocalLink()
        self.transport = None
        self.controller = None

    async def plug(self):
        self.transport = await open_transport(f"pty:{self.path}")
        self.controller = Controller(
            "central", host_source=self.transport.source, host_sink=self.transport.sink, link=self.link,
            public_address=CENTRAL,
        )
        # Bumble's air names the sender of data by its random address, whatever address it connected with.
        self.controller.random_address = CENTRAL

    async def unplug(self):
        # The air does not carry what a controller that is gone would have said: end its links by hand.
        for other in self.link.controllers - {self.controller}:
            for connection in list(other.le_connections.values()):
                if connection.peer_address == CENTRAL:
                    other.on_le_disconnected(connection, 0x08)
        self.link.remove_controller(self.controller)
        await self.transport.close()


async def main():
    path, host, port, name, address = sys.argv[1:6]
    air = Air(path)
    await air.plug()
    peripheral_controller = Controller("peripheral", link=air.link)
    device_host = Host()
    device_host.controller = peripheral_controller
    device = Device(name=name, address=Address(address), host=device_host)
    bridge = Bridge(host, int(port))
    from_num = Characteristic(
        UUID(FROM_NUM), Characteristic.Properties.READ | Characteristic.Properties.NOTIFY, Characteristic.READABLE,
        CharacteristicValue(read=lambda _c: bridge.number.to_bytes(4, "little")),
    )
    device.add_service(Service(UUID(SERVICE), [
        Characteristic(UUID(TO_RADIO), Characteristic.Properties.WRITE, Characteristic.WRITEABLE,
                       CharacteristicValue(write=bridge.write)),
        Characteristic(UUID(FROM_RADIO), Characteristic.Properties.READ, Characteristic.READABLE,
                       CharacteristicValue(read=bridge.read)),
        from_num,
    ]))
    bridge.on_frame = lambda: device.notify_subscribers(from_num)
    read_request = device.gatt_server.on_att_read_request

    def on_read_request(bearer, request):
        bridge.fresh = True
        read_request(bearer, request)

    device.gatt_server.on_att_read_request = on_read_request
    state = {"connection": None, "silent": False}

    async def advertise():
        if state["silent"]:
            return
        await device.start_advertising(
            advertising_data=bytes(AdvertisingData([
                (AdvertisingData.FLAGS, b"\x06"),
                (AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS, bytes(UUID(SERVICE))),
                # Firmware puts the name into the scan response, which the virtual air does not carry: at most 8 bytes.
                (AdvertisingData.COMPLETE_LOCAL_NAME, name.encode()),
            ])),
            advertising_interval_min=20, advertising_interval_max=20,
        )

    @device.on("connection")
    def on_connection(connection):
        state["connection"] = connection
        opening = asyncio.ensure_future(bridge.open())
        report("connected")

        @connection.on("connection_att_mtu_update")
        def on_mtu():
            report("mtu", mtu=connection.att_mtu)

        @connection.on("disconnection")
        def on_disconnection(reason):
            opening.cancel()
            state["connection"] = None
            bridge.close()
            report("disconnected", reason=reason)
            asyncio.ensure_future(advertise())

    await device.power_on()
    await advertise()
    report("ready")
    stdin = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    while line := await stdin.readline():
        command = line.decode().strip()
        if command == "drop" and state["connection"] is not None:
            await state["connection"].disconnect()
        elif command == "unplug":
            await air.unplug()
            report("unplugged")
        elif command == "plug":
            await air.plug()
            report("plugged")
        elif command == "silence":
            state["silent"] = True
            await device.stop_advertising()
        elif command == "speak":
            state["silent"] = False
            await advertise()


asyncio.run(main())
