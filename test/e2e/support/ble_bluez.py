"""A bluetoothd as far as noble uses it, with one Meshtastic radio before a radio's TCP port.

Usage: ble_bluez.py HOST PORT NAME ADDRESS   (on the bus of DBUS_SYSTEM_BUS_ADDRESS)

Commands, one a line: drop (the radio ends the link), away / near (the radio ends the link and cannot be reached until it
is near again), off / on (the adapter's power), stall (writes are answered after the next off). Reports, JSON a line:
ready, connected, disconnected. Killing it is a bluetoothd that dies; starting it again one that was restarted.
"""

import asyncio
import json
import sys

from dbus_fast import BusType, DBusError
from dbus_fast.aio import MessageBus
from dbus_fast.service import PropertyAccess, ServiceInterface, dbus_method, dbus_property

SERVICE = "6ba1b218-15a8-461f-9fa8-5dcae273eafd"
TO_RADIO = "f75c76d2-129e-4dad-a1dd-7866124401e7"
FROM_RADIO = "2c55e69e-4993-11ed-b878-0242ac120002"
FROM_NUM = "ed9da18c-a800-4f66-a670-aa7547e34453"


def report(kind):
    print(json.dumps({"kind": kind}), flush=True)


class Manager(ServiceInterface):
    """Named in the introspection of the root; the library itself answers."""

    def __init__(self):
        super().__init__("org.freedesktop.DBus.ObjectManager")

    @dbus_method()
    def GetManagedObjects(self) -> "a{oa{sa{sv}}}":
        return {}


class Adapter(ServiceInterface):
    def __init__(self):
        super().__init__("org.bluez.Adapter1")
        self.powered = True

    @dbus_method()
    def SetDiscoveryFilter(self, properties: "a{sv}"):
        pass

    @dbus_method()
    def StartDiscovery(self):
        pass

    @dbus_method()
    def StopDiscovery(self):
        pass

    @dbus_property(access=PropertyAccess.READ)
    def Powered(self) -> "b":
        return self.powered

    @dbus_property(access=PropertyAccess.READ)
    def Address(self) -> "s":
        return "00:00:00:00:00:AA"


class Radio(ServiceInterface):
    """The device, and the stream behind it."""

    def __init__(self, host, port, name, address):
        super().__init__("org.bluez.Device1")
        self.host, self.port, self.name_, self.address = host, port, name, address
        self.connected = False
        self.near = True
        self.writes_answered = asyncio.Event()
        self.writes_answered.set()
        self.frames = []
        self.number = 0
        self.writer = self.task = self.from_num = None

    @dbus_method()
    async def Connect(self):
        if not self.near:
            raise DBusError("org.bluez.Error.Failed", "le-connection-abort-by-local")
        reader, self.writer = await asyncio.open_connection(self.host, self.port)
        self.frames.clear()
        self.task = asyncio.create_task(self.pump(reader))
        self.connected = True
        self.emit_properties_changed({"Connected": True, "ServicesResolved": True})
        report("connected")

    @dbus_method()
    def Disconnect(self):
        self.drop()

    def drop(self):
        if not self.connected:
            return
        self.connected = False
        self.task.cancel()
        self.writer.close()
        self.emit_properties_changed({"Connected": False, "ServicesResolved": False})
        report("disconnected")

    async def pump(self, reader):
        try:
            while True:
                if await reader.readexactly(1) != b"\x94" or await reader.readexactly(1) != b"\xc3":
                    continue
                length = int.from_bytes(await reader.readexactly(2), "big")
                self.frames.append(await reader.readexactly(length))
                self.number += 1
                self.from_num.emit_properties_changed({"Value": self.number.to_bytes(4, "little")})
        except (asyncio.IncompleteReadError, ConnectionError):
            pass

    @dbus_property(access=PropertyAccess.READ)
    def Address(self) -> "s":
        return self.address

    @dbus_property(access=PropertyAccess.READ)
    def AddressType(self) -> "s":
        return "random"

    @dbus_property(access=PropertyAccess.READ)
    def Name(self) -> "s":
        return self.name_

    @dbus_property(access=PropertyAccess.READ)
    def RSSI(self) -> "n":
        return -61

    @dbus_property(access=PropertyAccess.READ)
    def UUIDs(self) -> "as":
        return [SERVICE]

    @dbus_property(access=PropertyAccess.READ)
    def Connected(self) -> "b":
        return self.connected

    @dbus_property(access=PropertyAccess.READ)
    def ServicesResolved(self) -> "b":
        return self.connected


class GattService(ServiceInterface):
    def __init__(self):
        super().__init__("org.bluez.GattService1")

    @dbus_method()
    def Nothing(self):
        pass

    @dbus_property(access=PropertyAccess.READ)
    def UUID(self) -> "s":
        return SERVICE

    @dbus_property(access=PropertyAccess.READ)
    def Primary(self) -> "b":
        return True


class Characteristic(ServiceInterface):
    def __init__(self, uuid, flags, radio):
        super().__init__("org.bluez.GattCharacteristic1")
        self.uuid, self.flags, self.radio = uuid, flags, radio

    @dbus_method()
    def ReadValue(self, options: "a{sv}") -> "ay":
        frames = self.radio.frames
        return frames.pop(0) if self.uuid == FROM_RADIO and frames else b""

    @dbus_method()
    async def WriteValue(self, value: "ay", options: "a{sv}"):
        await self.radio.writes_answered.wait()
        self.radio.writer.write(b"\x94\xc3" + len(value).to_bytes(2, "big") + bytes(value))

    @dbus_method()
    def StartNotify(self):
        pass

    @dbus_method()
    def StopNotify(self):
        pass

    @dbus_property(access=PropertyAccess.READ)
    def UUID(self) -> "s":
        return self.uuid

    @dbus_property(access=PropertyAccess.READ)
    def Flags(self) -> "as":
        return self.flags

    @dbus_property(access=PropertyAccess.READ)
    def Value(self) -> "ay":
        return self.radio.number.to_bytes(4, "little")


async def main():
    host, port, name, address = sys.argv[1:5]
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    adapter = Adapter()
    radio = Radio(host, int(port), name, address)
    radio.from_num = Characteristic(FROM_NUM, ["read", "notify"], radio)
    device = "/org/bluez/hci0/dev_" + address.replace(":", "_")
    bus.export("/", Manager())
    bus.export("/org/bluez/hci0", adapter)
    bus.export(device, radio)
    bus.export(device + "/service0001", GattService())
    bus.export(device + "/service0001/char0001", Characteristic(TO_RADIO, ["write"], radio))
    bus.export(device + "/service0001/char0002", Characteristic(FROM_RADIO, ["read"], radio))
    bus.export(device + "/service0001/char0003", radio.from_num)
    await bus.request_name("org.bluez")
    report("ready")
    stdin = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    while line := await stdin.readline():
        command = line.decode().strip()
        if command in ("drop", "away"):
            radio.drop()
        if command == "stall":
            radio.writes_answered.clear()
        if command in ("away", "near"):
            radio.near = command == "near"
        elif command in ("off", "on"):
            adapter.powered = command == "on"
            if not adapter.powered:
                radio.drop()
            adapter.emit_properties_changed({"Powered": adapter.powered})
            radio.writes_answered.set()


asyncio.run(main())
