#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bulk.py - one TCP stream, for the demo

    bulk.py receive              takes one connection, says what arrived
    bulk.py send HOST SECONDS    sends for that long
"""
import socket
import sys
import time

PORT = 7777


def receive():
    with socket.create_server(("", PORT)) as server:
        print("ready", flush=True)
        server.settimeout(15)
        peer, _ = server.accept()
        with peer:
            peer.settimeout(15)
            start = time.monotonic()
            total = 0
            room = bytearray(1 << 20)
            while n := peer.recv_into(room):
                total += n
            took = time.monotonic() - start
    print(f"received {total / 1e6:.0f} MB, {total * 8 / took / 1e6:.0f} Mbit/s")


def send(host, seconds):
    with socket.create_connection((host, PORT), timeout=15) as s:
        block = bytes(1 << 18)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            s.sendall(block)


if sys.argv[1] == "send":
    send(sys.argv[2], float(sys.argv[3]))
else:
    receive()
