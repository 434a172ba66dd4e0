"""A gateway's half of MQTT by other people's code: protobufs of the official Python package, AES by the openssl command.

JSON lines on stdin, one answer each on stdout. Keys are hex (openssl wants them whole), envelopes are hex."""

import json
import subprocess
import sys

from meshtastic.protobuf import mesh_pb2, mqtt_pb2


def crypt(data, key, packet_id, sender):
    nonce = packet_id.to_bytes(8, "little") + sender.to_bytes(4, "little") + bytes(4)
    mode = "-aes-%d-ctr" % (len(key) * 4)
    command = ["openssl", "enc", mode, "-K", key, "-iv", nonce.hex()]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


def encode(request):
    data = mesh_pb2.Data()
    data.portnum = request.get("portnum", 1)
    data.payload = request["text"].encode()
    data.bitfield = 1
    data.reply_id = request.get("replyId", 0)
    envelope = mqtt_pb2.ServiceEnvelope()
    envelope.channel_id = request["channelId"]
    envelope.gateway_id = request["gatewayId"]
    packet = envelope.packet
    setattr(packet, "from", request["from"])
    packet.to = request.get("to", 0xFFFFFFFF)
    packet.id = request["id"]
    packet.channel = request["hash"]
    packet.hop_limit = 2
    packet.hop_start = 3
    packet.rx_snr = 4.5
    packet.encrypted = crypt(data.SerializeToString(), request["key"], packet.id, request["from"])
    return {"envelope": envelope.SerializeToString().hex()}


def decode(request):
    envelope = mqtt_pb2.ServiceEnvelope()
    envelope.ParseFromString(bytes.fromhex(request["envelope"]))
    packet = envelope.packet
    sender = getattr(packet, "from")
    data = mesh_pb2.Data()
    data.ParseFromString(crypt(packet.encrypted, request["key"], packet.id, sender))
    user = mesh_pb2.User()
    if data.portnum == 4:
        user.ParseFromString(data.payload)
    return {
        "channelId": envelope.channel_id,
        "gatewayId": envelope.gateway_id,
        "from": sender,
        "to": packet.to,
        "id": packet.id,
        "hash": packet.channel,
        "hopLimit": packet.hop_limit,
        "hopStart": packet.hop_start,
        "portnum": data.portnum,
        "text": data.payload.decode("utf-8", "replace"),
        "okToMqtt": bool(data.bitfield & 1),
        "longName": user.long_name,
        "userId": user.id,
    }


for line in sys.stdin:
    request = json.loads(line)
    answer = encode(request) if request["op"] == "encode" else decode(request)
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
