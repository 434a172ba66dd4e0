"""Drives the official Meshtastic client: commands as JSON lines on stdin, what it sees as JSON lines on stdout."""

import json
import sys

from pubsub import pub

from meshtastic.protobuf import mesh_pb2
from meshtastic.tcp_interface import TCPInterface


def emit(kind, **fields):
    sys.stdout.write(json.dumps({"kind": kind, **fields}) + "\n")
    sys.stdout.flush()


def on_receive(packet, interface):
    decoded = packet.get("decoded", {})
    emit(
        "packet",
        **{"from": packet.get("from"), "to": packet.get("to"), "id": packet.get("id")},
        portnum=decoded.get("portnum"),
        text=decoded.get("text"),
        replyId=decoded.get("replyId", 0),
        emoji=decoded.get("emoji", 0),
        requestId=decoded.get("requestId", 0),
        error=decoded.get("routing", {}).get("errorReason"),
        rxSnr=packet.get("rxSnr"),
        hopStart=packet.get("hopStart"),
        hopLimit=packet.get("hopLimit"),
    )


def onAckNak(packet):  # the library hands acknowledgements to a callback of this very name only
    emit("ack", requestId=packet["decoded"]["requestId"], error=packet["decoded"]["routing"]["errorReason"], **{"from": packet["from"]})


def view(interface):
    local = interface.localNode
    nodes = [
        {
            "num": node["num"],
            "id": node["user"]["id"],
            "longName": node["user"]["longName"],
            "shortName": node["user"]["shortName"],
            "latitude": node.get("position", {}).get("latitude"),
            "batteryLevel": node.get("deviceMetrics", {}).get("batteryLevel"),
            "hopsAway": node.get("hopsAway"),
        }
        for node in interface.nodes.values()
    ]
    channels = [{"index": c.index, "name": c.settings.name, "role": c.role} for c in local.channels]
    lora = local.localConfig.lora
    return {
        "myNodeNum": interface.myInfo.my_node_num,
        "firmwareVersion": interface.metadata.firmware_version,
        "nodes": nodes,
        "channels": channels,
        "hopLimit": lora.hop_limit,
        "region": lora.region,
        "modemPreset": lora.modem_preset,
    }


def main():
    host, port = sys.argv[1], int(sys.argv[2])
    pub.subscribe(on_receive, "meshtastic.receive")
    interface = TCPInterface(hostname=host, portNumber=port, noProto=False)
    emit("ready", **view(interface))
    for line in sys.stdin:
        command = json.loads(line)
        name = command["command"]
        if name == "text":
            sent = interface.sendText(
                command["text"],
                destinationId=command.get("to", "^all"),
                wantAck=command.get("wantAck", False),
                channelIndex=command.get("channel", 0),
                replyId=command.get("replyId"),
                onResponse=onAckNak if command.get("wantAck") else None,
            )
            emit("sent", id=sent.id)
        elif name == "view":
            emit("view", **view(interface))
        elif name == "heartbeat":
            heartbeat = mesh_pb2.ToRadio()
            heartbeat.heartbeat.CopyFrom(mesh_pb2.Heartbeat())
            interface._sendToRadio(heartbeat)
            emit("heartbeat")
        elif name == "close":
            interface.close()
            emit("closed")
            return


main()
