"""A person at a matrix-nio client with vodozemac. Reads commands, says what it sees; both a JSON line each."""

import asyncio
import json
import sys
from io import BytesIO

from nio import AsyncClient, AsyncClientConfig, MegolmEvent, ReactionEvent, RoomEncryptedImage, RoomMessageText
from nio.crypto.attachments import decrypt_attachment

options = json.loads(sys.argv[1])


def say(**line):
    print(json.dumps(line), flush=True)


async def main():
    config = AsyncClientConfig(encryption_enabled=True, store_sync_tokens=False)
    client = AsyncClient(options["baseUrl"], options["userId"], store_path=options["storePath"], config=config)
    client.restore_login(options["userId"], options["deviceId"], options["accessToken"])

    async def on_text(room, event):
        say(kind="got", id=event.event_id, body=event.body, sender=event.sender, encrypted=event.decrypted)

    async def on_reaction(room, event):
        say(kind="got", id=event.event_id, body=event.key, sender=event.sender, encrypted=event.decrypted)

    async def on_unread(room, event):
        say(kind="undecryptable", id=event.event_id, sender=event.sender)

    async def on_image(room, event):
        answer = await client.download(event.url)
        data = decrypt_attachment(answer.body, event.key["k"], event.hashes["sha256"], event.iv)
        say(kind="image", id=event.event_id, body=data.decode(), sender=event.sender)

    client.add_event_callback(on_text, RoomMessageText)
    client.add_event_callback(on_reaction, ReactionEvent)
    client.add_event_callback(on_unread, MegolmEvent)
    client.add_event_callback(on_image, RoomEncryptedImage)
    await client.sync(timeout=0, full_state=True)
    syncing = asyncio.create_task(client.sync_forever(timeout=5000))
    say(kind="ready")

    async def send(room, content, message_type="m.room.message"):
        answer = await client.room_send(room, message_type, content, ignore_unverified_devices=True)
        say(kind="sent", id=getattr(answer, "event_id", str(answer)))

    async def send_image(room, text):
        data = text.encode()
        answer, keys = await client.upload(
            lambda *_: BytesIO(data), content_type="image/png", filename="x.png", encrypt=True, filesize=len(data)
        )
        await send(room, {"msgtype": "m.image", "body": "x.png", "file": {**keys, "url": answer.content_uri}})

    loop = asyncio.get_running_loop()
    while True:
        line = await loop.run_in_executor(None, sys.stdin.readline)
        if not line:
            break
        command = json.loads(line)
        if command["do"] == "join":
            await client.join(command["room"])
            say(kind="joined")
        elif command["do"] == "send":
            await send(command["room"], command["content"], command.get("type", "m.room.message"))
        elif command["do"] == "image":
            await send_image(command["room"], command["text"])
    syncing.cancel()
    await client.close()


asyncio.run(main())
