"""systemd's end of NOTIFY_SOCKET: prints what is sent to the datagram socket given, one line a datagram."""
import socket
import sys

receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print("listening", flush=True)
while True:
    # Descriptors that come along (the barrier of systemd-notify) are closed by not being received.
    print(receiver.recv(65536).decode().replace("\n", " "), flush=True)
