#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""traffic.py - what goes over the bad wire

    traffic.py receive SECONDS FILE      one TCP connection
    traffic.py send HOST SECONDS         with $CONGESTION control
    traffic.py probed FILE               small datagrams, each with its time
    traffic.py probe HOST SECONDS RATE

receive writes a line "time bytes" to FILE for each tenth of a second, behind
one of "# begin TIME", and tells "goodput N", in bytes per second: whatever protocol of your own takes
its place tells the same. probed writes a line "number delay" for each probe
that came, in the order in which they came, delay in nanoseconds, and then
"# sent N". Sender and receiver are on one machine, so they have one clock; a
probe's arrival is when the kernel got it, not when this program was woken up.
"""
import os
import socket
import struct
import sys
import time

PORT = 7777
PROBE = struct.Struct("!QQ2x")  # number, time: a frame of 60 bytes
END = 1 << 63  # a number: that of probes is in the time
SO_TIMESTAMPNS = 35
STEP = 0.1


def receive(seconds, path):
    with socket.create_server(("", PORT)) as server:
        print("ready", flush=True)
        server.settimeout(15)
        peer, _ = server.accept()
    steps = []
    total = 0
    room = bytearray(1 << 20)
    with peer:
        begin = time.time()
        start = time.monotonic()
        while (now := time.monotonic() - start) < seconds:
            peer.settimeout(seconds - now)
            try:
                n = peer.recv_into(room)
            except TimeoutError:
                break
            if not n:
                break
            step = int((time.monotonic() - start) / STEP)
            steps += [0] * (step + 1 - len(steps))
            steps[step] += n
            total += n
    steps += [0] * (round(seconds / STEP) - len(steps))
    with open(path, "w", encoding="ascii") as f:
        print("# begin", begin, file=f)
        for i, n in enumerate(steps[:round(seconds / STEP)]):
            print(f"{i * STEP:.1f} {n}", file=f)
    print(f"goodput {total / seconds:.0f}")


def send(host, seconds):
    block = bytes(1 << 16)
    end = time.monotonic() + seconds
    with socket.create_connection((host, PORT), timeout=15) as s:
        control = os.environ.get("CONGESTION", "").encode()
        if control:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, control)
        try:
            # The receiver decides when it is over; it may be behind.
            while (left := end + 2 - time.monotonic()) > 0:
                s.settimeout(left)
                s.sendall(block)
        except (TimeoutError, ConnectionError):
            pass


def arrived(anc):
    for level, kind, data in anc:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            secs, ns = struct.unpack("@ll", data)
            return secs * 10**9 + ns
    return time.time_ns()


def probed(path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        s.bind(("", PORT))
        s.settimeout(15)
        print("ready", flush=True)
        lines = []
        while True:
            data, anc, _, _ = s.recvmsg(256, 64)
            number, at = PROBE.unpack(data)
            if number == END:
                break
            lines.append(f"{number} {arrived(anc) - at}\n")
    with open(path, "w", encoding="ascii") as f:
        f.writelines(lines)
        print(f"# sent {at}", file=f)


def probe(host, seconds, rate):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((host, PORT))
        n = max(1, round(seconds * rate))
        start = time.monotonic()
        for i in range(n):
            pause = start + i / rate - time.monotonic()
            if pause > 0:
                time.sleep(pause)
            s.send(PROBE.pack(i + 1, time.time_ns()))
        # After the last one; often, as one may be lost. Then nobody listens.
        time.sleep(0.3)
        try:
            for _ in range(200):
                s.send(PROBE.pack(END, n))
                time.sleep(0.02)
        except ConnectionError:
            pass


def main(what, *args):
    if what == "receive":
        receive(float(args[0]), args[1])
    elif what == "send":
        send(args[0], float(args[1]))
    elif what == "probed":
        probed(args[0])
    else:
        probe(args[0], float(args[1]), float(args[2]))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
